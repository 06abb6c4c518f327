# The Skylark processes themselves: their configuration, users and starts.
# shellcheck shell=bash

skylark_check_build() {
    local program
    for program in skylark-api skylark-autoscaler skylark-deployer skylark-collector skylark-router skylarkctl; do
        [ -x "$BUILD/$program" ] || fail "$BUILD/$program is not there: build first (make all)"
    done
}

# Their programs must be reachable by other users than root, wherever the clone is: they run from a copy.
skylark_install() {
    local program
    mkdir -p "$VAR/bin"
    for program in skylark-api skylark-autoscaler skylark-deployer skylark-collector skylark-router; do
        if ! cmp -s "$BUILD/$program" "$VAR/bin/$program"; then
            install -m 755 "$BUILD/$program" "$VAR/bin/$program.new"
            mv -f "$VAR/bin/$program.new" "$VAR/bin/$program"
        fi
    done
}

# The engine's socket is as good as root, whoever holds it; still, deployer and collector run as users of
# their own with the group of the socket, so that they can't touch files or each other. A socket that its group
# may not use leaves only root.
skylark_engine_user() { # UID
    local mode gid
    mode=$(stat -Lc %a "$ENGINE_SOCKET")
    gid=$(stat -Lc %g "$ENGINE_SOCKET")
    if [ -z "$ROOTLY" ] || [ $((8#$mode & 8#060)) -ne $((8#060)) ]; then
        echo root
    else
        echo "$1:$1,$gid"
    fi
}
owner_of() { # user as in run_as -> owner of its files
    if [ -z "$ROOTLY" ]; then echo; else echo "${1%%:*}"; fi
}

# skylark_settings PROCESS: what the operator sets besides, "name = value" a line, in SKYLARK_{PROCESS}_SETTINGS.
skylark_settings() {
    local name=SKYLARK_${1^^}_SETTINGS
    printf '%s\n' "${!name:-}"
}

api_start() {
    local user=$UID_api:$UID_api
    # nginx's workers connect to the socket by its group, which it has from the folder.
    mkdir -p "$VAR/run/api-socket"
    if [ -n "$ROOTLY" ]; then
        chown "$UID_api:www-data" "$VAR/run/api-socket"
        chmod 2750 "$VAR/run/api-socket"
    fi
    file_write "$VAR/etc/api.conf" 644 <<END
# Made by local/skylark.sh. All settings: skylark-api --sample
database = $(passfile skylark_api "$(owner_of "$user")")
listen = unix:$VAR/run/api-socket/api.sock
socket_mode = 0660
$(skylark_settings api)
END
    process_start api "$user" "$(process_made "$VAR/bin/skylark-api" "$VAR/etc/api.conf" --)" \
        "$VAR/bin/skylark-api" -c "$VAR/etc/api.conf"
    process_ready api 60 test -S "$VAR/run/api-socket/api.sock"
}

deployer_start() {
    local user
    user=$(skylark_engine_user "$UID_deployer")
    file_write "$VAR/etc/deployer.conf" 644 <<END
# Made by local/skylark.sh. All settings: skylark-deployer --sample
database = $(passfile skylark_deployer "$(owner_of "$user")")
engine = unix://$ENGINE_SOCKET
metrics_listen = 127.0.0.1:$((INTERNAL_PORT + 1))
$(skylark_settings deployer)
END
    process_start deployer "$user" "$(process_made "$VAR/bin/skylark-deployer" "$VAR/etc/deployer.conf" --)" \
        "$VAR/bin/skylark-deployer" -c "$VAR/etc/deployer.conf"
}

collector_start() {
    local user
    user=$(skylark_engine_user "$UID_collector")
    file_write "$VAR/etc/collector.conf" 644 <<END
# Made by local/skylark.sh. All settings: skylark-collector --sample
database = $(passfile skylark_collector "$(owner_of "$user")")
engine = unix://$ENGINE_SOCKET
metrics_listen = 127.0.0.1:$((INTERNAL_PORT + 2))
sample_interval = ${SKYLARK_SAMPLE_INTERVAL:-5s}
$(skylark_settings collector)
END
    process_start collector "$user" "$(process_made "$VAR/bin/skylark-collector" "$VAR/etc/collector.conf" --)" \
        "$VAR/bin/skylark-collector" -c "$VAR/etc/collector.conf"
}

autoscaler_start() {
    local user=$UID_autoscaler:$UID_autoscaler
    file_write "$VAR/etc/autoscaler.conf" 644 <<END
# Made by local/skylark.sh. All settings: skylark-autoscaler --sample
database = $(passfile skylark_autoscaler "$(owner_of "$user")")
metrics_listen = 127.0.0.1:$((INTERNAL_PORT + 3))
$(skylark_settings autoscaler)
END
    process_start autoscaler "$user" "$(process_made "$VAR/bin/skylark-autoscaler" "$VAR/etc/autoscaler.conf" --)" \
        "$VAR/bin/skylark-autoscaler" -c "$VAR/etc/autoscaler.conf"
}

# As whoever nginx's master is, since it tests nginx's configuration, keys and all, and tells nginx to load it.
router_start() {
    local user=root etc=$VAR/etc/nginx
    file_write "$VAR/etc/router.conf" 644 <<END
# Made by local/skylark.sh. All settings: skylark-router --sample
database = $(passfile skylark_router "$(owner_of "$user")")
metrics_listen = 127.0.0.1:$((INTERNAL_PORT + 4))
templates = $etc/skylark-routes.template
routes = $VAR/run/routes
certificates = $VAR/certificates
certificate = $VAR/tls/server.crt
certificate_key = $VAR/tls/server.key
nginx_conf = $etc/nginx.conf
nginx_prefix = $VAR/run/front
nginx_pid = $VAR/run/front/nginx.pid
version_url = $(front_internal_url)/
stream_listen = $(printf %s "$LISTEN" | tr -d '[]')
$(skylark_settings router)
END
    process_start router "$user" "$(process_made "$VAR/bin/skylark-router" "$VAR/etc/router.conf" --)" \
        "$VAR/bin/skylark-router" -c "$VAR/etc/router.conf"
}
