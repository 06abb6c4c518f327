/* doctor: checks that a person would make one by one, each with what to do. The checks themselves are the rows of
 * sql/queries/ctl/doctor.sql. */
#include <stdio.h>
#include <string.h>

#include "ctl/output.h"
#include "gen/ctl_statements.h"

int command_doctor(struct ctl *ctl)
{
    if (ctl->argc == 1 && strcmp(ctl->argv[0], "--fix") != 0) {
        fputs("Usage: skylarkctl doctor [--fix]\n", stderr);
        return EXIT_USAGE;
    }
    if (ctl->argc == 1 && schema_fix(ctl) != 0)
        return EXIT_FAILED;
    PGresult *result;
    enum db_status status = db_run(ctl->db, CTL_DOCTOR, NULL, &result);
    if (status != DB_OK) {
        printf("FAIL  database: %s\n", db_message(ctl->db));
        return EXIT_FAILED;
    }
    printf("ok    database: reachable, schema version %d\n", db_schema_version);
    bool failed = false;
    for (int i = 0; i < PQntuples(result); i++) {
        const char *verdict = db_text(result, i, CTL_DOCTOR_C_VERDICT);
        printf("%-4s  %s: %s\n", verdict, db_text(result, i, CTL_DOCTOR_C_SUBJECT),
               db_text(result, i, CTL_DOCTOR_C_FINDING));
        failed = failed || strcmp(verdict, "FAIL") == 0;
    }
    PQclear(result);
    return failed ? EXIT_FAILED : 0;
}
