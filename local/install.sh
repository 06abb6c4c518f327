#!/bin/bash
# make install: programs, units and templates under DESTDIR and PREFIX. Touches nothing that is running, and no
# configuration that is there already.
set -euo pipefail
cd -- "$(dirname -- "$0")/.."
build=${B:-build} prefix=${PREFIX:-/usr/local} to=${DESTDIR:-}$prefix etc=${DESTDIR:-}/etc/skylark

for program in skylark-api skylark-autoscaler skylark-deployer skylark-collector skylarkctl; do
    install -D -m 755 "$build/$program" "$to/bin/$program"
done

for unit in api autoscaler deployer collector; do
    install -d "$to/lib/systemd/system"
    local/render.sh PREFIX="$prefix" <"systemd/skylark-$unit.service.in" >"$to/lib/systemd/system/skylark-$unit.service"
done
install -D -m 644 systemd/skylark-api.socket "$to/lib/systemd/system/skylark-api.socket"
install -D -m 644 systemd/skylark.sysusers "$to/lib/sysusers.d/skylark.conf"
install -D -m 644 systemd/skylark.tmpfiles "$to/lib/tmpfiles.d/skylark.conf"

# nginx: the templates, filled in for a machine that serves on the usual ports.
install -d "$to/share/skylark/nginx"
local/render.sh ETC=/etc/skylark/nginx API=unix:/run/skylark/api.sock TLS=/etc/skylark/tls LISTEN= HTTPS_PORT=443 \
    HTTP_PORT=80 HTTPS_SUFFIX= INTERNAL=127.0.0.1:9180 <nginx/skylark.conf.in >"$to/share/skylark/nginx/skylark.conf"
local/render.sh ACCESS_LOG=/var/log/nginx/skylark.log <nginx/skylark-server.conf.in \
    >"$to/share/skylark/nginx/skylark-server.conf"
install -m 644 nginx/skylark-api.conf "$to/share/skylark/nginx/skylark-api.conf"

# Samples with every setting explained; the first become the configuration where there is none.
install -d "$to/share/skylark/etc" "$etc"
for process in api autoscaler deployer collector; do
    "$build/skylark-$process" --sample >"$to/share/skylark/etc/$process.conf"
done
"$build/skylarkctl" --sample >"$to/share/skylark/etc/ctl.conf"
for process in api autoscaler deployer collector ctl; do
    [ -e "$etc/$process.conf" ] || install -m 644 "$to/share/skylark/etc/$process.conf" "$etc/$process.conf"
done

for document in docs/*.md docs/*.svg NEWS.md LICENSE; do
    [ ! -e "$document" ] || install -D -m 644 "$document" "$to/share/doc/skylark/${document##*/}"
done
