#!/bin/bash
# The whole product as tests use it, brought up and down by the scripts that people use; a registry with images;
# users and tokens. Run by tests/check.sh, inside the namespaces of one installation, with ROOT, B, WORK set, and SHARED: a
# folder of all installations of the run.
#   fixture.sh up      brings all up and writes WORK/env
#   fixture.sh down    ends it and checks, as tests, that nothing is left
set -euo pipefail
REGISTRY=127.0.0.1:5000
VAR=$WORK/var
SHARED=${SHARED:-$WORK}
IMAGES=$SHARED/registry
export SKYLARK_VAR=$VAR SKYLARK_ENGINE=private SKYLARK_WAIT=300 SKYLARK_SAMPLE_INTERVAL=500ms

# Everything that only waits, waits for little: most of the end-to-end tests' time is that.
export SKYLARK_DEPLOYER_SETTINGS='pass_interval = 1s
stop_grace = 3s
update_settle = 300ms
back_off_first = 200ms
back_off_most = 3s
route_drain = 5s'
export SKYLARK_COLLECTOR_SETTINGS='pass_interval = 1s'
export SKYLARK_ROUTER_SETTINGS='pass_interval = 1s'
export SKYLARK_AUTOSCALER_SETTINGS='evaluation_interval = 1s'
# Tests ask faster than people; the limit has a test of its own.
export SKYLARK_REQUEST_RATE=10000
TEST_SETTINGS='SKYLARK_VAR SKYLARK_ENGINE SKYLARK_WAIT SKYLARK_SAMPLE_INTERVAL SKYLARK_DEPLOYER_SETTINGS SKYLARK_COLLECTOR_SETTINGS SKYLARK_ROUTER_SETTINGS
    SKYLARK_AUTOSCALER_SETTINGS SKYLARK_REQUEST_RATE'

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
    mkdir -p "$IMAGES"
    cat >"$WORK/registry.yml" <<END
version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: $IMAGES}, delete: {enabled: true}}
http: {addr: "$REGISTRY"}
END
    setsid docker-registry serve "$WORK/registry.yml" >"$WORK/registry.log" 2>&1 9>&- &
    echo $! >"$WORK/registry.pid"
    wait_for 60 curl -s -f -o /dev/null "http://$REGISTRY/v2/" || { cat "$WORK/registry.log"; fail 'no registry'; }
}

