# What the measurements share: namespaces of their own, as in tests/check.sh, so that nothing is in the way and nothing stays.
# Sourced first.
# shellcheck shell=bash
set -euo pipefail
ROOT=$(realpath -- "$(dirname -- "${BASH_SOURCE[0]}")/..")
unset MAKEFLAGS MFLAGS MAKELEVEL

# Runs the script that called it once more, inside; returns there only, with WORK set. SETTINGS: NAME=value words that it takes
# with it.
bench_inside() {
    if [ "${1:-}" = --inside ]; then
        WORK=$2
        ip link set lo up
        return
    fi
    exec </dev/null
    "$ROOT/local/deps.sh" run check bench
    make -C "$ROOT" --no-print-directory -s -j"$(nproc)" all
    work=$(mktemp -d /tmp/skylark-bench.XXXXXX) runner=''
    chmod 755 "$work"
    SUDO=
    [ "$(id -u)" = 0 ] || SUDO=sudo
    trap bench_finish EXIT
    trap 'exit 130' INT TERM HUP
    $SUDO unshare --net --pid --mount --fork --kill-child --mount-proc env "${SETTINGS[@]}" "$0" --inside "$work" &
    runner=$!
    status=0
    wait "$runner" || status=$?
    runner=
    exit "$status"
}
bench_finish() {
    local status=$?
    trap - EXIT
    [ -z "$runner" ] || { kill -KILL "$runner" 2>/dev/null && wait "$runner" 2>/dev/null; } || true
    $SUDO rm -rf --one-file-system -- "$work"
    exit "$status"
}

# Brings up a whole Skylark with an engine of its own.
bench_up() {
    export SKYLARK_VAR=$WORK/var SKYLARK_ENGINE=private SKYLARK_REQUEST_RATE=100000
    "$ROOT/local/run" >"$WORK/up.log" 2>&1 || { cat "$WORK/up.log"; exit 1; }
    . "$SKYLARK_VAR/env"
}
