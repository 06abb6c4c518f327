/* Suites that fork real processes: signals, the master, the listener. No database, no engine. */
#ifndef SKYLARK_TESTS_PROCESS_SUITES_H
#define SKYLARK_TESTS_PROCESS_SUITES_H

void suite_listen(void);
void suite_listener(void);
void suite_signals(void);
void suite_supervisor(void);

#endif
