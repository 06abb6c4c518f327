/* The values of a result. All programs read them here, by the names that sql/embed.sh has made of the statement's columns. */
#include <stdlib.h>

#include "common/buf.h"
#include "common/db.h"

bool db_null(const PGresult *result, int row, int column)
{
    return row >= PQntuples(result) || PQgetisnull(result, row, column) != 0;
}

const char *db_text(const PGresult *result, int row, int column)
{
    return row < PQntuples(result) ? PQgetvalue(result, row, column) : "";
}

size_t db_length(const PGresult *result, int row, int column)
{
    return row < PQntuples(result) ? (size_t)PQgetlength(result, row, column) : 0;
}

int64_t db_int(const PGresult *result, int row, int column)
{
    return strtoll(db_text(result, row, column), NULL, 10);
}

bool db_bool(const PGresult *result, int row, int column)
{
    return db_text(result, row, column)[0] == 't';
}

void db_add(struct buf *b, const PGresult *result, int row, int column)
{
    buf_add(b, db_text(result, row, column), db_length(result, row, column));
}
