/* What of an endpoint may stand in nginx's configuration. The API and the tables hold this already. Here it is held once more, by each value's
 * kind, since a single value that nginx takes for something else would keep the routes of all services from changing. */
#include "router/values.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define HOST_NAME_MAX_LEN 253
#define LABEL_MAX_LEN 63

bool value_plain(const char *text)
{
    return text[0] != '\0' && text[strspn(text, LETTERS_DIGITS "._:/[]+@=-")] == '\0';
}

bool value_host_name(const char *text)
{
    int labels = 0;
    if (strlen(text) > HOST_NAME_MAX_LEN)
        return false;
    for (const char *at = text;; at++) {
        size_t n = strspn(at, LETTERS_DIGITS "_-");
        if (n < 1 || n > LABEL_MAX_LEN)
            return false;
        labels++;
        at += n;
        if (*at == '\0')
            return labels > 1;
        if (*at != '.')
            return false;
    }
}

/* Decimal, 1 to 65535, without zeros in front. */
static bool is_port(const char *text)
{
    size_t n = strspn(text, "0123456789");
    return n >= 1 && n <= 5 && text[n] == '\0' && text[0] != '0' && strtol(text, NULL, 10) <= 65535;
}

/* ADDRESS:PORT, or [ADDRESS]:PORT with IPv6. */
static bool is_peer(const char *text)
{
    char address[INET6_ADDRSTRLEN];
    unsigned char binary[sizeof(struct in6_addr)];
    bool six = text[0] == '[';
    const char *from = text + six, *to = six ? strchr(from, ']') : strchr(from, ':');
    if (to == NULL || (size_t)(to - from) >= sizeof address)
        return false;
    memcpy(address, from, (size_t)(to - from));
    address[to - from] = '\0';
    return inet_pton(six ? AF_INET6 : AF_INET, address, binary) == 1 && to[six] == ':' && is_port(to + six + 1);
}

static bool is_uuid(const char *text)
{
    return strlen(text) == 36 && text[strspn(text, "0123456789abcdef-")] == '\0';
}

static bool is_protocol(const char *text)
{
    return strcmp(text, "tcp") == 0 || strcmp(text, "udp") == 0;
}

static bool is_type(const char *text)
{
    return strcmp(text, "http") == 0 || strcmp(text, "stream") == 0;
}

const char *values_text(struct json_object *endpoint, const char *name)
{
    struct json_object *value;
    const char *text = json_object_object_get_ex(endpoint, name, &value) ? json_object_get_string(value) : NULL;
    return text != NULL ? text : "";
}

struct json_object *values_array(struct json_object *endpoint, const char *name, size_t *n)
{
    struct json_object *array = NULL;
    json_object_object_get_ex(endpoint, name, &array);
    *n = json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
    return array;
}

bool values_good(struct json_object *endpoint)
{
    static const struct kind {
        const char *name;
        bool (*good)(const char *text);
        const char *of; /* the type that alone has the value; NULL: both */
        bool many;      /* an array */
    } kinds[] = {
        {.name = "type", .good = is_type},
        {.name = "service", .good = is_uuid},
        {.name = "owner", .good = value_plain},
        {.name = "port", .good = is_port},
        {.name = "protocol", .good = is_protocol},
        {.name = "service_port", .good = is_port, .of = "stream"},
        {.name = "name", .good = value_host_name, .of = "http"},
        {.name = "custom", .good = value_host_name, .of = "http", .many = true},
        {.name = "servers", .good = is_peer, .many = true},
    };
    const char *type = values_text(endpoint, "type");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct kind *kind = &kinds[i];
        size_t n = 0;
        if (kind->of != NULL && strcmp(kind->of, type) != 0)
            continue;
        if (!kind->many && !kind->good(values_text(endpoint, kind->name)))
            return false;
        struct json_object *array = kind->many ? values_array(endpoint, kind->name, &n) : NULL;
        for (size_t k = 0; k < n; k++) {
            const char *text = json_object_get_string(json_object_array_get_idx(array, k));
            if (text == NULL || !kind->good(text))
                return false;
        }
    }
    return true;
}
