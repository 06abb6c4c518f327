/* Checks of single texts that a table of fields names: each returns NULL when the text is fine, else what is
 * wrong with it, as the end of a sentence that begins with the field's name. */
#ifndef SKYLARK_FCGI_CHECKS_H
#define SKYLARK_FCGI_CHECKS_H

#include <stddef.h>

typedef const char *text_check(const char *text);

text_check check_service_name;
text_check check_image_name;
text_check check_image_tag;
text_check check_run_command;
text_check check_host_names; /* a comma-separated list, or empty */
text_check check_envvar_name;
text_check check_volume_dir;
text_check check_volume_type;
text_check check_alias;

/* The element of a comma-separated list that begins at *at, without the blanks around it: len bytes. *at moves on to the
 * next one; NULL: that was the last. */
const char *check_list_next(const char **at, size_t *len);

#endif
