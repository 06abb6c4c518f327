#!/bin/bash
# The whole product as tests use it, brought up and down by the scripts that people use; a registry with images;
# users and tokens. Run by tests/check.sh, inside its namespaces, with ROOT, B, WORK set.
#   fixture.sh up      brings all up and writes WORK/env
#   fixture.sh down    ends it and checks, as tests, that nothing is left
set -euo pipefail
REGISTRY=127.0.0.1:5000
VAR=$WORK/var
export SKYLARK_VAR=$VAR SKYLARK_ENGINE=private SKYLARK_SAMPLE_INTERVAL=1s

fail() { printf 'fixture: %s\n' "$*" >&2; exit 1; }

# wait_for SECONDS COMMAND...
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

# --- registry ---
registry_start() {
    mkdir -p "$WORK/registry"
    cat >"$WORK/registry.yml" <<END
version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: $WORK/registry}, delete: {enabled: true}}
http: {addr: "$REGISTRY"}
END
    setsid docker-registry serve "$WORK/registry.yml" >"$WORK/registry.log" 2>&1 9>&- &
    echo $! >"$WORK/registry.pid"
    wait_for 20 curl -s -f -o /dev/null "http://$REGISTRY/v2/" || { cat "$WORK/registry.log"; fail 'no registry'; }
}

# image NAME TAG COMMAND [CHANGE...]: made by import, pushed, removed from the engine, so that it must be pulled.
image() {
    local name=$REGISTRY/$1 tag=$2 command=$3 change changes=()
    shift 3
    for change in "$@"; do changes+=(--change "$change"); done
    docker import --change "ENV TAG=$tag" --change "CMD [\"/bin/$command\"]" "${changes[@]}" "$WORK/image.tar" "$name:$tag" >/dev/null
    docker push -q "$name:$tag" >/dev/null
    docker rmi "$name:$tag" >/dev/null
}
# An image of nothing but busybox and what is below.
images_make() {
    local root=$WORK/image applet tag
    mkdir -p "$root"/{bin,tmp,etc,proc,sys,dev}
    chmod 1777 "$root/tmp"
    cp "$(command -v busybox)" "$root/bin/busybox"
    for applet in sh sleep seq cat echo env id kill printf awk head true false ps grep nc tail timeout rm \
        mkdir chown chmod su test df dd ls ping nslookup sort hostname touch; do
        ln -s busybox "$root/bin/$applet"
    done
    cc -static -O2 -Wall -Werror -pthread -o "$root/bin/serve" "$ROOT/tests/image/serve.c"
    # work: says its tag, then a line a second, until it is told to end. SERVE: what else it serves, as arguments of serve.
    cat >"$root/bin/work" <<'END'
#!/bin/sh
trap 'echo "told to end"; exit 0' TERM
echo "tag $TAG"
[ -z "$SERVE" ] || serve $SERVE &
n=0
while :; do
    n=$((n + 1))
    echo "line $n"
    sleep 1 &
    wait $!
done
END
    # numbers N: prints that many numbered lines, in bursts, then stays.
    cat >"$root/bin/numbers" <<'END'
#!/bin/sh
trap 'exit 0' TERM
awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++) { print "number " i; if (i % 5000 == 0) { fflush(); system("sleep 0.3") } } }'
while :; do sleep 1 & wait $!; done
END
    # load: does what the page of $LOAD (host, port, page) says: cpu (as much as it gets), memory (44 MiB of it), file (as
    # much of page cache), or nothing. By nc, since the wget of a static busybox crashes.
    cat >"$root/bin/load" <<'END'
#!/bin/sh
trap 'exit 0' TERM
set -- $LOAD
while :; do
    case $(printf 'GET /%s HTTP/1.0\r\n\r\n' "$3" | nc -w 2 "$1" "$2" | tail -n 1) in
    cpu) timeout 2 sh -c 'while :; do :; done' ;;
    memory) [ -e /dev/shm/load ] || head -c 46137344 /dev/zero >/dev/shm/load ;;
    file) [ -e /load ] || head -c 46137344 /dev/zero >/load ; cat /load >/dev/null ;;
    *) rm -f /dev/shm/load /load ;;
    esac
    sleep 0.5 & wait $!
done
END
    # web: HTTP on 80, a TCP and a UDP echo on 22.
    cat >"$root/bin/web" <<'END'
