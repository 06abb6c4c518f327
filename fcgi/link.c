/* Absolute URLs of this API. */
#include "fcgi/link.h"

#include <string.h>

/* Adds s percent-encoded but for what RFC 3986 leaves as it is. */
static void add_encoded(struct buf *b, const char *s)
{
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c) != NULL)
            buf_addc(b, (char)c);
        else
            buf_addf(b, "%%%02X", c);
    }
}

void link_add_self(const struct request *rq, struct buf *url)
{
    const char *host = request_parameter(rq, "HTTP_HOST");
    buf_addf(url, "%s://", request_parameter(rq, "REQUEST_SCHEME"));
    /* What may stand in a host with its port; the header field that bears the URL ends at anything else. */
    const char *name = host[0] != '\0' ? host : request_parameter(rq, "SERVER_NAME");
    for (; *name != '\0'; name++) {
        if (strchr("<>\"\\^`{|} ", *name) == NULL && (unsigned char)*name > ' ' && (unsigned char)*name < 0x7f)
            buf_addc(url, *name);
    }
    buf_addc(url, '/');
    for (size_t i = 0; i < rq->n_segments; i++) {
        add_encoded(url, rq->segments[i]);
        buf_addc(url, '/');
    }
}

void link_add_parameter(struct buf *url, const char *name, const char *value)
{
    buf_addc(url, url->data != NULL && memchr(url->data, '?', url->len) != NULL ? '&' : '?');
    buf_addf(url, "%s=", name);
    add_encoded(url, value);
}
