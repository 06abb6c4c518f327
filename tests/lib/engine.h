/* The container engine as it sees itself: asked over its socket, from C. */
#ifndef SKYLARK_TESTS_LIB_ENGINE_H
#define SKYLARK_TESTS_LIB_ENGINE_H

#include <json-c/json.h>
#include <stdbool.h>

/* A call of the Docker Engine API. body: JSON, or NULL. The answer's document goes to json unless that is NULL; the caller puts it.
 * Returns the status, 0 when the engine does not answer. path is printf's. */
long engine_call(const char *method, const char *body, struct json_object **json, const char *path, ...) __attribute__((format(printf, 4, 5)));

/* Containers, networks or volumes that have all these labels ("a=b c=d", separated by blanks; "": any): how many there are, -1 when
 * the engine does not answer. The list goes to json unless that is NULL; the caller puts it. Containers: running ones, or all. */
int engine_list_containers(const char *labels, bool all, struct json_object **json);
int engine_networks(const char *labels, struct json_object **json);
int engine_volumes(const char *labels, struct json_object **json);

/* Containers of a service, as engine_list_containers(). */
int engine_containers(const char *space, const char *service, bool all, struct json_object **json);

/* A running container. */
struct engine_container {
    char id[80], name[160];
    char label_instance[40], image[200];
    int generation;
    char address[48]; /* in one of its networks; "" when it is in none */
};

/* The running container of a service of that name, in whatever namespace; of one slot, or -1 for any. Returns whether there is one. */
bool engine_find(const char *service, int slot, struct engine_container *container);

/* All addresses of a container, in whatever networks it is: returns how many. */
int engine_addresses(const char *id, char (*addresses)[48], int max);

/* SIGKILL. Returns whether the engine did it. */
bool engine_kill(const char *id);
/* Kills one running container of the service (any slot: -1); its id goes to id (80 bytes) unless that is NULL. */
bool engine_kill_one(const char *service, int slot, char *id);

/* Runs a command (up to a NULL) in a container. Returns what it printed, on both streams, which the caller frees; its exit status
 * goes to status unless that is NULL, -1 when it did not run. */
char *engine_exec(const char *id, int *status, const char *const *command);

#endif
