/* Every suite of the unit tests, one a module; main.c runs them all. */
#ifndef SKYLARK_TESTS_UNIT_SUITES_H
#define SKYLARK_TESTS_UNIT_SUITES_H

void suite_access(void);
void suite_check(void);
void suite_condition(void);
void suite_config(void);
void suite_arena(void);
void suite_collector(void);
void suite_docker(void);
void suite_fields(void);
void suite_form(void);
void suite_fuzz(void);
void suite_json_read(void);
void suite_json_space(void);
void suite_log_cursor(void);
void suite_metrics(void);
void suite_nginx(void);
void suite_pace(void);
void suite_plan(void);
void suite_problem(void);
void suite_query(void);
void suite_reference(void);
void suite_route(void);
void suite_router(void);
void suite_statement_use(void);
void suite_text(void);

/* Runs, as a program of its own, tests that go wrong in every way; suite_check looks at what comes of them. */
int check_watched(void);

#endif
