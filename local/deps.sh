#!/bin/bash
# Installs the Debian packages that are missing, by name. What is there, whatever it came from, is left alone.
#   local/deps.sh [run] [check] [bench]      (default: run)
# As root directly, else through sudo. No service of the machine is started, enabled or set up by it:
# Skylark brings up its own.
set -euo pipefail

# file (a pattern) whose presence says that the package is not needed | package
wanted_run='
/usr/bin/cc|gcc
/usr/bin/make|make
/usr/bin/pkg-config|pkg-config
/usr/include/*/sys/types.h|libc6-dev
/usr/include/fcgiapp.h|libfcgi-dev
/usr/include/postgresql/libpq-fe.h|libpq-dev
/usr/include/json-c/json.h|libjson-c-dev
/usr/include/uuid/uuid.h|uuid-dev
/usr/include/sodium.h|libsodium-dev
/usr/include/microhttpd.h|libmicrohttpd-dev
/usr/include/openssl/ssl.h|libssl-dev
/usr/include/*/curl/curl.h|libcurl4-openssl-dev
/usr/lib/postgresql/*/bin/postgres|postgresql
/usr/sbin/nginx|nginx
/usr/lib/nginx/modules/ngx_stream_module.so|libnginx-mod-stream
/usr/bin/openssl|openssl
/usr/bin/curl|curl
/usr/bin/jq|jq
/bin/busybox|busybox-static
/bin/ip|iproute2
/usr/bin/setpriv|util-linux
/bin/ps|procps'
wanted_engine='
/usr/sbin/dockerd|docker.io
/usr/sbin/iptables|iptables'
wanted_check='
/usr/include/CUnit/CUnit.h|libcunit1-dev
/usr/bin/docker-registry|docker-registry'
wanted_bench='
/usr/bin/wrk|wrk'

# Prints the packages of a list whose file is not there.
missing() {
    local file package
    while IFS='|' read -r file package; do
        [ -n "$file" ] || continue
        # Docker's own packages have /usr/bin where Debian's have /usr/sbin.
        compgen -G "$file" >/dev/null || compgen -G "${file/sbin/bin}" >/dev/null || echo "$package"
    done
}

# The part that needs root. Leaves the machine's services as they were: what a package would start, is
# not started (policy-rc.d); what it would enable for the next boot, is disabled again, when the package is new
# here; the cluster `main` that Debian makes with a first PostgreSQL is not made (createcluster.d).
policy=/usr/sbin/policy-rc.d made_policy=''
cluster=/etc/postgresql-common/createcluster.d/zz-skylark.conf made_cluster=''
# shellcheck disable=SC2317
tidy() {
    [ -z "$made_policy" ] || rm -f "$policy"
    [ -z "$made_cluster" ] || rm -f "$cluster"
    rmdir "${cluster%/*}" 2>/dev/null || true
}
install_packages() {
    local unit
    trap tidy EXIT
    trap 'exit 130' INT TERM HUP
    if [ ! -e "$policy" ]; then
        made_policy=1
        printf '#!/bin/sh\n# Made by local/deps.sh for the time of an installation.\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    case " $* " in
    *" postgresql "*)
        mkdir -p "${cluster%/*}"
        made_cluster=1
        echo 'create_main_cluster = false' >"$cluster"
        ;;
    esac
    export DEBIAN_FRONTEND=noninteractive
    if ! apt-get install -y --no-install-recommends "$@"; then
        echo 'local/deps.sh: fetching the package lists anew, then once more'
        apt-get update
        apt-get install -y --no-install-recommends "$@"
    fi
    for unit in "$@"; do
        case $unit in
        postgresql | nginx | docker-registry) unit=$unit.service ;;
        docker.io) unit='docker.service docker.socket containerd.service' ;;
        *) continue ;;
        esac
        # shellcheck disable=SC2086
        ! command -v systemctl >/dev/null || systemctl disable --quiet $unit 2>/dev/null || true
    done
}

if [ "${1:-}" = --install ]; then
    shift
    install_packages "$@"
    exit
fi

lists=$wanted_run
case "${SKYLARK_ENGINE:-}" in
unix://*) ;;
private) lists+=$wanted_engine ;;
*) [ -S /var/run/docker.sock ] || lists+=$wanted_engine ;;
esac
for group; do
    case $group in
    run) ;;
    check) lists+=$wanted_engine$wanted_check ;;
    bench) lists+=$wanted_bench ;;
    *) echo "local/deps.sh: no such group: $group" >&2; exit 2 ;;
    esac
done

packages=$(missing <<<"$lists" | sort -u | tr '\n' ' ')
[ -n "${packages// /}" ] || exit 0
echo "missing packages: $packages"
if ! command -v apt-get >/dev/null; then
    echo "local/deps.sh: there is no apt-get here: install what stands for these Debian packages and try again" >&2
    exit 1
fi
# shellcheck disable=SC2086
if [ "$(id -u)" = 0 ]; then
    "$0" --install $packages
else
    sudo "$0" --install $packages
fi
left=$(missing <<<"$lists" | sort -u | tr '\n' ' ')
if [ -n "${left// /}" ]; then
    echo "local/deps.sh: still missing: $left" >&2
    exit 1
fi