#!/bin/sh
exec serve 80 22 22
END
    chmod 755 "$root"/bin/{work,numbers,load,web}
    tar -C "$root" --owner=0 --group=0 --numeric-owner -cf "$WORK/image.tar" .
    image alauda/ubuntu latest work 'ENV SERVE="0 22"'
    for tag in v1 v2 v3; do
        image team/work $tag work
        image team/web $tag web
    done
    image team/checked v1 web 'HEALTHCHECK --interval=1s --timeout=2s CMD test -e /tmp/healthy'
    "$ROOT/tests/image/postgres.sh" "$root"
    tar -C "$root" --owner=0 --group=0 --numeric-owner -cf "$WORK/image.tar" .
    image team/postgres latest database
    rm -rf "$root" "$WORK/image.tar"
}

# --- what instances are told to do ---
# A page a service, on the address of the engine's bridge, which only these namespaces know.
load_serve() {
    local net
    net=$(<"$VAR/etc/bridge")
    LOAD_SERVER="${net%.0/24}.1 8900"
    mkdir -p "$WORK/load"
    setsid busybox httpd -f -p "${LOAD_SERVER/ /:}" -h "$WORK/load" >"$WORK/load.log" 2>&1 9>&- &
    echo $! >"$WORK/load.pid"
}

# --- users ---
ctl() { "$B/skylarkctl" -c "$VAR/etc/ctl.conf" "$@"; }
user() { ctl user create "$1" <<<"$2" >/dev/null; }

users_make() {
    local password
    password=correct-horse-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
    user madams "$password"
    user other "$password-other"
    user reader "$password-reader"
    user guessed "$password-guessed"
    ctl member set madams reader read >/dev/null
    cat >"$WORK/env" <<END
. '$VAR/env'
export SKYLARK_VAR='$VAR' SKYLARK_ENGINE=private SKYLARK_SAMPLE_INTERVAL=1s TEST_VAR='$VAR' TEST_REGISTRY='$REGISTRY' TEST_NAMESPACE=madams
export TEST_OWNER_DSN='host=$VAR/run/postgres dbname=skylark user=skylark' TEST_PLAIN_URL=http://localhost:8080
export TEST_PASSWORD='$password' TEST_LOAD='$WORK/load' TEST_LOAD_SERVER='$LOAD_SERVER'
export TEST_TOKEN='$(ctl token create madams)' TEST_READ_TOKEN='$(ctl token create madams --scope read)'
export TEST_MEMBER_TOKEN='$(ctl token create reader)' TEST_OTHER_TOKEN='$(ctl token create other)'
END
}

up() {
    "$ROOT/local/run"
    . "$VAR/env"
    registry_start
    images_make
    load_serve
    users_make
}

# --- the end ---
cases=0 bad=0
expect_empty() { # WHAT TEXT
    cases=$((cases + 1))
    [ -z "$2" ] || { bad=$((bad + 1)); printf 'FAIL: %s is left: %s\n' "$1" "$2"; }
}
# All processes here but this script's own parents and children, and the registry.
strangers() {
    local self=" $$ $PPID 1 "
    ps -e -o pid=,ppid=,args= | while read -r pid parent args; do
        case "$self" in *" $pid "* | *" $parent "*) [ "$parent" = 1 ] && [ "$pid" != "$PPID" ] || continue ;; esac
        case $args in *'<defunct>'* | 'ps -e '* | *fixture.sh*) continue ;; esac
        printf '%s %s; ' "$pid" "$args"
    done
}
down() {
    local status=0
    kill "$(<"$WORK/registry.pid")" "$(<"$WORK/load.pid")" 2>/dev/null || true
    wait_for 10 bash -c "! kill -0 $(<"$WORK/registry.pid") 2>/dev/null" || true
    "$ROOT/local/stop" || status=$?
    expect_empty 'an error of local/stop' "${status#0}"
    expect_empty 'a process' "$(strangers)"
    expect_empty 'a container' "$(ls -A "$VAR/docker/containers" 2>/dev/null)"
    expect_empty 'a mount' "$(findmnt -rno TARGET | grep -F "$VAR" || true)"
    expect_empty 'an interface' "$(ip -o link | grep -v ': lo:' || true)"
    expect_empty 'a rule of iptables' "$(iptables-save 2>/dev/null | grep '^-A' || true)"
    expect_empty 'a rule of routing' "$(ip rule | grep -vE ' lookup (local|main|default)' || true)"
    expect_empty 'a pid file' "$(find "$VAR/run" -name '*.pid' -size +0)"
    expect_empty 'a second stop that fails' "$("$ROOT/local/stop" >/dev/null 2>&1 || echo yes)"
    printf '%d passed, %d failed\n' $((cases - bad)) "$bad"
    [ "$bad" = 0 ]
}

case ${1:-} in
up | down) "$1" ;;
*) fail 'up or down' ;;
esac