# blob REPOSITORY FILE: uploads it, or mounts it from a repository that has it. Sets BLOB to its digest.
declare -A blob_of=()
blob() {
    local name=$1 file=$2 place
    BLOB=sha256:$(sha256sum "$file" | cut -d ' ' -f 1)
    if [ -n "${blob_of[$BLOB]:-}" ]; then
        curl -sS -f -o /dev/null -X POST "http://$REGISTRY/v2/$name/blobs/uploads/?mount=$BLOB&from=${blob_of[$BLOB]}" -d ''
    else
        place=$(curl -sS -f -o /dev/null -D - -X POST "http://$REGISTRY/v2/$name/blobs/uploads/" -d '' | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
        curl -sS -f -o /dev/null -X PUT "$place&digest=$BLOB" -H 'Content-Type: application/octet-stream' --data-binary "@$file"
        blob_of[$BLOB]=$name
    fi
}
# layer FOLDER NAME: the folder as a layer, NAME.tar.gz, with the digest of what is in it in NAME.id
layer() {
    tar -C "$1" --owner=0 --group=0 --numeric-owner -cf "$2.tar" .
    printf 'sha256:%s' "$(sha256sum "$2.tar" | cut -d ' ' -f 1)" >"$2.id"
    gzip -1 "$2.tar"
}
# image NAME TAG LAYER COMMAND [MORE]: put into the registry as it is, without an engine, which would take seconds for each. COMMAND
# is a JSON array, MORE an object with further fields of the configuration.
image() {
    local name=$1 tag=$2 layer=$3 command=$4 more=${5:-} digest
    [ -n "$more" ] || more='{}'
    jq -nc --arg a "$(dpkg --print-architecture)" --arg tag "TAG=$tag" --argjson cmd "$command" --arg id "$(<"$layer.id")" --argjson more "$more" \
        '{architecture: $a, os: "linux", config: ({Cmd: $cmd} + $more + {Env: (($more.Env // []) + [$tag])}),
          rootfs: {type: "layers", diff_ids: [$id]}, history: [{created_by: "tests"}]}' >"$WORK/config.json"
    blob "$name" "$layer.tar.gz"
    digest=$BLOB
    blob "$name" "$WORK/config.json"
    jq -nc --arg l "$digest" --argjson ls "$(stat -c %s "$layer.tar.gz")" --arg c "$BLOB" --argjson cs "$(stat -c %s "$WORK/config.json")" \
        '{schemaVersion: 2, mediaType: "application/vnd.docker.distribution.manifest.v2+json",
          config: {mediaType: "application/vnd.docker.container.image.v1+json", size: $cs, digest: $c},
          layers: [{mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip", size: $ls, digest: $l}]}' |
        curl -sS -f -o /dev/null -X PUT "http://$REGISTRY/v2/$name/manifests/$tag" \
            -H 'Content-Type: application/vnd.docker.distribution.manifest.v2+json' --data-binary @-
}
# Images of nothing but busybox and the programs of tests/image; once for all installations of the run.
images_make() {
    local root=$WORK/image applet tag source=$ROOT/tests/image
    exec 8>"$SHARED/images.lock"
    flock 8
    [ ! -e "$SHARED/images.made" ] || return 0
    mkdir -p "$root"/{bin,tmp,etc,proc,sys,dev}
    chmod 1777 "$root/tmp"
    cp "$(command -v busybox)" "$root/bin/busybox"
    for applet in sh sleep cat echo env id awk true false ps rm mkdir chown chmod su test dd ls touch; do
        ln -s busybox "$root/bin/$applet"
    done
    cc -static -O2 -Wall -Werror -pthread -o "$root/bin/serve" "$source"/{serve,control}.c
    cc -static -O2 -Wall -Werror -pthread -o "$root/bin/work" "$source"/{work,control}.c
    cc -static -O2 -Wall -Werror -pthread -o "$root/bin/numbers" "$source"/{numbers,control}.c
    cc -static -O2 -Wall -Werror -o "$root/bin/obey" "$source/obey.c"
    layer "$root" "$WORK/small"
    image alauda/ubuntu latest "$WORK/small" '["/bin/work"]' '{"Env": ["SERVE=0 22"]}'
    for tag in v1 v2 v3; do
        image team/work $tag "$WORK/small" '["/bin/work"]'
        image team/web $tag "$WORK/small" '["/bin/serve", "80", "22", "22"]'
    done
    image team/checked v1 "$WORK/small" '["/bin/serve", "80", "22", "22"]' \
        '{"Healthcheck": {"Test": ["CMD", "test", "-e", "/tmp/healthy"], "Interval": 1000000000, "Timeout": 30000000000}}'
    "$source/postgres.sh" "$root"
    layer "$root" "$WORK/postgres"
    image team/postgres latest "$WORK/postgres" '["/bin/database"]'
    rm -rf "$root" "$WORK"/{small,postgres}.*
    : >"$SHARED/images.made"
}

# Where instances of bin/obey ask what to do: on the address of the engine's bridge, which only these namespaces know.
orders_address() {
    local net
    net=$(<"$VAR/etc/bridge")
    echo "${net%.0/24}.1 8900"
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
$(for name in $TEST_SETTINGS; do printf "export %s='%s'\n" "$name" "${!name}"; done)
export TEST_VAR='$VAR' TEST_REGISTRY='$REGISTRY' TEST_NAMESPACE=madams
export TEST_OWNER_DSN='host=$VAR/run/postgres dbname=skylark user=skylark options=-cskylark.by_hand=on' TEST_PLAIN_URL=http://localhost:8080
export TEST_PASSWORD='$password' TEST_ORDERS='$(orders_address)'
export TEST_TOKEN='$(ctl token create madams)' TEST_READ_TOKEN='$(ctl token create madams --scope read)'
export TEST_MEMBER_TOKEN='$(ctl token create reader)' TEST_OTHER_TOKEN='$(ctl token create other)'
END
}

up() {
    registry_start
    images_make &
    local images=$!
    "$ROOT/local/run"
    . "$VAR/env"
    wait "$images" || fail 'no images'
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
    kill "$(<"$WORK/registry.pid")" 2>/dev/null || true
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
