/* Connection strings of libpq. */
#include "common/connection.h"

#include <libpq-fe.h>
#include <string.h>

#define MASK "********"

static bool is_secret(const PQconninfoOption *o)
{
    /* libpq says itself which of its options are passwords: password, sslpassword, and what later versions add. */
    return o->val != NULL && o->dispchar[0] == '*';
}

/* A connection string in the place of a name would come back in the server's complaint, password and all. */
static bool is_nested(const PQconninfoOption *o)
{
    return o->val != NULL && strcmp(o->keyword, "dbname") == 0 && (strchr(o->val, '=') != NULL || strstr(o->val, "://") != NULL);
}

int connection_check(const char *text, struct buf *fault)
{
    /* libpq's own message quotes what it stumbles over, which may be half of a password. */
    PQconninfoOption *options = PQconninfoParse(text, NULL);
    bool nested = false;
    for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
        nested = nested || is_nested(o);
    if (options == NULL)
        buf_adds(fault, "must be a connection string of libpq, such as host=db.example.org dbname=skylark");
    else if (nested)
        buf_adds(fault, "must have the name of a database as its dbname");
    bool good = options != NULL && !nested;
    PQconninfoFree(options);
    return good ? 0 : -1;
}

bool connection_has_secret(const char *text)
{
    PQconninfoOption *options = PQconninfoParse(text, NULL);
    bool secret = options == NULL;
    for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
        secret = secret || is_secret(o) || is_nested(o);
    PQconninfoFree(options);
    return secret;
}

static void add_value(struct buf *out, const char *value)
{
    bool quote = value[0] == '\0' || value[strcspn(value, " \t\r\n\f\v'\\")] != '\0';
    if (quote)
        buf_addc(out, '\'');
    for (; *value != '\0'; value++) {
        if (*value == '\'' || *value == '\\')
            buf_addc(out, '\\');
        buf_addc(out, *value);
    }
    if (quote)
        buf_addc(out, '\'');
}

void connection_format(const char *text, struct buf *out)
{
    PQconninfoOption *options = PQconninfoParse(text, NULL);
    bool first = true;
    if (options == NULL && text[0] != '\0')
        buf_adds(out, MASK);
    for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
        if (o->val == NULL)
            continue;
        buf_addf(out, "%s%s=", first ? "" : " ", o->keyword);
        if (is_secret(o) || is_nested(o))
            buf_adds(out, MASK);
        else
            add_value(out, o->val);
        first = false;
    }
    PQconninfoFree(options);
}
