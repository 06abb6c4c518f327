#!/bin/bash
# Fills in a template: each @NAME@ becomes the value given for it, as plain text, in one pass.
#   local/render.sh NAME=VALUE... <template >file
# Values may hold only characters that mean nothing to nginx; an unknown or unused name is an error.
set -euo pipefail
for pair; do
    [[ $pair =~ ^[A-Z_]+=[][A-Za-z0-9._/:*,\ +-]*$ ]] || { printf 'render: bad value: %s\n' "$pair" >&2; exit 1; }
done
exec awk '
BEGIN {
    for (i = 1; i < ARGC; i++) {
        at = index(ARGV[i], "=")
        value[substr(ARGV[i], 1, at - 1)] = substr(ARGV[i], at + 1)
    }
    ARGC = 1
}
{
    line = $0
    out = ""
    while (match(line, /@[A-Z_]+@/)) {
        name = substr(line, RSTART + 1, RLENGTH - 2)
        if (!(name in value)) {
            printf "render: line %d: no value for %s\n", NR, name > "/dev/stderr"
            bad = 1
            exit 1
        }
        used[name] = 1
        out = out substr(line, 1, RSTART - 1) value[name]
        line = substr(line, RSTART + RLENGTH)
    }
    print out line
}
END {
    if (bad) exit 1
    for (name in value) if (!(name in used)) {
        printf "render: %s is not in the template\n", name > "/dev/stderr"
        exit 1
    }
}' "$@"
