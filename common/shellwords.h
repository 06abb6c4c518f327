/* Splits a run_command into words as a POSIX shell would quote, without being a shell: nothing is
 * expanded, substituted or run. */
#ifndef SKYLARK_COMMON_SHELLWORDS_H
#define SKYLARK_COMMON_SHELLWORDS_H

#include <stddef.h>

/* On 0, *words is a NULL-terminated array, to be freed with shellwords_free, and *n its length (n may
 * be NULL). On -1, *words is NULL and *fault a static sentence such as "a double quote is not closed".
 * Blanks and newlines separate; ' " and \ quote as in POSIX 2.2; $ ` * ? ~ # ; & | < > ( ) are plain characters. */
int shellwords_split(const char *text, char ***words, size_t *n, const char **fault)
    __attribute__((warn_unused_result));
void shellwords_free(char **words);

#endif
