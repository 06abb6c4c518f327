/* The seam between Skylark and a container engine. Deployer and collector know engines by this header
 * only; engine/docker.c is the first driver. Every call has a deadline and tells apart what the caller
 * must treat differently. Blocking unless said otherwise; not for use by two threads at once. */
#ifndef SKYLARK_ENGINE_ENGINE_H
#define SKYLARK_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum engine_status {
    ENGINE_OK,
    ENGINE_AWAY,      /* no answer, connection lost or deadline passed: nothing is known of the effect */
    ENGINE_NOT_FOUND, /* no such container, image or volume */
    ENGINE_CONFLICT,  /* name taken, or the state does not allow it */
    ENGINE_REFUSED,   /* the engine says no: bad parameter, no such command in the image, ... */
    ENGINE_FAILED,    /* the engine's own error */
    ENGINE_STOPPED,   /* we were told to stop (signals_stop()) while waiting */
    ENGINE__MAX
};

/* No verdict on what was asked, and none on what would be asked next: the caller gives up for now. */
bool engine_unusable(enum engine_status status);

struct engine;

struct engine_options {
    const char *endpoint;   /* unix:///path/to/docker.sock */
    int64_t call_deadline_ms; /* of one call; pulls and followed streams have their own */
};

/* Does not connect yet. NULL when the endpoint makes no sense (logged) or memory ran out. */
struct engine *engine_create(const struct engine_options *options);
void engine_free(struct engine *engine); /* accepts NULL */

/* The engine's own words about the latest failure; "" when none. Valid until the next call. */
const char *engine_error(const struct engine *engine);

/* Connects, negotiates the API version, and tells who the engine is. Strings are valid until the next
 * engine_describe. */
struct engine_description {
    const char *id;
    const char *name;
    const char *version;
    const char *api_version;
    int64_t cpus;
    int64_t memory_bytes;
};
enum engine_status engine_describe(struct engine *engine, struct engine_description *description)
    __attribute__((warn_unused_result));

/* --- images --- */

/* The engine's id of a local image. *image_id is the caller's to free; NULL on anything but ENGINE_OK. */
enum engine_status engine_image_find(struct engine *engine, const char *image_ref, char **image_id)
    __attribute__((warn_unused_result));

/* Pulls an image. progress (may be NULL) gets a sentence now and then. Fails when nothing was heard of the
 * engine for idle_ms. registry_away (may be NULL): whether the registry could not be reached at all. Gives up
 * with ENGINE_STOPPED on signals_stop(). */
typedef void engine_progress(void *context, const char *sentence);
enum engine_status engine_image_pull(struct engine *engine, const char *image_name, const char *image_tag,
                                     int64_t idle_ms, engine_progress *progress, void *context, bool *registry_away)
    __attribute__((warn_unused_result));

/* --- containers --- */

enum engine_container_state { ENGINE_CREATED, ENGINE_RUNNING, ENGINE_EXITED, ENGINE_CONTAINER_STATE__MAX };

/* What the image's own health check says. */
enum engine_health { ENGINE_HEALTH_NONE /* it has none */, ENGINE_HEALTH_STARTING, ENGINE_HEALTH_GOOD, ENGINE_HEALTH_BAD };

#define ENGINE_ADDRESS_SIZE 46

/* A port of a container that is published on its node. */
struct engine_published {
    int container_port, port;
    char protocol[8], address[ENGINE_ADDRESS_SIZE];
};

struct engine_container {
    char *id;
    char *name;
    char *installation; /* labels skylark.installation, .service, .instance, .generation, .slot */
    char *service;
    char *instance;
    int64_t generation;
    int slot;
    enum engine_container_state state;
    enum engine_health health; /* while it runs */
    char **networks;           /* names of those that it is in, NULL-terminated */
    /* From here on only engine_container_inspect fills: */
    int64_t started_ns, finished_ns; /* since 1970; 0: never */
    int exit_code;
    bool oom_killed;
    int64_t cpu_millis; /* its limit in thousandths of a CPU; 0: all that the node has */
    char *error; /* why it could not be started, in the engine's words; "" */
    char address[ENGINE_ADDRESS_SIZE]; /* in the network that it was made in, while it runs; else "" */
    struct engine_published *published; /* while it runs */
    size_t n_published;
};

struct engine_container_list {
    struct engine_container *items;
    size_t n;
};

