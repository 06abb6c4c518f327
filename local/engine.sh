# The container engine: one that is there already, or a private dockerd with its own data, socket and bridge.
# shellcheck shell=bash

ENGINE_MACHINE=/var/run/docker.sock
ENGINE_SOCKET= # the path of the socket in use
ENGINE_PRIVATE=

# Decides which engine and records it, since an installation stays with its engine (it refuses another).
#   SKYLARK_ENGINE=private | unix:///path; unset: the recorded one; else the machine's if it answers; else private.
engine_choose() {
    local wanted=${SKYLARK_ENGINE:-}
    [ -n "$wanted" ] || wanted=$(cat "$VAR/etc/engine" 2>/dev/null || true)
    if [ -z "$wanted" ]; then
        wanted=private
        ! ENGINE_SOCKET=$ENGINE_MACHINE engine_answers || wanted=unix://$ENGINE_MACHINE
    fi
    engine_use "$wanted"
    printf '%s\n' "$wanted" | file_write "$VAR/etc/engine" 644
}

engine_use() {
    case $1 in
    private)
        ENGINE_PRIVATE=1
        ENGINE_SOCKET=$VAR/run/docker.sock
        ;;
    unix:///*)
        ENGINE_PRIVATE=
        ENGINE_SOCKET=${1#unix://}
        [[ $ENGINE_SOCKET =~ ^[A-Za-z0-9_./+-]+$ ]] || fail "SKYLARK_ENGINE: this path would need quoting: $1"
        ;;
    *) fail "SKYLARK_ENGINE: neither private nor unix:///path: $1" ;;
    esac
}

# For stop and status: the recorded engine; fails when none was ever chosen.
engine_find() { [ -s "$VAR/etc/engine" ] && engine_use "$(<"$VAR/etc/engine")"; }

