#!/bin/bash
# Passes all tests. Settings, from the environment:
#   SAN=1            everything is built and run with AddressSanitizer and UBSan; any report of theirs fails the run
#   PARTS="unit …"   only these parts (unit process sql database simulate autoscaler hostile http e2e stop)
#   KEEP=1           a failed run leaves its state folder for you to look at
#   ONLY="word …"    of http and e2e only the tests whose names contain one of the words
# Each part prints the line "N passed, N failed", and exits with 0 when all is well. The last
# line adds them up: "N passed, N failed", in test cases; a part that broke off or did not run counts as failed.
#
# Everything runs in network, process and mount namespaces of its own: any port is free, nothing of it is seen
# from outside, and when it ends or is interrupted nothing of it stays.
set -euo pipefail
ROOT=$(realpath -- "$(dirname -- "$0")/..")
ALL='unit process sql database simulate autoscaler hostile http e2e stop' # the cheap ones first
PARTS=${PARTS:-$ALL}

say() { printf '%s\n' "$*"; }

# --- outside: what is missing, the build, the namespaces ---------------------------------------------------
if [ "${1:-}" != --inside ]; then
    exec </dev/null
    work='' runner=''
    finish() {
        local status=$?
        trap - EXIT
        # Everything inside dies with its first process, and that with unshare.
        [ -z "$runner" ] || kill -KILL "$runner" 2>/dev/null || true
        [ -z "$runner" ] || wait "$runner" 2>/dev/null || true
        if [ -n "$work" ] && { [ "$status" = 0 ] || [ -z "${KEEP:-}" ]; }; then
            ${SUDO:-} rm -rf --one-file-system -- "$work"
        elif [ -n "$work" ]; then
            say "the state is in $work"
        fi
        exit "$status"
    }
    trap finish EXIT
    trap 'exit 130' INT TERM HUP

    "$ROOT/local/deps.sh" run check
    case ${MAKEFLAGS:-} in *jobserver*) jobs= ;; *) jobs=-j$(nproc) ;; esac
    make -C "$ROOT" --no-print-directory -s $jobs SAN="${SAN:-}" all check-programs
    SUDO=
    [ "$(id -u)" = 0 ] || SUDO=sudo
    work=$(mktemp -d /tmp/skylark-check.XXXXXX)
    chmod 755 "$work"
    $SUDO unshare --net --pid --mount --fork --kill-child --mount-proc \
        env SAN="${SAN:-}" PARTS="$PARTS" ONLY="${ONLY:-}" "$0" --inside "$work" &
    runner=$!
    status=0
    wait "$runner" || status=$?
    runner=
    exit "$status"
fi

# --- inside ------------------------------------------------------------------------------------------------
WORK=$2
B=build
[ -z "${SAN:-}" ] || B=build-san
B=$ROOT/$B
LOGS=$B/check
export ROOT B WORK SAN PARTS ONLY
unset MAKEFLAGS MFLAGS MAKELEVEL
cd "$ROOT"
ip link set lo up
rm -rf "$LOGS"
mkdir -p "$LOGS"
passed=0 failed=0 broken=''

# Reports of sanitizers go to files, whoever the process runs as.
if [ -n "$SAN" ]; then
    mkdir -m 1777 "$WORK/sanitizer"
    export ASAN_OPTIONS="log_path=$WORK/sanitizer/report:detect_leaks=1:abort_on_error=0:exitcode=99"
    export UBSAN_OPTIONS="log_path=$WORK/sanitizer/report:print_stacktrace=1"
fi

# A part's counts: its lines "N passed, N failed", and CUnit's own summaries ("tests  Total Ran Passed Failed Inactive").
count() {
    awk '
    $1 == "tests" && NF >= 5 && $2 ~ /^[0-9]+$/ { passed += $4; failed += $5 + $6; next }
    /^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3 }
    END { print passed + 0, failed + 0 }' "$1"
}

# part NAME SECONDS COMMAND...: runs it unless it is not asked for.
part() {
    local name=$1 seconds=$2 status=0 good bad started=$SECONDS log=$LOGS/$1.log
    shift 2
    case " $PARTS " in *" $name "*) ;; *) return 0 ;; esac
    [ -z "$SAN" ] || seconds=$((seconds * 2)) # sanitizers cost time
    timeout --kill-after=20 "$seconds" "$@" >"$log" 2>&1 || status=$?
    read -r good bad < <(count "$log")
    if [ $((good + bad)) = 0 ] || { [ "$status" != 0 ] && [ "$bad" = 0 ]; }; then
        bad=$((bad + 1))
        broken+=" $name"
        case $status in
        124 | 137) echo "not done after $seconds s" >>"$log" ;;
        *) echo "ended with status $status" >>"$log" ;;
        esac
    fi
    passed=$((passed + good)) failed=$((failed + bad))
    printf '%-10s %4d passed %4d failed %5d s\n' "$name" "$good" "$bad" $((SECONDS - started))
    if [ "$bad" != 0 ]; then
        grep -E '^ +[0-9]+\. |FAIL|ERROR:' "$log" | head -n 60 || true
        tail -n 15 "$log"
        return 1
    fi
}

# What it left of the state folder's logs is kept with the parts' own.
keep_logs() {
    [ ! -d "$WORK/var/log" ] || cp -r "$WORK/var/log" "$LOGS/var-log" 2>/dev/null || true
}

part unit 300 "$B/tests/unit/run" || true
part process 600 "$B/tests/process/run" || true
part sql 900 tests/lib/with_postgres.sh "$B/tests/sql/run" || true
part database 900 tests/lib/with_postgres.sh "$B/tests/database/run" ${ONLY:-} || true
part simulate 900 tests/lib/with_postgres.sh "$B/tests/simulate/run" || true
part autoscaler 600 tests/lib/with_postgres.sh "$B/tests/autoscaler/run" || true

case " $PARTS " in
*' hostile '* | *' http '* | *' e2e '* | *' stop '*)
    if tests/lib/fixture.sh up >"$LOGS/up.log" 2>&1; then
        . "$WORK/env"
        part hostile 600 "$B/tests/hostile/run" ${ONLY:-} || true
        part http 600 "$B/tests/http/run" ${ONLY:-} || true
        part e2e 3000 "$B/tests/e2e/run" ${ONLY:-} || true
        keep_logs
        part stop 300 tests/lib/fixture.sh down || true
    else
        keep_logs
        tail -n 40 "$LOGS/up.log"
        say 'the whole product did not come up; http, e2e and stop did not run'
        failed=$((failed + 3)) broken+=' up'
    fi
    ;;
esac

if [ -n "$SAN" ]; then
    reports=$(find "$WORK/sanitizer" -type f -size +0 | wc -l)
    if [ "$reports" -gt 0 ]; then
        cp -r "$WORK/sanitizer" "$LOGS/"
        say "$reports reports of sanitizers, in $LOGS/sanitizer:"
        head -qn 12 "$WORK"/sanitizer/report* | head -n 60
        failed=$((failed + reports))
    else
        passed=$((passed + 1)) # a case of its own: no report
    fi
fi
[ -z "$broken" ] || say "did not come to their end:$broken"
[ "$(stat -c %u "$ROOT")" = 0 ] || chown -R "$(stat -c %u:%g "$ROOT")" "$LOGS" # run through sudo
say "$passed passed, $failed failed"
[ "$failed" = 0 ]
