/* What every program of the tests' image answers on CONTROL_PORT, so that a test looks out of an instance with one HTTP request:
 *
 *     GET /reach?host=NAME&port=N&ms=N     connects to it over TCP, sends "x", and answers with the line that comes back, or why none
 *     GET /go                              lets control_wait() go on */
#ifndef SKYLARK_TESTS_IMAGE_CONTROL_H
#define SKYLARK_TESTS_IMAGE_CONTROL_H

enum { CONTROL_PORT = 8901 };

/* Starts answering, in threads of its own. Does nothing when CONTROL is "off" in the environment. */
void control_start(void);

/* Waits for one more GET /go. */
void control_wait(void);

#endif
