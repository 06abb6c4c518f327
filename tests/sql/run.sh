#!/bin/bash
# The tests of the schema and the statements, against a PostgreSQL cluster of their own: in a folder that goes with it, on a
# unix socket only. Run by tests/check.sh, or by hand after `make check-programs`.
set -euo pipefail
ROOT=$(realpath -- "$(dirname -- "$0")/../..")
B=${B:-$ROOT/build}
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
home=$(mktemp -d /tmp/skylark-sql.XXXXXX)
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
finish() {
    as_postgres "$bin/pg_ctl" -D "$home/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$home"
}
trap finish EXIT
chown postgres "$home"
cd "$home"
as_postgres "$bin/initdb" -D "$home/data" -U owner -A trust -E UTF8 --no-locale >"$home/initdb.log"
as_postgres "$bin/pg_ctl" -D "$home/data" -l "$home/log" -w \
    -o "-c listen_addresses= -c unix_socket_directories=$home -c fsync=off -c jit=off" start >/dev/null
export SKYLARK_TEST_PG="host=$home user=owner" SKYLARK_TEST_CTL="$B/skylarkctl" SKYLARK_TEST_BIN="$B"
"$B/tests/sql/run" "$@"
