/* Checks of single texts that a table of fields names: each returns NULL when the text is fine, else what is
 * wrong with it, as the end of a sentence that begins with the field's name. */
#ifndef SKYLARK_FCGI_CHECKS_H
#define SKYLARK_FCGI_CHECKS_H

typedef const char *text_check(const char *text);

text_check check_service_name;
text_check check_image_name;
text_check check_image_tag;
text_check check_run_command;
text_check check_host_name_or_empty;
text_check check_envvar_name;
text_check check_volume_dir;
text_check check_volume_type;
text_check check_alias;

#endif
