#!/bin/bash
# make install: programs, units and templates under DESTDIR and PREFIX. Touches nothing that is running, and no
# configuration that is there already.
set -euo pipefail
cd -- "$(dirname -- "$0")/.."
build=${B:-build} prefix=${PREFIX:-/usr/local} to=${DESTDIR:-}$prefix etc=${DESTDIR:-}/etc/skylark

processes='api autoscaler deployer collector router'

for process in $processes; do
    install -D -m 755 "$build/skylark-$process" "$to/bin/skylark-$process"
done
install -D -m 755 "$build/skylarkctl" "$to/bin/skylarkctl"

install -d "$to/lib/systemd/system"
for process in $processes; do
    local/render.sh PREFIX="$prefix" <"systemd/skylark-$process.service.in" >"$to/lib/systemd/system/skylark-$process.service"
done
install -D -m 644 systemd/skylark-api.socket "$to/lib/systemd/system/skylark-api.socket"
install -D -m 644 systemd/skylark.sysusers "$to/lib/sysusers.d/skylark.conf"
install -D -m 644 systemd/skylark.tmpfiles "$to/lib/tmpfiles.d/skylark.conf"

# nginx: the templates, filled in for a machine that serves on the usual ports, and public ports on all addresses.
install -d "$to/share/skylark/nginx"
values='ETC=/etc/skylark/nginx API=unix:/run/skylark/api.sock TLS=/etc/skylark/tls LISTEN= HTTPS_PORT=443 HTTP_PORT=80
    HTTPS_SUFFIX= INTERNAL=127.0.0.1:9180 STREAM_LISTEN= ROUTES=/run/skylark/routes ACCESS_LOG=/var/log/nginx/skylark.log
    ACME=/var/lib/skylark/acme REQUEST_RATE=50 REQUEST_BURST=100 ADDRESS_RATE=200 ADDRESS_BURST=400'
nginx_file() { # TEMPLATE NAME
    local value needed=()
    for value in $values; do
        ! grep -q "@${value%%=*}@" "nginx/$1" || needed+=("$value")
    done
    local/render.sh "${needed[@]}" <"nginx/$1" >"$to/share/skylark/nginx/$2"
}
for name in skylark skylark-server skylark-service skylark-stream; do
    nginx_file "$name.conf.in" "$name.conf"
done
nginx_file skylark-routes.conf.in skylark-routes.template
install -m 644 nginx/skylark-api.conf nginx/skylark-tls.conf "$to/share/skylark/nginx/"

# Samples with every setting explained; the first become the configuration where there is none.
install -d "$to/share/skylark/etc" "$etc"
for process in $processes; do
    "$build/skylark-$process" --sample >"$to/share/skylark/etc/$process.conf"
done
"$build/skylarkctl" --sample >"$to/share/skylark/etc/ctl.conf"
for process in $processes ctl; do
    [ -e "$etc/$process.conf" ] || install -m 644 "$to/share/skylark/etc/$process.conf" "$etc/$process.conf"
done

for document in docs/*.md docs/*.svg NEWS.md LICENSE; do
    [ ! -e "$document" ] || install -D -m 644 "$document" "$to/share/doc/skylark/${document##*/}"
done
