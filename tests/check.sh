#!/bin/bash
# Passes all tests. Settings, from the environment:
#   SAN=1            everything is built and run with AddressSanitizer and UBSan; any report of theirs fails the run
#   PARTS="unit …"   only these parts, of the table below
#   KEEP=1           a failed run leaves its state folder for you to look at
#   ONLY="word …"    of http and e2e only the tests whose names contain one of the words
# Each part prints the line "N passed, N failed", and exits with 0 when all is well. The last
# line adds them up: "N passed, N failed", in test cases; a part that broke off or did not run counts as failed.
#
# The parts run in lanes, side by side, since most of them mostly wait: what needs no installation; the HTTP contract and the first
# half of the end-to-end tests; the second half, with an installation of its own. Every lane runs in network, process and mount
# namespaces of its own: any port is free, nothing of it is seen from outside, and when it ends or is interrupted nothing of
# it stays.
set -euo pipefail
ROOT=$(realpath -- "$(dirname -- "$0")/..")
# A part a line: its name, its lane, what its program needs besides (-: nothing, pg: a PostgreSQL, 1 or 2: the half of the suites that it
# runs), its program, and its deadline in seconds. That is for what hangs: several times what the part takes when nothing else runs.
# Of a lane other than plain only the tests that ONLY names are run. A part e2e-1 is asked for as e2e, too. The part stop looks at what
# the end of an installation leaves.
TABLE='
unit        plain   -   unit/run        1200
process     plain   -   process/run     1200
sql         plain   pg  sql/run         3000
database    plain   pg  database/run    3000
simulate    plain   pg  simulate/run    3000
autoscaler  plain   pg  autoscaler/run  3000
http        first   -   http/run        3000
e2e-1       first   1   e2e/run         3000
hostile     second  -   hostile/run     3000
e2e-2       second  2   e2e/run         3000
'
LANES='plain first second'

say() { printf '%s\n' "$*"; }
asked() { # NAME: whether the part is
    [ -z "${PARTS:-}" ] || [[ " $PARTS " == *" $1 "* ]] || [[ $1 == *-? && " $PARTS " == *" ${1%-?} "* ]]
}
# rows LANE: the parts of a lane that are asked for and have tests that are, as in the table.
rows() {
    local name lane needs program seconds
    while read -r name lane needs program seconds; do
        [ "$lane" = "$1" ] && asked "$name" || continue
        [ "$lane" = plain ] || [ -n "$(HALF=$needs "$B/tests/$program" --list ${ONLY:-})" ] || continue
        echo "$name $lane $needs $program $seconds"
    done <<<"$TABLE"
}

