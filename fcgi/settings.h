/* The settings of skylark-api. */
#ifndef SKYLARK_FCGI_SETTINGS_H
#define SKYLARK_FCGI_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "common/config.h"

struct api_settings {
    char *database;
    char *listen;
    char *socket_mode;
    int64_t workers; /* 0: by the number of CPUs */
    int64_t backlog;
    int64_t body_limit;
    int64_t connect_deadline_ms;
    int64_t query_deadline_ms;
    int64_t answer_deadline_ms;
    int64_t long_reads, long_reads_of_token; /* 0: by the number of workers; see api_long_reads */
    int64_t changes_of_namespace; /* 0: by the number of workers; see api_changes_of_namespace */
    int64_t drain_deadline_ms;
    int64_t login_slots; /* 0: by the number of CPUs; see api_login_slots */
    int64_t login_failures;
    int64_t token_lifetime_ms; /* 0: for ever */
    bool strict_region;
    int64_t delete_linked; /* enum delete_linked */
    bool no_content_on_write;
    int64_t log_level;
};

/* What DELETE of a service does that others link to, when the request itself does not say. */
enum delete_linked { DELETE_LINKED_REFUSE, DELETE_LINKED_ALLOW };

extern const struct config_setting api_setting_rows[];
extern const size_t api_n_settings;

/* How many workers these settings ask for. */
int api_worker_count(const struct api_settings *settings);

/* How many of them may hash passwords at the same time: never all, so that other requests find a worker. */
size_t api_login_slots(const struct api_settings *settings);

/* How many of them may be at long reads at the same time; and how many for one token. */
size_t api_long_reads(const struct api_settings *settings);
size_t api_long_reads_of_token(const struct api_settings *settings);

/* How many of them may be at changes at the same time: never all, where there are several; how many for one namespace, and how
 * many for one service. */
size_t api_changes(const struct api_settings *settings);
size_t api_changes_of_namespace(const struct api_settings *settings);
size_t api_changes_of_service(const struct api_settings *settings);

#endif
