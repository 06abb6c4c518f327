# What every script of local/ needs: where things are, words on the screen, processes and their ends.
# Sourced with ROOT (the clone) set.
# shellcheck shell=bash

set -euo pipefail
umask 022
export LC_ALL=C.UTF-8
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
unset DOCKER_HOST PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD PGPASSFILE PGSERVICE PGOPTIONS

say() { printf '%s\n' "$*"; }
fail() {
    printf 'local: %s\n' "$*" >&2
    exit 1
}

# Settings, all from the environment.
BUILD=$ROOT/build
[ -z "${SAN:-}" ] || BUILD=$ROOT/build-san
HTTPS_PORT=${SKYLARK_HTTPS_PORT:-8443}
HTTP_PORT=${SKYLARK_HTTP_PORT:-8080}
INTERNAL_PORT=${SKYLARK_INTERNAL_PORT:-9180}
LISTEN=${SKYLARK_LISTEN:-127.0.0.1}
REQUEST_RATE=${SKYLARK_REQUEST_RATE:-50} # requests a second of each token
PROCESSES='postgres engine api front router deployer collector autoscaler' # in the order they start

settings_check() {
    local name port
    for name in HTTPS_PORT HTTP_PORT INTERNAL_PORT; do
        port=${!name}
        [[ $port =~ ^[1-9][0-9]{0,4}$ ]] && [ "$port" -le 65535 ] || fail "SKYLARK_$name: not a port: $port"
    done
    [[ $LISTEN =~ ^([0-9.]+|\[[0-9a-fA-F:.]+\])$ ]] || fail "SKYLARK_LISTEN: not an address: $LISTEN ([…] around IPv6)"
    [[ $REQUEST_RATE =~ ^[1-9][0-9]{0,5}$ ]] || fail "SKYLARK_REQUEST_RATE: not a number of requests a second: $REQUEST_RATE"
    [[ ${SKYLARK_BASE_DOMAIN:-a} =~ ^[a-z0-9.-]+$ ]] || fail "SKYLARK_BASE_DOMAIN: not a domain: $SKYLARK_BASE_DOMAIN"
}

# --- users ---------------------------------------------------------------------------------------------
# As root every process gets a user of its own, so that none can read another's password or signal it:
# PostgreSQL is `postgres` (of its package), nginx's workers `www-data`, the Skylark processes and the access
# to a private engine bare numbers, from a range that Debian and systemd leave unused, so that the machine's
# list of users stays as it is. Not as root, everything runs as whoever started it.
UID_api=60701 UID_deployer=60702 UID_collector=60703 GID_engine=60704 UID_autoscaler=60705
ROOTLY=
[ "$(id -u)" != 0 ] || ROOTLY=1

# run_as NAME|UID[:GID[,GID...]] COMMAND...: runs it as that user, with no privilege left. Execs.
run_as() {
    local user=${1%%:*} groups=
    case $1 in *:*) groups=${1#*:} ;; esac
    shift
    if [ -z "$ROOTLY" ] || [ "$user" = root ]; then
        exec "$@"
    elif [[ $user =~ ^[0-9]+$ ]]; then
        exec setpriv --reuid "$user" --regid "${groups%%,*}" --groups "$groups" --inh-caps=-all \
            --no-new-privs -- "$@"
    else
        exec setpriv --reuid "$user" --regid "$user" --init-groups --inh-caps=-all --no-new-privs -- "$@"
    fi
}

