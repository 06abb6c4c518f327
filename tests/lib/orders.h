/* What instances that run tests/image/obey.c are told: a server to which each of them keeps a connection, so that they sleep until
 * they are told something else. */
#ifndef SKYLARK_TESTS_LIB_ORDERS_H
#define SKYLARK_TESTS_LIB_ORDERS_H

/* From now on all instances that come with that name do this: cpu, memory, file, nothing (also before the first word). Starts the server, at
 * world.orders, when there is none yet; it ends with the process. */
void orders_tell(const char *name, const char *what);

#endif
