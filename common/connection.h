/* Connection strings of libpq, in both of their forms: what is secret in them, and how they are shown. */
#ifndef SKYLARK_COMMON_CONNECTION_H
#define SKYLARK_COMMON_CONNECTION_H

#include <stdbool.h>

#include "common/buf.h"

/* Returns 0 when libpq takes it, else -1 with the reason, which quotes nothing of the string, in fault. */
int connection_check(const char *text, struct buf *fault) __attribute__((warn_unused_result));

/* Whether it holds a password, of whatever kind. What can't be read is taken for one. */
bool connection_has_secret(const char *text);

/* Adds it as keyword = value pairs, with what is secret masked. */
void connection_format(const char *text, struct buf *out);

#endif