# --- outside: what is missing, the build, the lanes, the sum -----------------------------------------------
if [ "${1:-}" != --lane ]; then
    exec </dev/null
    work='' runners=''
    finish() {
        local status=$?
        trap - EXIT
        # Everything inside dies with its first process, and that with unshare.
        [ -z "$runners" ] || kill -KILL $runners 2>/dev/null || true
        [ -z "$runners" ] || wait $runners 2>/dev/null || true
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
    unset MAKEFLAGS MFLAGS MAKELEVEL
    SUDO=
    [ "$(id -u)" = 0 ] || SUDO=sudo
    B=$ROOT/build
    [ -z "${SAN:-}" ] || B=$ROOT/build-san
    LOGS=$B/check
    rm -rf "$LOGS" 2>/dev/null || $SUDO rm -rf -- "$LOGS"
    mkdir -p "$LOGS"
    work=$(mktemp -d /tmp/skylark-check.XXXXXX)
    chmod 755 "$work"
    [ -z "${SAN:-}" ] || mkdir -m 1777 "$work/sanitizer"

    lane_wanted() { [ -n "$(rows "$1")" ] || { [ "$1" = first ] && asked stop; }; }
    for lane in $LANES; do
        lane_wanted "$lane" || continue
        mkdir -p "$work/$lane"
        $SUDO unshare --net --pid --mount --fork --kill-child --mount-proc \
            env SAN="${SAN:-}" PARTS="${PARTS:-}" ONLY="${ONLY:-}" CHECK_PATIENCE="${CHECK_PATIENCE:-}" B="$B" LOGS="$LOGS" \
            "$0" --lane "$lane" "$work" &
        runners+=" $!"
    done
    [ -n "$runners" ] || { say "nothing of this is there: PARTS=\"${PARTS:-}\" ONLY=\"${ONLY:-}\""; exit 1; }
    wait $runners || true
    runners=

    passed=0 failed=0 broken=''
    for lane in $LANES; do
        [ -d "$work/$lane" ] || continue
        if [ -s "$work/$lane/counts" ]; then
            while read -r name good bad state; do
                passed=$((passed + good)) failed=$((failed + bad))
                [ "$state" = whole ] || broken+=" $name"
            done <"$work/$lane/counts"
        fi
        [ -e "$work/$lane/ended" ] || { failed=$((failed + 1)) broken+=" $lane"; }
    done
    if [ -n "${SAN:-}" ]; then
        reports=$(find "$work/sanitizer" -type f -size +0 | wc -l)
        if [ "$reports" -gt 0 ]; then
            cp -r "$work/sanitizer" "$LOGS/"
            say "$reports reports of sanitizers, in $LOGS/sanitizer:"
            head -qn 12 "$work"/sanitizer/report* | head -n 60
            failed=$((failed + reports))
        else
            passed=$((passed + 1)) # a case of its own: no report
        fi
    fi
    # Once more where one looks first.
    [ "$failed" = 0 ] || grep -hoE 'FAILED: .*' "$LOGS"/*.log | head -n 40 || true
    [ -z "$broken" ] || say "did not come to their end:$broken"
    [ "$(stat -c %u "$ROOT")" = "$(id -u)" ] || [ -z "$SUDO" ] || $SUDO chown -R "$(id -u):$(id -g)" "$LOGS"
    [ "$(stat -c %u "$ROOT")" = 0 ] || [ "$(id -u)" != 0 ] || chown -R "$(stat -c %u:%g "$ROOT")" "$LOGS" # run through sudo
    say "$passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
fi

# --- inside a lane -----------------------------------------------------------------------------------------
LANE=$2
SHARED=$3
WORK=$SHARED/$LANE
export ROOT B WORK SHARED SAN PARTS ONLY
[ -n "${CHECK_PATIENCE:-}" ] || unset CHECK_PATIENCE
cd "$ROOT"
ip link set lo up

# Reports of sanitizers go to files, whoever the process runs as.
if [ -n "$SAN" ]; then
    export ASAN_OPTIONS="log_path=$SHARED/sanitizer/report:detect_leaks=1:abort_on_error=0:exitcode=99"
    export UBSAN_OPTIONS="log_path=$SHARED/sanitizer/report:print_stacktrace=1"
    export CHECK_PATIENCE=${CHECK_PATIENCE:-9}
fi

# A part's counts: its lines "N passed, N failed", and CUnit's own summaries ("tests  Total Ran Passed Failed Inactive").
count() {
    awk '
    $1 == "tests" && NF >= 5 && $2 ~ /^[0-9]+$/ { passed += $4; failed += $5 + $6; next }
    /^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3 }
    END { print passed + 0, failed + 0 }' "$1"
}

# The seconds of each test: its line begins with "  SUITE: NAME ...", and ends, or a later one does if the test prints something, with "N s".
seconds_of() {
    awk '
    match($0, /^  [^ ].*: .* \.\.\./) { name = substr($0, 1, RLENGTH) }
    name != "" && / [0-9]+\.[0-9]+ s$/ { printf "%8.2f s%s\n", $(NF - 1), substr(name, 2, length(name) - 5); name = "" }' "$1"
}
failures_of() { grep -E '^ +[0-9]+\. |FAIL|ERROR:' "$1" | head -n 60 || true; }

# part NAME SECONDS COMMAND...: runs it. The deadline is for what hangs: several times what it takes when nothing else runs.
part() {
    local name=$1 seconds=$2 status=0 good bad state=whole started=$SECONDS log=$LOGS/$1.log
    shift 2
    [ -z "$SAN" ] || seconds=$((seconds * 3)) # sanitizers cost time
    timeout --kill-after=20 "$seconds" "$@" 7<&- >"$log" 2>&1 || status=$?
    read -r good bad < <(count "$log")
    if [ $((good + bad)) = 0 ] || { [ "$status" != 0 ] && [ "$bad" = 0 ]; }; then
        bad=$((bad + 1)) state=broken
        case $status in
        124 | 137) echo "not done after $seconds s" >>"$log" ;;
        *) echo "ended with status $status" >>"$log" ;;
        esac
    fi
    echo "$name $good $bad $state" >>"$WORK/counts"
    { # at once, so that what lanes print does not mix
        printf '%-10s %4d passed %4d failed %5d s\n' "$name" "$good" "$bad" $((SECONDS - started))
        seconds_of "$log"
        if [ "$bad" != 0 ]; then
            failures_of "$log"
            tail -n 15 "$log"
        fi
    } >"$WORK/said"
    cat "$WORK/said"
}
# The parts of this lane.
parts() {
    local name lane needs program seconds
    while read -r name lane needs program seconds <&7; do
        case $lane:$needs in
        plain:pg) part "$name" "$seconds" tests/lib/with_postgres.sh "$B/tests/$program" ;;
        plain:*) part "$name" "$seconds" "$B/tests/$program" ;;
        *) HALF=$needs part "$name" "$seconds" "$B/tests/$program" ${ONLY:-} ;;
        esac
    done 7< <(rows "$LANE")
}

# What the installation left of its logs is kept with the parts' own.
keep_logs() {
    [ ! -d "$WORK/var/log" ] || cp -r "$WORK/var/log" "$LOGS/var-log-$LANE" 2>/dev/null || true
}

case $LANE in
plain) parts ;;
*)
    if tests/lib/fixture.sh up >"$LOGS/up-$LANE.log" 2>&1; then
        . "$WORK/env"
        parts
        keep_logs
        part "stop-$LANE" 600 tests/lib/fixture.sh down
    else
        keep_logs
        tail -n 40 "$LOGS/up-$LANE.log"
        say "the installation of lane $LANE did not come up; its parts did not run"
        echo "up-$LANE 0 3 broken" >>"$WORK/counts"
    fi
    ;;
esac
: >"$WORK/ended"
