/* The log of a process: one escaped key=value line an event. */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"

#define FIELD_SIZE 128

static const char *log_process = "skylark";
static enum log_level log_lowest = LOG_LEVEL_INFO;
static char log_fields[LOG_FIELD__MAX][FIELD_SIZE];

static const char *const level_names[LOG_LEVEL__MAX] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_ERROR] = "error",
};
static const char *const field_names[LOG_FIELD__MAX] = {
    [LOG_FIELD_REQUEST] = "request_id",
    [LOG_FIELD_SERVICE] = "service",
    [LOG_FIELD_INSTANCE] = "instance",
};

void log_open(const char *process, enum log_level lowest)
{
    log_process = process;
    log_lowest = lowest;
}

void log_set(enum log_field field, const char *value)
{
    snprintf(log_fields[field], FIELD_SIZE, "%s", value != NULL ? value : "");
}

void log_clear(void)
{
    memset(log_fields, 0, sizeof log_fields);
}

void log_event(enum log_level level, const char *fmt, ...)
{
    if (level < log_lowest)
        return;
    int saved = errno;
    char now[CLOCK_ISO_SIZE];
    clock_format_iso(clock_wall_ns(), now);
    struct buf line = {0}, message = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&message, fmt, ap);
    va_end(ap);
    buf_addf(&line, "%s level=%s process=%s pid=%d", now, level_names[level], log_process, (int)getpid());
    for (int i = 0; i < LOG_FIELD__MAX; i++) {
        if (log_fields[i][0] == '\0')
            continue;
        buf_addf(&line, " %s=", field_names[i]);
        buf_add_json(&line, log_fields[i], strlen(log_fields[i]));
    }
    buf_adds(&line, " msg=");
    buf_add_json(&line, buf_text(&message), message.len);
    buf_addc(&line, '\n');
    if (!line.failed) {
        /* A log that can't be written has nowhere to complain to. */
        ssize_t written = write(STDERR_FILENO, line.data, line.len);
        (void)written;
    }
    buf_free(&line);
    buf_free(&message);
    errno = saved;
}