/* All containers, running or not, of an installation; service: of this one only (NULL: all). The list
 * is the caller's, to free with engine_container_list_free. */
enum engine_status engine_container_find(struct engine *engine, const char *installation, const char *service,
                                         struct engine_container_list *list) __attribute__((warn_unused_result));
void engine_container_list_free(struct engine_container_list *list);

/* Everything about one. *container is overwritten; free it with engine_container_clear. */
enum engine_status engine_container_inspect(struct engine *engine, const char *container_id,
                                            struct engine_container *container) __attribute__((warn_unused_result));
void engine_container_clear(struct engine_container *container);

/* Whether it is in the network of that name. */
bool engine_container_in(const struct engine_container *container, const char *network);

struct engine_mount {
    const char *volume; /* name of an engine volume, made when missing */
    const char *driver; /* engine volume driver, such as local */
    const char *const *options; /* of the driver: NAME=value, NULL-terminated; NULL: none */
    const char *path;   /* where in the container */
};

struct engine_port {
    int container_port;
    const char *protocol; /* tcp, udp */
    bool publish;         /* on a port of the node that the engine chooses */
};

struct engine_container_spec {
    const char *name; /* unique on the engine */
    const char *image; /* id or reference */
    const char *installation, *service, *instance; /* labels */
    const char *namespace_name, *service_name;      /* labels for people: skylark.namespace, skylark.name */
    int64_t generation;
    int slot;
    const char *hostname;
    const char *const *environment; /* NAME=value, NULL-terminated */
    const char *const *command;     /* words, NULL-terminated; NULL: the image's own */
    int64_t cpu_millis;             /* already clamped to the node */
    int64_t memory_bytes;
    int64_t pids_limit;
    int64_t log_max_bytes; /* of one log file of the engine */
    int log_max_files;
    const struct engine_mount *mounts;
    size_t n_mounts;
    const char *network;         /* of engine_network_ensure */
    const char *const *aliases;  /* further names in it, NULL-terminated */
    const char *const *links;    /* NAME:ALIAS: what it alone calls ALIAS is NAME in the network, NULL-terminated */
    const struct engine_port *ports;
    size_t n_ports;
    const char *publish_address; /* of the node, where published ports are bound */
};

/* Makes a container, without starting it: no new privileges, no restart policy of the engine's own,
 * default capabilities only. *container_id is the caller's to free; NULL on anything but ENGINE_OK. When a
 * container of that name with the same instance label is there already, it is taken (ENGINE_OK); while an earlier call is still
 * making it, ENGINE_AWAY. */
enum engine_status engine_container_create(struct engine *engine, const struct engine_container_spec *spec,
                                           char **container_id) __attribute__((warn_unused_result));

/* Idempotent: starting a running one, signalling a dead one, removing a missing one are ENGINE_OK. */
enum engine_status engine_container_start(struct engine *engine, const char *container_id)
    __attribute__((warn_unused_result));
enum engine_status engine_container_signal(struct engine *engine, const char *container_id, const char *signal_name)
    __attribute__((warn_unused_result));
enum engine_status engine_container_remove(struct engine *engine, const char *container_id)
    __attribute__((warn_unused_result)); /* by force, with anonymous volumes */

/* --- networks --- */

/* Makes sure that there is a network of that name (15 characters at most, and unique on the node), with containers of the
 * installation that reach each other by name and, on engines that keep networks apart, nothing of other networks. */
struct engine_network_spec {
    const char *name;
    const char *installation, *namespace_name; /* labels */
    const char *const *members; /* services that it is for alone, NULL-terminated; NULL: it is for all of the namespace */
    bool internal;              /* leads nowhere else, not even to the world */
};
/* Waits a second at most, beside the calls, for another deployer that makes it at the same time. */
enum engine_status engine_network_ensure(struct engine *engine, const struct engine_network_spec *spec)
    __attribute__((warn_unused_result));

/* Puts a container, running or not, into one more network: names and links as in engine_container_spec. ENGINE_OK also when it
 * is in it already; ENGINE_NOT_FOUND: there is no such network; ENGINE_CONFLICT: the container is gone, or being removed. */
enum engine_status engine_network_join(struct engine *engine, const char *network, const char *container_id,
                                       const char *const *aliases, const char *const *links) __attribute__((warn_unused_result));

