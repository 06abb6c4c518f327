/* What skylarkctl shows. */
#include "ctl/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns as they fill a terminal: bytes that begin a UTF-8 character. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void print_cell(const char *text, int width, bool last)
{
    fputs(text, stdout);
    for (int pad = width - width_of(text); pad > 0 && !last; pad--)
        putchar(' ');
    fputs(last ? "\n" : "  ", stdout);
}

void output_table(const PGresult *result)
{
    int columns = PQnfields(result), rows = PQntuples(result);
    int *widths = calloc((size_t)columns + 1, sizeof *widths);
    if (rows == 0)
        puts("none");
    /* Each cell is measured once and printed once. Without memory for the widths the columns are not aligned. */
    for (int c = 0; c < columns && widths != NULL; c++) {
        widths[c] = width_of(PQfname(result, c));
        for (int r = 0; r < rows; r++) {
            int w = width_of(db_text(result, r, c));
            widths[c] = w > widths[c] ? w : widths[c];
        }
    }
    for (int r = -1; r < rows && rows > 0; r++) {
        for (int c = 0; c < columns; c++)
            print_cell(r < 0 ? PQfname(result, c) : db_text(result, r, c), widths != NULL ? widths[c] : 0, c == columns - 1);
    }
    free(widths);
}

int output_failure(struct ctl *ctl, enum db_status status)
{
    static const struct {
        const char *constraint, *words;
    } rows[] = {
        {"namespaces_name_key", "that name is taken"},
        {"namespaces_name_check",
         "a name has 1 to 30 lower-case letters, digits and hyphens, with no hyphen at its ends"},
        {"quotas_name_check", "there is no such quota; skylarkctl quota lists them"},
        {"installation_base_domain_check", "base_domain must be a host name in lower case"},
        {"installation_region_name_check", "region_name must be letters, digits, periods, hyphens and underscores"},
        {"installation_region_iaas_check", "region_iaas must be letters, digits, periods, hyphens and underscores"},
    };
    const char *words = status == DB_AWAY ? "PostgreSQL can't be reached" : NULL;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if ((status == DB_CONFLICT || status == DB_REFUSED) && strcmp(db_constraint(ctl->db), rows[i].constraint) == 0)
            words = rows[i].words;
    }
    if (words != NULL && status != DB_AWAY)
        fprintf(stderr, "skylarkctl: %s\n", words);
    else
        fprintf(stderr, "skylarkctl: %s%s%s\n", words != NULL ? words : "", words != NULL ? ": " : "",
                db_message(ctl->db));
    return EXIT_FAILED;
}

int output_query(struct ctl *ctl, unsigned statement, const char *const *params)
{
    int rows;
    return output_query_titled(ctl, NULL, statement, params, NULL, &rows);
}

int output_query_titled(struct ctl *ctl, const char *title, unsigned statement, const char *const *params, const char *missing,
                        int *rows)
{
    PGresult *result;
    *rows = 0;
    enum db_status status = db_run(ctl->db, statement, params, &result);
    if (status != DB_OK)
        return output_failure(ctl, status);
    *rows = PQntuples(result);
    if (*rows == 0 && missing != NULL) {
        PQclear(result);
        fprintf(stderr, "skylarkctl: %s\n", missing);
        return EXIT_FAILED;
    }
    if (title != NULL)
        puts(title);
    output_table(result);
    PQclear(result);
    return 0;
}

int output_change(struct ctl *ctl, unsigned statement, const char *const *params, const char *done,
                  const char *missing)
{
    long affected;
    enum db_status status = db_execute(ctl->db, statement, params, &affected);
    if (status != DB_OK)
        return output_failure(ctl, status);
    if (affected == 0) {
        fprintf(stderr, "skylarkctl: %s\n", missing);
        return EXIT_FAILED;
    }
    puts(done);
    return 0;
}
