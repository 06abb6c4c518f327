/* The log of a process: one escaped line an event on standard error, in key=value form, with the
 * context (request, service, instance) that the event belongs to. Never hand it a secret. */
#ifndef SKYLARK_COMMON_LOG_H
#define SKYLARK_COMMON_LOG_H

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR, LOG_LEVEL__MAX };

/* What an event may belong to; each is shown while it is set. */
enum log_field { LOG_FIELD_REQUEST, LOG_FIELD_SERVICE, LOG_FIELD_INSTANCE, LOG_FIELD__MAX };

/* Names the process (the string must stay valid) and sets the lowest level that is written. A process
 * that never calls it logs as "skylark" from LOG_LEVEL_INFO up. */
void log_open(const char *process, enum log_level lowest);

/* Sets the context of the events that follow; NULL or "" clears the field. The value is copied, and
 * cut after 127 bytes. */
void log_set(enum log_field field, const char *value);
void log_clear(void); /* clears all fields */

/* Writes one line with one write(2). Blocks only as long as standard error does. Newlines, quotes,
 * control characters and invalid UTF-8 of the message come out escaped. */
void log_event(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(...) log_event(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) log_event(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warning(...) log_event(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_error(...) log_event(LOG_LEVEL_ERROR, __VA_ARGS__)

#endif