# --- the folder of the state -----------------------------------------------------------------------------
# VAR is where everything lives. It must be reachable by users other than root, short enough that the path of
# each unix socket below it fits in the kernel's 107 bytes, and of characters that need no quoting in any of
# the configuration files. Where the wanted folder is not (a clone under /root, say), the state goes to
# /var/lib and a link to it is left.
VAR_LONGEST=60 # 107 less run/docker/containerd/containerd-debug.sock and some room
VAR_WANTED=${SKYLARK_VAR:-$ROOT/var}
case $VAR_WANTED in /*) ;; *) VAR_WANTED=$PWD/$VAR_WANTED ;; esac
VAR=

# Why the folder will not do; empty when it will.
var_unfit() {
    local user
    if [[ ! $1 =~ ^[A-Za-z0-9_./+-]+$ ]]; then
        echo 'its path has characters that would need quoting'
    elif [ ${#1} -gt $VAR_LONGEST ]; then
        echo "its path is over $VAR_LONGEST bytes, too long for the unix sockets in it"
    elif [ -n "$ROOTLY" ]; then
        for user in postgres www-data "$UID_api:$UID_api"; do
            if ! (run_as "$user" test -x "$1") 2>/dev/null; then
                echo "user ${user%%:*} may not reach it"
                return
            fi
        done
    fi
}

# Sets VAR when there is a state folder already.
var_find() {
    [ ! -d "$VAR_WANTED" ] || VAR=$(realpath -- "$VAR_WANTED")
    [ -n "$VAR" ]
}

# Sets VAR, and makes the folder when there is none.
var_make() {
    local why parent stamp
    if ! var_find; then
        [ ! -L "$VAR_WANTED" ] || rm -f -- "$VAR_WANTED" # its target is gone
        mkdir -p -- "$VAR_WANTED"
        VAR=$(realpath -- "$VAR_WANTED")
    fi
    why=$(var_unfit "$VAR")
    if [ -n "$why" ] && [ ! -e "$VAR/run" ]; then
        # Named after the wanted path and the very folder it is in: a later clone at the same path is another.
        parent=$(dirname -- "$VAR")
        stamp=$(printf '%s %s' "$VAR" "$(stat -c '%d %i %W' -- "$parent")" | sha256sum | cut -c 1-10)
        say "state: /var/lib/skylark-$stamp, with a link at $VAR_WANTED ($why)"
        mkdir -p "/var/lib/skylark-$stamp" || fail "set SKYLARK_VAR to a short path that every user may reach"
        rmdir -- "$VAR" || fail "$VAR: $why, and it is not empty: set SKYLARK_VAR to another"
        ln -s "/var/lib/skylark-$stamp" "$VAR_WANTED"
        VAR=/var/lib/skylark-$stamp
        why=$(var_unfit "$VAR")
    fi
    [ -z "$why" ] || fail "$VAR: $why"
    mkdir -p "$VAR"/{etc,log,run,tls}
    mkdir -p -m 700 "$VAR/secret"
}

# One at a time: run and stop hold this lock. Started processes do not inherit it.
lock_take() {
    exec 9>>"$VAR/run/lock"
    if ! flock -n 9; then
        say "waiting for the other run or stop in $VAR"
        flock -w 120 9 || fail "another run or stop is still at work in $VAR"
    fi
}

# --- files -----------------------------------------------------------------------------------------------
# file_write PATH MODE [OWNER]: standard input becomes the file, at once or not at all.
file_write() {
    local new=$1.new
    rm -f "$new"
    (umask 077 && cat >"$new")
    chmod "$2" "$new"
    [ -z "$ROOTLY" ] || [ -z "${3:-}" ] || chown "$3" "$new"
    mv -f "$new" "$1"
}

# The secret of that name, made at first use: 192 random bits in letters that need no quoting anywhere.
secret() {
    [ -s "$VAR/secret/$1" ] || head -c 24 /dev/urandom | base64 | tr '+/' '-_' | file_write "$VAR/secret/$1" 600
    cat "$VAR/secret/$1"
}

# --- processes -------------------------------------------------------------------------------------------
# A started process NAME has run/NAME.pid; run/NAME.born, "start-time boot", where start-time is the kernel's, so
# that a later process with the same number is never taken for it; run/NAME.made, what it was made of; and run/NAME/
# as its working folder, by which its leftover children are told apart.
BOOT=$(cat /proc/sys/kernel/random/boot_id)

# Start time of a process in ticks since boot; fails when it is gone or a zombie.
pid_born() {
    local stat=
    # All of it, up to its end: a command may hold newlines, too.
    read -r -d '' stat 2>/dev/null <"/proc/$1/stat" || [ -n "$stat" ] || return 1
    # shellcheck disable=SC2086
    set -- ${stat##*) } # the fields after "(command)"; that may hold blanks and brackets
    [ "$1" != Z ] && [ "$1" != X ] && echo "${20}"
}

# Prints the pid when NAME lives.
process_pid() {
    local pid born boot
    { read -r pid <"$VAR/run/$1.pid" && read -r born boot <"$VAR/run/$1.born"; } 2>/dev/null || return 1
    [ "$boot" = "$BOOT" ] && [ "$(pid_born "$pid")" = "$born" ] && echo "$pid"
}

# Processes that work in run/NAME (PostgreSQL: in its data folder) and are of a program that we start: a
# person's shell or pager in there is none of our business.
process_leftovers() {
    local folder=$VAR/run/$1 link pid exe
    [ "$1" != postgres ] || folder=$VAR/postgres
    find /proc -maxdepth 2 -path '/proc/[0-9]*/cwd' \( -lname "$folder" -o -lname "$folder/*" \) 2>/dev/null |
        while read -r link; do
            pid=${link#/proc/} pid=${pid%/cwd}
            exe=$(readlink "/proc/$pid/exe" 2>/dev/null) || continue
            exe=${exe##*/}
            case ${exe% (deleted)} in
            nginx | postgres | dockerd | containerd | containerd-shim* | docker-proxy | docker-init | runc | skylark-*)
                echo "$pid"
                ;;
            esac
        done
}

# Polls COMMAND until it succeeds; fails after SECONDS.
wait_until() {
    local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
    shift
    until "$@"; do
        [ "${EPOCHREALTIME/./}" -lt $end ] || return 1
        sleep 0.05
    done
}

pid_gone() { [ "$(pid_born "$1" || true)" != "$2" ]; }

