#!/bin/bash
# Runs a test program with a PostgreSQL cluster of its own: in a folder that goes with it, on a unix socket only.
#   with_postgres.sh PROGRAM ARGUMENT...    SKYLARK_TEST_PG, SKYLARK_TEST_CTL and SKYLARK_TEST_BIN tell it where things are
# PG_OPTIONS: options of the server, in the place of fsync=off.
# Run by tests/check.sh, or by hand after `make check-programs`.
set -euo pipefail
ROOT=$(realpath -- "$(dirname -- "$0")/../..")
B=${B:-$ROOT/build}
program=$(realpath -- "$1")
shift
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
home=$(mktemp -d /tmp/skylark-sql.XXXXXX)
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
finish() {
    as_postgres "$bin/pg_ctl" -D "$home/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$home"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP
chown postgres "$home"
cd "$home"
as_postgres "$bin/initdb" -D "$home/data" -U owner -A trust -E UTF8 --no-locale >"$home/initdb.log"
as_postgres "$bin/pg_ctl" -D "$home/data" -l "$home/log" -w \
    -o "-c listen_addresses= -c unix_socket_directories=$home -c jit=off ${PG_OPTIONS:--c fsync=off}" start >/dev/null
export SKYLARK_TEST_PG="host=$home user=owner" SKYLARK_TEST_CTL="$B/skylarkctl" SKYLARK_TEST_BIN="$B"
"$program" "$@"
