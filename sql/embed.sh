#!/bin/sh
# Turns the files of sql/ into C at build time, so that C holds no SQL text.
#   embed.sh statements PREFIX DIRECTORY NAME OUT   -> OUT.h, OUT.c: enum NAME_statement, NAME_statements[], and for each
#       statement enums of its parameters (PREFIX_STATEMENT_P_…), its columns (…_C_…) or what it copies (…_F_…)
#   embed.sh schema OUT                             -> OUT.h, OUT.c: db_tables[], db_definitions[], roles, bootstrap, reset
set -eu
cd "$(dirname "$0")/.."

# A file as a C string literal, a line a line.
literal() {
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/        "/' -e 's/$/\\n"/' "$1"
}

# A statement's file starts with comment lines: "-- hot" if a test is to hold its plan to an index, "-- one row" if it returns one
# row whatever is in the tables and anything else is an error, what the statement is for, "-- parameters: a, b" with a name for $1,
# $2, …, and "-- columns: x, y" with the names that its rows' columns bear. A COPY has "-- fields: a, b" instead, the columns that it
# stores. Each list may go on in a further line of the same kind. C knows parameters, columns and fields by these names only.
statements() {
    prefix=$1 directory=$2 name=$3 out=$4
    set --
    for file in "$directory"/*.sql; do
        [ ! -e "$file" ] || set -- "$@" "$file"
    done
    awk -v prefix="$prefix" -v directory="$directory" -v name="$name" -v header="$out.h.new" -v source="$out.c.new" '
    function fail(text) {
        print path ": " text > "/dev/stderr"
        failed = 1
        exit 1
    }
    # Adds the names of a list to names[from + 1 …] and returns how many there are now.
    function names_add(names, from, list,    parts, n, i) {
        n = split(list, parts, /, */)
        for (i = 1; i <= n; i++) {
            if (parts[i] !~ /^[a-z][a-z0-9_]*$/)
                fail("\"" parts[i] "\" is no name of a parameter or column")
            names[from + i] = parts[i]
        }
        return from + n
    }
    function enum_print(letter, names, n,    i) {
        if (n == 0)
            return
        print "enum {" > header
        for (i = 1; i <= n; i++)
            print "    " id "_" letter "_" toupper(names[i]) "," > header
        print "    " id "_" letter "__MAX\n};" > header
    }
    function list_print(member, names, count, n,    i) {
        if (n == 0)
            return
        printf "        .%s = (const char *const[]){", member > source
        for (i = 1; i <= n; i++)
            printf "%s\"%s\"", (i == 1 ? "" : ", "), names[i] > source
        printf "},\n        .%s = %d,\n", count, n > source
    }
    # Writes the statement that was read.
    function finish(    base) {
        if (path == "")
            return
        if (highest != n_parameters)
            fail("names " n_parameters " parameters, and its highest is $" highest)
        copied = ""
        if (sql ~ /^ *COPY /) {
            copied = sql
            sub(/^[^(]*\(/, "", copied)
            sub(/\).*/, "", copied)
            gsub(/, +/, ", ", copied)
        }
        if (copied != fields_named)
            fail("its fields are \"" copied "\", and it names \"" fields_named "\"")
        n_fields = names_add(fields, 0, fields_named)
        base = path
        sub(/.*\//, "", base)
        sub(/\.sql$/, "", base)
        id = prefix "_" toupper(base)
        ids[++n_ids] = id
        enum_print("P", parameters, n_parameters)
        enum_print("C", columns, n_columns)
        enum_print("F", fields, n_fields)
        print "    [" id "] = {\n        .name = \"" name "/" base "\",\n        .hot = " (hot ? "true" : "false") "," > source
        print "        .one_row = " (one_row ? "true" : "false") "," > source
        list_print("parameters", parameters, "n_params", n_parameters)
        list_print("columns", columns, "n_columns", n_columns)
        print "        .sql =\n" text "    }," > source
    }
    BEGIN {
        made = "/* Made by sql/embed.sh from " directory ": edit the files there. */"
        guard = "SKYLARK_GEN_" toupper(name) "_STATEMENTS_H"
        print made "\n#ifndef " guard "\n#define " guard "\n\n#include \"common/db.h\"\n" > header
        print made "\n#include \"gen/" name "_statements.h\"\n" > source
        print "const struct db_statement " name "_statements[" prefix "__MAX] = {" > source
    }
    FNR == 1 {
        finish()
        path = FILENAME
        hot = $0 == "-- hot"
        one_row = 0
        text = sql = fields_named = ""
        n_parameters = n_columns = highest = 0
        in_head = 1
    }
    {
        in_head = in_head && /^--/
        if (in_head && $0 == "-- one row")
            one_row = 1
        if (in_head && /^-- parameters: /)
            n_parameters = names_add(parameters, n_parameters, substr($0, 16))
        if (in_head && /^-- columns: /)
            n_columns = names_add(columns, n_columns, substr($0, 13))
        if (in_head && /^-- fields: /)
            fields_named = fields_named (fields_named == "" ? "" : ", ") substr($0, 12)
        rest = $0
        if (rest ~ /^[ \t]*--/)
            rest = ""
        sql = sql rest " "
        while (match(rest, /\$[0-9]+/)) {
            if (substr(rest, RSTART + 1, RLENGTH - 1) + 0 > highest)
                highest = substr(rest, RSTART + 1, RLENGTH - 1) + 0
            rest = substr(rest, RSTART + RLENGTH)
        }
        line = $0
        gsub(/["\\]/, "\\\\&", line)
        text = text "        \"" line "\\n\"\n"
    }
    END {
        if (failed)
            exit 1
        finish()
        print "};" > source
        print "\nenum " name "_statement {" > header
        for (i = 1; i <= n_ids; i++)
            print "    " ids[i] "," > header
        print "    " prefix "__MAX\n};\n\nextern const struct db_statement " name "_statements[" prefix "__MAX];\n\n#endif" > header
    }' "$@" </dev/null
    mv "$out.h.new" "$out.h"
    mv "$out.c.new" "$out.c"
}

# The topics of sql/definitions/ in an order in which each stands after those that its line "-- after: topics" names.
definitions_order() {
    for file in sql/definitions/*.sql; do
        topic=$(basename "$file" .sql)
        printf '%s %s\n' "$topic" "$topic" # known to tsort, even when nothing is before or after it
        for before in $(sed -n 's/^-- after: //p' "$file"); do
            if [ ! -e "sql/definitions/$before.sql" ]; then
                echo "$file: there is no topic $before" >&2
                exit 1
            fi
            printf '%s %s\n' "$before" "$topic"
        done
    done >"$1"
    tsort "$1"
    rm -f "$1"
}

schema() {
    out=$1
    {
        printf '/* Made by sql/embed.sh from sql/: edit the files there. */\n'
        printf '#ifndef SKYLARK_GEN_SCHEMA_H\n#define SKYLARK_GEN_SCHEMA_H\n\n#include <stddef.h>\n\n'
        printf '/* sql/tables/, in order */\nstruct db_tables_file {\n    int version;\n    const char *name;\n    const char *checksum; /* SHA-256 of the file, in hex */\n    const char *sql;\n};\n\n'
        printf '/* sql/definitions/, in an order in which they can be applied */\nstruct db_definitions_file {\n    const char *name;\n    const char *sql;\n};\n\n'
        printf 'extern const struct db_tables_file db_tables[];\nextern const size_t db_n_tables;\n'
        printf 'extern const struct db_definitions_file db_definitions[];\nextern const size_t db_n_definitions;\n'
        printf 'extern const char db_roles_sql[];\nextern const char db_bootstrap_sql[];\nextern const char db_reset_sql[];\n\n#endif\n'
    } >"$out.h.new"
    sums= last=0
    {
        printf '/* Made by sql/embed.sh from sql/: edit the files there. */\n#include "gen/schema.h"\n\n#include "common/db.h"\n\n'
        for part in roles bootstrap reset; do
            printf 'const char db_%s_sql[] =\n' "$part"
            literal "sql/$part.sql"
            printf '        ;\n\n'
        done
        printf 'const struct db_tables_file db_tables[] = {\n'
        for file in sql/tables/*.sql; do
            base=$(basename "$file" .sql)
            version=$(printf %s "${base%%_*}" | sed 's/^0*//')
            if [ "$version" -ne $((last + 1)) ]; then
                echo "sql/tables: $base does not follow number $last" >&2
                exit 1
            fi
            last=$version
            sum=$(sha256sum <"$file" | cut -d ' ' -f 1)
            sums=$sums$sum
            printf '    {\n        .version = %s,\n        .name = "%s",\n        .checksum = "%s",\n        .sql =\n' "$version" "${base#*_}" "$sum"
            literal "$file"
            printf '    },\n'
        done
        printf '};\n\nconst size_t db_n_tables = sizeof db_tables / sizeof db_tables[0];\n'
        printf 'const int db_schema_version = %s;\nconst char db_schema_checksum[] = "%s";\n\n' \
            "$last" "$(printf %s "$sums" | sha256sum | cut -d ' ' -f 1)"
        order=$(definitions_order "$out.order")
        set --
        printf 'const struct db_definitions_file db_definitions[] = {\n'
        for topic in $order; do
            file=sql/definitions/$topic.sql
            set -- "$@" "$file"
            printf '    {\n        .name = "%s",\n        .sql =\n' "$topic"
            literal "$file"
            printf '    },\n'
        done
        printf '};\n\nconst size_t db_n_definitions = sizeof db_definitions / sizeof db_definitions[0];\n'
        printf 'const char db_definitions_checksum[] = "%s";\n' "$(cat sql/reset.sql "$@" | sha256sum | cut -d ' ' -f 1)"
    } >"$out.c.new"
    mv "$out.h.new" "$out.h"
    mv "$out.c.new" "$out.c"
}

"$@"