# Ends one process, whose start time is known: SIGNAL, then SIGKILL after SECONDS.
pid_end() {
    local pid=$1 born=$2 signal=$3 seconds=$4
    ! pid_gone "$pid" "$born" || return 0
    kill -s "$signal" "$pid" 2>/dev/null || true
    if ! wait_until "$seconds" pid_gone "$pid" "$born"; then
        say "pid $pid did not end in $seconds s: killed"
        kill -s KILL "$pid" 2>/dev/null || true
        wait_until 5 pid_gone "$pid" "$born" || say "pid $pid can't be killed"
    fi
}

# process_stop NAME [SIGNAL [SECONDS]]: ends it and whatever children outlived it.
process_stop() {
    local name=$1 pid born
    if pid=$(process_pid "$name"); then
        born=$(pid_born "$pid") && pid_end "$pid" "$born" "${2:-TERM}" "${3:-15}"
    fi
    process_sweep "$name"
    rm -f "$VAR/run/$name.pid" "$VAR/run/$name.born" "$VAR/run/$name.made"
}

# Kills leftovers of NAME (children of a master that was killed).
process_sweep() {
    local pid born any tries
    for ((tries = 0; tries < 5; tries++)); do
        any=
        for pid in $(process_leftovers "$1"); do
            born=$(pid_born "$pid") || continue
            any=1
            pid_end "$pid" "$born" TERM 2 # workers take it as "at once"
        done
        [ -n "$any" ] || return 0
    done
}

# The variables that a started process sees: none of ours, which may hold secrets, but what sanitizers and an
# engine behind a proxy need.
process_environment() {
    local name
    printf '%s\n' PATH="$PATH" LANG=C.UTF-8 HOME="$VAR/run/$1"
    for name in ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy \
        SSL_CERT_FILE SSL_CERT_DIR; do
        [ -z "${!name:-}" ] || printf '%s\n' "$name=${!name}"
    done
}

# process_made FILE... -- WORDS...: a mark of what a process is made of. Programs count by their inode and
# time, configuration by its content.
process_made() {
    local file
    while [ "$1" != -- ]; do
        file=$1
        shift
        if [ -x "$file" ]; then stat -Lc '%n %i %s %Y' "$file"; else sha256sum "$file"; fi
    done
    shift
    printf '%s\n' "$@"
}

# process_start NAME USER MADE COMMAND...: starts it unless it lives and is made of the same.
process_start() {
    local name=$1 user=$2 made=$3 pid log=$VAR/log/$1.log environment
    shift 3
    if process_pid "$name" >/dev/null; then
        [ "$made" != "$(cat "$VAR/run/$name.made" 2>/dev/null)" ] || return 0
        say "$name: made of something else by now: starting it anew"
        process_stop "$name"
    elif [ "$name" != engine ]; then # an engine takes care of what its killed forerunner left
        process_sweep "$name"
    fi
    mkdir -p "$VAR/run/$name"
    [ ! -f "$log" ] || [ "$(stat -c %s "$log")" -lt 20000000 ] || mv -f "$log" "$log.1"
    mapfile -t environment < <(process_environment "$name")
    (
        cd "$VAR/run/$name" || exit 1
        exec 9>&- </dev/null >>"$log" 2>&1
        run_as "$user" setsid env -i "${environment[@]}" "$@"
    ) &
    pid=$!
    process_record "$name" "$pid"
    printf '%s\n' "$made" >"$VAR/run/$name.made"
}
process_record() {
    printf '%s %s\n' "$(pid_born "$2" || echo 0)" "$BOOT" | file_write "$VAR/run/$1.born" 644
    printf '%s\n' "$2" | file_write "$VAR/run/$1.pid" 644
}

# The last lines of the logs of the named processes, for a person who must find out why.
show_logs() {
    local name
    for name; do
        if [ -s "$VAR/log/$name.log" ]; then
            printf -- '--- last lines of %s\n' "$VAR/log/$name.log"
            tail -n 15 "$VAR/log/$name.log"
        fi
    done >&2
}

# process_ready NAME SECONDS COMMAND...: polls until COMMAND succeeds; fails loudly when NAME dies before.
process_ready() {
    local name=$1 seconds=$2 end
    shift 2
    end=$((${EPOCHREALTIME/./} + seconds * 1000000))
    until "$@"; do
        if ! process_pid "$name" >/dev/null; then
            show_logs "$name"
            fail "$name ended as soon as it was started"
        elif [ "${EPOCHREALTIME/./}" -ge $end ]; then
            show_logs "$name"
            fail "$name is not ready after $seconds s"
        fi
        sleep 0.05
    done
}

# The program that listens on a TCP port, as "name (pid n)"; empty when none does.
port_holder() {
    local line
    line=$(ss -ltnpH "sport = :$1" 2>/dev/null | head -n 1)
    if [[ $line =~ \"([^\"]*)\",pid=([0-9]+) ]]; then
        echo "${BASH_REMATCH[1]} (pid ${BASH_REMATCH[2]})"
    elif [ -n "$line" ]; then
        echo 'another process'
    fi
}