# engine_api METHOD PATH [CURL ARGUMENT...]: one call of the Docker Engine API.
engine_api() {
    local method=$1 path=$2
    shift 2
    curl -sS -f --max-time 60 --unix-socket "$ENGINE_SOCKET" -X "$method" "http://engine$path" "$@"
}
engine_answers() { curl -s -f -o /dev/null --max-time 3 --unix-socket "$ENGINE_SOCKET" http://engine/_ping 2>/dev/null; }

engine_start() {
    if [ -z "$ENGINE_PRIVATE" ]; then
        engine_answers || fail "the engine at unix://$ENGINE_SOCKET does not answer: start it, or choose with SKYLARK_ENGINE"
        return
    fi
    [ -n "$ROOTLY" ] || fail 'a private engine needs root: run this as root, or name an engine that you may use in SKYLARK_ENGINE'
    [ -x /usr/sbin/dockerd ] || [ -x /usr/bin/dockerd ] || fail 'there is no dockerd on this machine (Debian: docker.io)'
    bridge_up
    engine_configure
    process_start engine root "$(process_made "$(command -v dockerd)" "$VAR/etc/docker.json" -- "$(bridge_name)")" \
        dockerd --config-file "$VAR/etc/docker.json" --data-root "$VAR/docker" --exec-root "$VAR/run/engine" \
        --pidfile "$VAR/run/docker.pid" -H "unix://$ENGINE_SOCKET" --group "$GID_engine" --bridge "$(bridge_name)" \
        --iptables=false --ip-masq=false --ip-forward=false --log-level warn
    process_ready engine 60 engine_answers
}

# A configuration file of its own, so that the machine's /etc/docker is neither read nor written. Engines up to
# 20.10 keep a key there unless told otherwise; newer ones refuse to know that setting.
engine_configure() {
    local key=''
    ! dockerd --version | grep -q 'version \(1[0-9]\|20\)\.' || key="\"deprecated-key-path\": \"$VAR/etc/docker-key.json\", "
    # Room for 255 networks, each for 253 instances.
    printf '{%s"default-address-pools": [{"base": "%s", "size": 24}]}\n' "$key" "$(<"$VAR/etc/pool")" |
        file_write "$VAR/etc/docker.json" 644
    # What a killed engine left says "already running" for as long as anything, a zombie even, has that number;
    # process_start knows better.
    local helper=$VAR/run/engine/containerd/containerd.pid
    process_pid engine >/dev/null || rm -f "$VAR/run/docker.pid"
    [ ! -s "$helper" ] || pid_born "$(<"$helper")" >/dev/null || rm -f "$helper"
}

# --- the bridge of the private engine ---
# Networks of namespaces come out of one pool of addresses (var/etc/pool), a /16; its first /24 is the engine's default
# bridge, ours alone, made and removed here. The engine is kept off iptables, where it would share its chains with a
# Docker of the machine and change the policy of FORWARD; the rules that instances need to reach the world, and not each
# other across namespaces, stand below, marked with the state folder, and go with the bridge.
bridge_name() { printf 'sky-%s' "$(printf %s "$VAR" | sha256sum | cut -c 1-8)"; }

# Locally administered, and the same each time.
bridge_address() { printf %s "$VAR" | sha256sum | sed -E 's/^(..)(..)(..)(..)(..).*/02:\1:\2:\3:\4:\5/'; }

bridge_rules() { # -A|-D: adds (once) or removes them
    local pool
    pool=$(cat "$VAR/etc/pool")
    bridge_rule "$1" nat POSTROUTING -s "$pool" ! -d "$pool" -j MASQUERADE &&
        bridge_rule "$1" filter FORWARD -s "$pool" -j ACCEPT &&
        bridge_rule "$1" filter FORWARD -d "$pool" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
}

# Between two networks of the pool nothing is routed; inside one, nothing needs to be. By routing and not by iptables, which on
# some machines sees what stays inside a bridge as well. What the machine itself sends is not meant.
pool_isolate() { # -A|-D POOL
    local rule
    for rule in "pref 29990 iif lo to $2 lookup main" "pref 29991 from $2 to $2 unreachable"; do
        # shellcheck disable=SC2086
        if [ "$1" = -A ]; then
            ip rule add $rule 2>/dev/null || [[ $(ip rule show pref "${rule:5:5}") == *" to $2 "* ]] ||
                fail "can't keep namespaces apart: ip rule add $rule"
        else
            ip rule del $rule 2>/dev/null || true
        fi
    done
}
bridge_rule() {
    local how=$1 table=$2 chain=$3 mark="skylark $VAR"
    shift 3
    if iptables -w 5 -t "$table" -C "$chain" "$@" -m comment --comment "$mark" 2>/dev/null; then
        [ "$how" = -A ] || iptables -w 5 -t "$table" -D "$chain" "$@" -m comment --comment "$mark"
    elif [ "$how" = -A ]; then
        # In front: a chain may end in something that drops.
        iptables -w 5 -t "$table" -I "$chain" "$@" -m comment --comment "$mark"
    fi
}

# A /16 out of 10.192.0.0/10 that nothing on this machine routes to.
pool_find() {
    local try net
    for try in $(seq 0 59); do
        net=10.$((192 + (try + $$) % 60)).0.0/16
        if [ -z "$(ip -4 route show table all match "$net" | grep -v '^default')" ] &&
            [ -z "$(ip -4 route show table all root "$net")" ]; then
            echo "$net"
            return
        fi
    done
    fail 'found no free address range for the networks of the private engine'
}

bridge_up() {
    local bridge net
    bridge=$(bridge_name)
    if ! ip link show "$bridge" >/dev/null 2>&1; then
        # Kept as long as it is free: networks that the engine remembers are of it.
        if [ ! -s "$VAR/etc/pool" ] || [ -n "$(ip -4 route show table all root "$(<"$VAR/etc/pool")")" ]; then
            pool_find | file_write "$VAR/etc/pool" 644
        fi
        net=$(sed 's|\.0/16$|.0/24|' "$VAR/etc/pool")
        printf '%s\n' "$net" | file_write "$VAR/etc/bridge" 644
        # With an address of its own: else it takes the lowest of its ports', and each time that this changes, with an
        # instance that starts or ends, all others lose their gateway for a while.
        ip link add "$bridge" address "$(bridge_address)" type bridge || fail "can't make a network bridge"
        ip addr add "${net%.0/24}.1/24" dev "$bridge"
        ip link set "$bridge" up
    fi
    if [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ]; then
        : >"$(forwarding_note)"
        echo 1 >/proc/sys/net/ipv4/ip_forward || true
    fi
    pool_isolate -A "$(<"$VAR/etc/pool")"
    bridge_rules -A 2>"$VAR/log/iptables.log" ||
        say "instances reach no network but their own: $(tail -n 1 "$VAR/log/iptables.log")"
}

bridge_down() {
    local bridge
    bridge=$(bridge_name)
    if [ -s "$VAR/etc/pool" ]; then
        bridge_rules -D 2>/dev/null || true
        pool_isolate -D "$(<"$VAR/etc/pool")"
    fi
    ! ip link show "$bridge" >/dev/null 2>&1 || ip link del "$bridge"
    # The last of several installations turns forwarding off again, unless a bridge of somebody else needs it.
    if [ -e "$(forwarding_note)" ] && [[ $(ip -o link show type bridge) != *': sky-'* ]]; then
        [ -n "$(ip -o link show type bridge)" ] || echo 0 >/proc/sys/net/ipv4/ip_forward
        rm -f "$(forwarding_note)"
    fi
}

# Says that it was us who turned on forwarding in this network namespace.
forwarding_note() { echo "/run/skylark-forwarding-$(stat -Lc %i /proc/self/ns/net)"; }

# --- the end ---

# ids of the containers of this installation, running or not
installation_containers() {
    engine_api GET "/containers/json?all=true&filters=$(jq -rn --arg l "skylark.installation=$1" '{label: [$l]} | tojson | @uri')" |
        jq -r '.[].Id'
}
installation_networks() {
    engine_api GET "/networks?filters=$(jq -rn --arg l "skylark.installation=$1" '{label: [$l]} | tojson | @uri')" |
        jq -r '.[].Id'
}

# Asks all to end, all at once (SIGTERM, SIGKILL after 5 s), without removing them.
installation_stop() {
    local id
    for id in $(installation_containers "$1"); do
        engine_api POST "/containers/$id/stop?t=5" -o /dev/null 2>/dev/null &
    done
    wait
}
installation_remove() {
    local id
    for id in $(installation_containers "$1"); do
        engine_api DELETE "/containers/$id?force=true&v=true" -o /dev/null &
    done
    wait
    for id in $(installation_networks "$1"); do
        engine_api DELETE "/networks/$id" -o /dev/null || true
    done
    [ -z "$(installation_containers "$1")" ]
}

# Ends the private engine and all that it left: its helpers, containers without a parent, mounts, bridges.
engine_stop() {
    local id pid born mount bridge
    process_stop engine TERM 20
    # Processes of containers whose engine was killed: told apart by the container's id in their cgroup.
    for id in $(compgen -G "$VAR/docker/containers/*"); do
        for pid in $(grep -ls "${id##*/}" /proc/[0-9]*/cgroup | cut -d / -f 3); do
            born=$(pid_born "$pid") && pid_end "$pid" "$born" KILL 5
        done
    done
    findmnt -rno TARGET | grep -F "$VAR/" | sort -r | while read -r mount; do
        umount -l "$mount" || say "can't unmount $mount"
    done
    for bridge in $(grep -aohE '(br-|sky)[0-9a-f]{12}' "$VAR/docker/network/files/local-kv.db" 2>/dev/null | sort -u); do
        ip link del "$bridge" 2>/dev/null # of a network of a namespace, or that someone made on this engine
    done
    bridge_down
    rm -rf "$VAR/run/engine" "$VAR/run/docker.sock" "$VAR/run/docker.pid"
}
