#!/bin/sh
# Turns the files of sql/ into C at build time, so that C holds no SQL text.
#   embed.sh statements PREFIX DIRECTORY NAME OUT   -> OUT.h, OUT.c: enum NAME_statement, NAME_statements[]
#   embed.sh migrations OUT                         -> OUT.h, OUT.c: db_migrations[], roles, bootstrap
set -eu
cd "$(dirname "$0")/.."

# A file as a C string literal, a line a line.
literal() {
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/        "/' -e 's/$/\\n"/' "$1"
}

statements() {
    prefix=$1 directory=$2 name=$3 out=$4
    guard=SKYLARK_GEN_$(printf %s "$name" | tr a-z A-Z)_STATEMENTS_H
    {
        printf '/* Made by sql/embed.sh from %s: edit the files there. */\n' "$directory"
        printf '#ifndef %s\n#define %s\n\n#include "common/db.h"\n\nenum %s_statement {\n' "$guard" "$guard" "$name"
        for file in "$directory"/*.sql; do
            [ -e "$file" ] || continue
            printf '    %s_%s,\n' "$prefix" "$(basename "$file" .sql | tr a-z A-Z)"
        done
        printf '    %s__MAX\n};\n\nextern const struct db_statement %s_statements[%s__MAX];\n\n#endif\n' "$prefix" "$name" "$prefix"
    } >"$out.h.new"
    {
        printf '/* Made by sql/embed.sh from %s: edit the files there. */\n#include "gen/%s_statements.h"\n\n' "$directory" "$name"
        printf 'const struct db_statement %s_statements[%s__MAX] = {\n' "$name" "$prefix"
        for file in "$directory"/*.sql; do
            [ -e "$file" ] || continue
            base=$(basename "$file" .sql)
            n=$(sed 's/^[[:space:]]*--.*//' "$file" | grep -o '\$[0-9][0-9]*' | tr -d '$' | sort -n | tail -n 1)
            hot=false
            head -n 1 "$file" | grep -q '^-- hot$' && hot=true
            printf '    [%s_%s] = {\n        .name = "%s/%s",\n        .n_params = %s,\n        .hot = %s,\n        .sql =\n' \
                "$prefix" "$(printf %s "$base" | tr a-z A-Z)" "$name" "$base" "${n:-0}" "$hot"
            literal "$file"
            printf '    },\n'
        done
        printf '};\n'
    } >"$out.c.new"
    mv "$out.h.new" "$out.h"
    mv "$out.c.new" "$out.c"
}

migrations() {
    out=$1
    {
        printf '/* Made by sql/embed.sh from sql/: edit the files there. */\n'
        printf '#ifndef SKYLARK_GEN_MIGRATIONS_H\n#define SKYLARK_GEN_MIGRATIONS_H\n\n#include <stddef.h>\n\n'
        printf 'struct db_migration {\n    int version;\n    const char *name;\n    const char *checksum; /* SHA-256 of the file, in hex */\n    const char *sql;\n};\n\n'
        printf 'extern const struct db_migration db_migrations[];\nextern const size_t db_n_migrations;\n'
        printf 'extern const char db_roles_sql[];\nextern const char db_bootstrap_sql[];\n\n#endif\n'
    } >"$out.h.new"
    sums= last=0
    {
        printf '/* Made by sql/embed.sh from sql/: edit the files there. */\n#include "gen/migrations.h"\n\n#include "common/db.h"\n\n'
        printf 'const char db_roles_sql[] =\n'
        literal sql/roles.sql
        printf '        ;\n\nconst char db_bootstrap_sql[] =\n'
        literal sql/bootstrap.sql
        printf '        ;\n\nconst struct db_migration db_migrations[] = {\n'
        for file in sql/migrations/*.sql; do
            base=$(basename "$file" .sql)
            version=$(printf %s "${base%%_*}" | sed 's/^0*//')
            if [ "$version" -ne $((last + 1)) ]; then
                echo "sql/migrations: $base does not follow number $last" >&2
                exit 1
            fi
            last=$version
            sum=$(sha256sum <"$file" | cut -d ' ' -f 1)
            sums=$sums$sum
            printf '    {\n        .version = %s,\n        .name = "%s",\n        .checksum = "%s",\n        .sql =\n' "$version" "${base#*_}" "$sum"
            literal "$file"
            printf '    },\n'
        done
        printf '};\n\nconst size_t db_n_migrations = sizeof db_migrations / sizeof db_migrations[0];\n'
        printf 'const int db_schema_version = %s;\nconst char db_schema_checksum[] = "%s";\n' \
            "$last" "$(printf %s "$sums" | sha256sum | cut -d ' ' -f 1)"
    } >"$out.c.new"
    mv "$out.h.new" "$out.h"
    mv "$out.c.new" "$out.c"
}

"$@"