/* Removes it; ENGINE_OK also when it is not there, ENGINE_CONFLICT while a container is in it. */
enum engine_status engine_network_remove(struct engine *engine, const char *name) __attribute__((warn_unused_result));

/* The same, and takes out what is in it first. */
enum engine_status engine_network_discard(struct engine *engine, const char *name) __attribute__((warn_unused_result));

struct engine_network {
    char *name;
    char **members; /* services that it is for alone, NULL-terminated */
};

struct engine_network_list {
    struct engine_network *items;
    size_t n;
};

/* Finds all networks of the installation that have the service among their members. Nothing to free unless ENGINE_OK. */
enum engine_status engine_network_find_member(struct engine *engine, const char *installation, const char *member,
                                              struct engine_network_list *list) __attribute__((warn_unused_result));
void engine_network_list_free(struct engine_network_list *list);

/* --- volumes --- */

/* Removes all volumes with the labels of this installation and service. */
enum engine_status engine_volume_remove_all(struct engine *engine, const char *installation, const char *service)
    __attribute__((warn_unused_result));

/* --- streams: many at once, driven by one loop; nothing here blocks but engine_loop_wait --- */

/* A loop holds any number of followed logs and questions, and at most one event watch. Owns them all. */
struct engine_loop;
struct engine_stream;
struct engine_loop *engine_loop_create(const struct engine_options *options);
void engine_loop_free(struct engine_loop *loop); /* ends all its streams; accepts NULL */

/* Waits until anything happened to a stream, extra_fd (-1: none) is readable, a signal has come (to be taken by
 * signals_stop(), or no wait waits any more), or ms have passed; callbacks run inside. */
enum engine_status engine_loop_wait(struct engine_loop *loop, int extra_fd, int ms)
    __attribute__((warn_unused_result));

struct engine_log_piece {
    int stream;      /* 1 standard output, 2 standard error */
    int64_t at_ns;   /* engine's time of the piece, since 1970 */
    const char *data; /* without the engine's timestamp; valid during the callback */
    size_t len;
    bool ends_line; /* data ended in a newline (which is not part of it) */
};

struct engine_log_handler {
    void (*piece)(void *context, const struct engine_log_piece *piece);
    /* The stream is over and its memory about to go: ENGINE_OK at the end of the log (the container has ended),
     * ENGINE_NOT_FOUND when the container is gone, ENGINE_AWAY when the connection broke. */
    void (*end)(void *context, enum engine_status status);
    void *context;
};

/* Follows the log of a container, both streams, from since_ns (0: from the start) on, until it ends. */
struct engine_stream *engine_log_follow(struct engine_loop *loop, const char *container_id, int64_t since_ns,
                                        const struct engine_log_handler *handler);

/* Stops reading for a while (the engine then holds the rest back), and goes on. */
void engine_stream_pause(struct engine_stream *stream, bool pause);

/* Ends a stream without calling its end(). */
void engine_stream_close(struct engine_stream *stream);

struct engine_event {
    const char *action; /* start, die, destroy, oom, ... */
    const char *container_id, *service, *instance; /* of the labels; "" when it has none */
};
struct engine_event_handler {
    void (*event)(void *context, const struct engine_event *event);
    void (*end)(void *context, enum engine_status status);
    void *context;
};
/* Watches what happens to the containers of an installation. */
struct engine_stream *engine_events_watch(struct engine_loop *loop, const char *installation,
                                          const struct engine_event_handler *handler);

/* What a running container has used since it was started; counters, but for the memory. */
struct engine_usage {
    int64_t at_ns;  /* when the engine read it, since 1970 */
    int64_t cpu_ns; /* CPU time since it started */
    int64_t cpus;   /* of the node */
    int64_t memory_bytes; /* in use, without page cache */
    int64_t memory_limit_bytes;
    int64_t received_bytes, sent_bytes; /* over all its networks, since it started */
    int64_t received_errors, sent_errors;
};
struct engine_usage_handler {
    /* The one answer, and the end of the stream. usage is NULL on anything but ENGINE_OK; ENGINE_NOT_FOUND: the container is
     * gone, or does not run. */
    void (*done)(void *context, enum engine_status status, const struct engine_usage *usage);
    void *context;
};
/* Asks once what a container has used. */
struct engine_stream *engine_usage_ask(struct engine_loop *loop, const char *container_id,
                                       const struct engine_usage_handler *handler);

#endif
