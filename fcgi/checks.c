/* Checks of single texts. They say in words what the constraints in sql/tables/ hold. */
#include "fcgi/checks.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/shellwords.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool all_of(const char *text, size_t len, const char *set)
{
    for (size_t i = 0; i < len; i++) {
        if (!one_of(text[i], set))
            return false;
    }
    return true;
}

const char *check_list_next(const char **at, size_t *len)
{
    const char *element = *at + strspn(*at, " "), *comma = strchr(element, ',');
    *len = comma != NULL ? (size_t)(comma - element) : strlen(element);
    while (*len > 0 && element[*len - 1] == ' ')
        (*len)--;
    *at = comma != NULL ? comma + 1 : NULL;
    return element;
}

/* A DNS label in lower case. */
static bool label_valid(const char *text, size_t len)
{
    return len >= 1 && len <= 63 && all_of(text, len, LOWER DIGITS "-") && text[0] != '-' && text[len - 1] != '-';
}

const char *check_service_name(const char *text)
{
    size_t len = strlen(text);
    return len <= 62 && label_valid(text, len)
               ? NULL
               : "must be 1 to 62 lower-case letters, digits and hyphens, with no hyphen at its ends";
}

/* One path component of an image name: runs of letters and digits with separators between. */
static bool image_component_valid(const char *text, size_t len)
{
    return len > 0 && all_of(text, len, LOWER DIGITS "._-") && one_of(text[0], LOWER DIGITS) &&
           one_of(text[len - 1], LOWER DIGITS);
}

/* HOST or HOST:PORT before the first slash. */
static bool registry_valid(const char *text, size_t len)
{
    const char *colon = memchr(text, ':', len);
    size_t host = colon != NULL ? (size_t)(colon - text) : len;
    if (host == 0 || !one_of(text[0], LOWER UPPER DIGITS) || !all_of(text, host, LOWER UPPER DIGITS ".-"))
        return false;
    size_t port = colon != NULL ? len - host - 1 : 0;
    return colon == NULL || (port >= 1 && port <= 5 && all_of(colon + 1, port, DIGITS));
}

const char *check_image_name(const char *text)
{
    static const char fault[] = "must be an image name such as nginx or registry.example.com:5000/team/app, "
                                "without a tag (image_tag holds it)";
    size_t len = strlen(text);
    if (len == 0 || len > 255)
        return fault;
    bool first = true;
    for (const char *at = text;; first = false) {
        const char *slash = strchr(at, '/');
        size_t n = slash != NULL ? (size_t)(slash - at) : strlen(at);
        bool ok = image_component_valid(at, n) || (first && slash != NULL && registry_valid(at, n));
        if (!ok)
            return fault;
        if (slash == NULL)
            return NULL;
        at = slash + 1;
    }
}

const char *check_image_tag(const char *text)
{
    size_t len = strlen(text);
    return len >= 1 && len <= 128 && all_of(text, len, LOWER UPPER DIGITS "_.-") && text[0] != '.' && text[0] != '-'
               ? NULL
               : "must be 1 to 128 letters, digits, underscores, periods and hyphens, and not begin with a period "
                 "or hyphen";
}

const char *check_run_command(const char *text)
{
    char **words;
    const char *fault;
    if (shellwords_split(text, &words, NULL, &fault) != 0)
        return fault;
    shellwords_free(words);
    return NULL;
}

/* A full host name in lower case; what ends in a number would be an IP address, and a name without a dot is nobody's on the internet. */
static bool host_name_valid(const char *text, size_t len)
{
    const char *end = text + len;
    if (len > 253 || memchr(text, '.', len) == NULL)
        return false;
    for (const char *at = text;;) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        size_t n = (size_t)((dot != NULL ? dot : end) - at);
        if (!label_valid(at, n))
            return false;
        if (dot == NULL)
            return !all_of(at, n, DIGITS);
        at = dot + 1;
    }
}

const char *check_host_names(const char *text)
{
    size_t len;
    int n = 0;
    if (text[0] == '\0')
        return NULL;
    for (const char *at = text; at != NULL;) {
        const char *name = check_list_next(&at, &len);
        if (!host_name_valid(name, len))
            return "must be a host name with a dot such as www.example.com, several separated by commas, or empty; names in other "
                   "scripts are written as xn--…, and IP addresses are not taken";
        if (++n > 20)
            return "must be at most 20 host names";
    }
    return NULL;
}

const char *check_envvar_name(const char *text)
{
    size_t len = strlen(text);
    return len >= 1 && len <= 256 && all_of(text, len, LOWER UPPER DIGITS "_.-") && one_of(text[0], LOWER UPPER "_")
               ? NULL
               : "must be named by 1 to 256 letters, digits, underscores, periods and hyphens, beginning with a letter or "
                 "underscore";
}

const char *check_volume_dir(const char *text)
{
    static const char *const kept[] = {"/proc", "/sys", "/dev"};
    static const char fault[] = "must be an absolute path below /, without . or .. or empty parts, colons, commas or "
                                "control characters, and not below /proc, /sys or /dev";
    size_t len = strlen(text);
    if (len < 2 || len > 1024 || text[0] != '/')
        return fault;
    for (const char *at = text + 1;;) {
        size_t n = strcspn(at, "/");
        if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
            return fault;
        for (size_t i = 0; i < n; i++) {
            unsigned char c = (unsigned char)at[i];
            if (c < 0x20 || c == 0x7f || c == ':' || c == ',')
                return fault;
        }
        if (at[n] == '\0')
            break;
        at += n + 1;
    }
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        size_t n = strlen(kept[i]);
        if (strncmp(text, kept[i], n) == 0 && (text[n] == '\0' || text[n] == '/'))
            return fault;
    }
    return NULL;
}

const char *check_volume_type(const char *text)
{
    size_t len = strlen(text);
    return len >= 1 && len <= 32 && all_of(text, len, LOWER UPPER DIGITS "_-") && one_of(text[0], LOWER UPPER DIGITS)
               ? NULL
               : "must be 1 to 32 letters, digits, underscores and hyphens, such as EBS";
}

const char *check_alias(const char *text)
{
    size_t len = strlen(text);
    return len >= 1 && len <= 63 && all_of(text, len, LOWER UPPER DIGITS "_-") &&
                   one_of(text[0], LOWER UPPER DIGITS) && one_of(text[len - 1], LOWER UPPER DIGITS)
               ? NULL
               : "must be an alias of 1 to 63 letters, digits, underscores and hyphens, beginning and ending with a "
                 "letter or digit";
}
