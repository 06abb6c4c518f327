# What a new installation shows first: user and namespace demo, an image made on the spot, a service of two
# instances. All through the API, as any client would.
# shellcheck shell=bash

DEMO_IMAGE=localhost/skylark-demo
DEMO_TAG=1
# A custom domain name, with a certificate of its own; whatever the base domain is, one of these is not below it.
DEMO_DOMAIN=demo.example.com
[[ ${SKYLARK_BASE_DOMAIN:-} != *example.com ]] || DEMO_DOMAIN=demo.example.net

# An HTTP server that also prints numbered lines, out of nothing but busybox.
demo_make_image() {
    local folder=$VAR/run/image applet
    engine_api GET "/images/$DEMO_IMAGE:$DEMO_TAG/json" -o /dev/null 2>/dev/null && return
    say "making the image $DEMO_IMAGE:$DEMO_TAG"
    rm -rf "$folder"
    mkdir -p "$folder"/{bin,etc,tmp,www}
    chmod 1777 "$folder/tmp"
    cp "$(command -v busybox)" "$folder/bin/busybox"
    for applet in $("$folder/bin/busybox" --list); do
        [ "$applet" = busybox ] || ln -s busybox "$folder/bin/$applet"
    done
    echo 'root:x:0:0:root:/:/bin/sh' >"$folder/etc/passwd"
    cp "$ROOT/local/demo-page.html" "$folder/www/index.html"
    cp "$ROOT/local/demo-image.sh" "$folder/bin/demo"
    chmod 755 "$folder/bin/demo"
    tar -C "$folder" --owner=0 --group=0 --numeric-owner -c . |
        engine_api POST "/images/create?fromSrc=-&repo=$DEMO_IMAGE&tag=$DEMO_TAG&changes=$(jq -rn '"CMD [\"/bin/demo\"]" | @uri')&changes=$(jq -rn '"EXPOSE 8000" | @uri')" \
            -H 'Content-Type: application/x-tar' -T - >"$folder.log" 2>&1 || {
        cat "$folder.log" >&2
        fail 'the engine did not take the demo image'
    }
    rm -rf "$folder" "$folder.log"
}

# api METHOD PATH [CURL ARGUMENT...]: prints the body, then the status on a line of its own. The token goes in
# through a file: a command line is for all to read.
api() {
    local method=$1 path=$2
    shift 2
    curl -sS --max-time 30 --cacert "$VAR/tls/ca.crt" -K "$VAR/secret/demo.curl" -X "$method" \
        -w '\n%{http_code}\n' "$(front_url)$path" "$@"
}
api_expect() { # STATUSES WHAT METHOD PATH...: prints the body when the status is one of those
    local statuses=$1 what=$2 answer status
    shift 2
    answer=$(api "$@") || fail "$what: no answer from $(front_url)"
    status=${answer##*$'\n'}
    case " $statuses " in
    *" $status "*) printf '%s\n' "${answer%$'\n'*}" ;;
    *)
        printf '%s\n' "$answer" >&2
        show_logs api front
        fail "$what: status $status"
        ;;
    esac
}

ctl() { "$BUILD/skylarkctl" -c "$VAR/etc/ctl.conf" "$@"; }

# User demo and a token of it that works.
demo_make_user() {
    if [ -z "$(sql skylark -c "SELECT FROM skylark.users JOIN skylark.namespaces USING (id) WHERE name = 'demo'" -c '\echo :ROW_COUNT' | grep -v '^0$')" ]; then
        say 'making user demo'
        secret demo | ctl user create demo >/dev/null || fail 'skylarkctl user create failed'
    fi
    secret demo >/dev/null
    if [ -s "$VAR/secret/demo.token" ] && [[ "$(api GET /v1/auth/profile/ 2>/dev/null)" == *$'\n'200 ]]; then
        return
    fi
    rm -f "$VAR/secret/demo.token"
    ctl token create demo | tr -d '\n' | file_write "$VAR/secret/demo.token" 600
    [ -s "$VAR/secret/demo.token" ] || fail 'skylarkctl token create printed no token'
    printf 'header = "Authorization: Token %s"\n' "$(<"$VAR/secret/demo.token")" | file_write "$VAR/secret/demo.curl" 600
    api_expect 200 'the token of demo' GET /v1/auth/profile/ >/dev/null
}

demo_make_service() {
    cat >"$VAR/run/demo.json" <<END
{
    "service_name": "demo",
    "namespace": "demo",
    "image_name": "$DEMO_IMAGE",
    "image_tag": "$DEMO_TAG",
    "run_command": "",
    "instance_size": "XS",
    "scaling_mode": "MANUAL",
    "target_state": "STARTED",
    "target_num_instances": 2,
    "custom_domain_name": "$DEMO_DOMAIN",
    "instance_ports": [{"container_port": 8000, "protocol": "tcp", "endpoint_type": "http-endpoint"}],
    "instance_envvars": {"GREETING": "made by make run"}
}
END
    local answer
    answer=$(api GET /v1/services/demo/demo/) || true
    [ "${answer##*$'\n'}" != 200 ] || return 0
    # Asked for once: a demo that was deleted stays away.
    [ ! -e "$VAR/etc/demo-made" ] || return 0
    say 'creating the demo service'
    api_expect '201 409' 'creating the demo service' POST /v1/services/demo/ -H 'Content-Type: application/json' \
        --data "@$VAR/run/demo.json" >/dev/null
    : >"$VAR/etc/demo-made"
}

# Where the demo's pages are, from the API's own answer, a line each: none when it is not meant to run, or to have any. A
# custom domain name without a certificate of its own is opened by plain HTTP.
demo_urls() {
    local answer name n
    answer=$(api GET /v1/services/demo/demo/) || return 0
    [ "${answer##*$'\n'}" = 200 ] || return 0
    jq -r 'select(.target_state == "STARTED" and .target_num_instances > 0)
        | select(any(.instance_ports[]; .endpoint_type == "http-endpoint"))
        | .default_domain_name, (.custom_domain_name | split(",")[])' <<<"${answer%$'\n'*}" |
        for ((n = 0; ; n++)); do
            read -r name || break
            if [ $n = 0 ] || [ -e "$VAR/certificates/$name/fullchain.pem" ]; then
                echo "https://$name:$HTTPS_PORT/"
            else
                echo "http://$name:$HTTP_PORT/"
            fi
        done
}
# What curl needs for a name that no name server knows yet: every name below localhost leads here by itself.
demo_resolve() {
    local name=${1#*//}
    [[ $name == *.localhost:* ]] || echo "--resolve ${name%/}:$(front_host) "
}
demo_pages_open() {
    local url
    for url in $DEMO_URLS; do
        curl -sS -f --max-time 10 --cacert "$VAR/tls/ca.crt" --connect-to "::$(front_host):" "$url" || return 1
    done
}

# Whether the API says Running and the engine has exactly as many running containers of it.
demo_runs() {
    local answer started
    answer=$(api GET /v1/services/demo/demo/ 2>/dev/null) || return 1
    [ "${answer##*$'\n'}" = 200 ] || return 1
    started=$(jq -r 'select(.current_status == "Running" and .started_num_instances == .target_num_instances)
        | .started_num_instances' <<<"${answer%$'\n'*}") || return 1
    [ -n "$started" ] && [ "$(demo_containers)" = "$started" ]
}
demo_containers() {
    engine_api GET "/containers/json?filters=$(jq -rn --arg i "skylark.installation=$(<"$VAR/etc/installation")" \
        '{label: [$i, "skylark.namespace=demo", "skylark.name=demo"], status: ["running"]} | tojson | @uri')" | jq length
}

# Whether the demo service is one that is meant to run: a user may have stopped or removed it.
demo_wanted() {
    local answer
    answer=$(api GET /v1/services/demo/demo/)
    [ "${answer##*$'\n'}" = 200 ] &&
        jq -e '.target_state == "STARTED" and .target_num_instances > 0' <<<"${answer%$'\n'*}" >/dev/null
}

demo_wait() {
    local end name seconds=${SKYLARK_WAIT:-90}
    end=$((SECONDS + seconds))
    until demo_runs; do
        for name in $PROCESSES; do
            if [ -e "$VAR/run/$name.pid" ] && ! process_pid "$name" >/dev/null; then
                show_logs "$name"
                fail "$name ended while the demo service was coming up"
            fi
        done
        if [ $SECONDS -ge $end ]; then
            api GET /v1/services/demo/demo/ | jq -R -r 'fromjson? | objects | "\(.current_status): \(.status_message)"' >&2
            show_logs api deployer collector engine
            fail "the demo service does not run after $seconds s"
        fi
        sleep 0.1
    done
}
# Sets DEMO_LINES to the latest lines of its log, through the API; fails while there are none.
demo_lines() {
    local answer
    answer=$(api GET '/v1/services/demo/demo/logs/?limit=4')
    [ "${answer##*$'\n'}" = 200 ] && jq -e 'length > 0' <<<"${answer%$'\n'*}" >/dev/null || return 1
    DEMO_LINES=$(jq -r '.[] | "    \(.time | todate)  \(.instance_id)  \(.message)"' <<<"${answer%$'\n'*}")
}

# var/env: all that a client needs, as a shell file.
env_write() {
    local dsn
    dsn=$(passfile skylark_dba "$(id -un):")
    # shellcheck disable=SC2001
    file_write "$VAR/env" 600 <<END
# Made by \`make run\`; holds secrets. Use: . $VAR_WANTED/env
export SKYLARK_URL='$(front_url)'
export SKYLARK_INTERNAL_URL='$(front_internal_url)'
export SKYLARK_CA='$VAR/tls/ca.crt'
export SKYLARK_USER='demo'
export SKYLARK_PASSWORD='$(secret demo)'
export SKYLARK_TOKEN='$(<"$VAR/secret/demo.token")'
export SKYLARK_NAMESPACE='demo'
export SKYLARK_DSN='$dsn'
export DOCKER_HOST='unix://$ENGINE_SOCKET'
export SKYLARK_IMAGE='$DEMO_IMAGE:$DEMO_TAG'
END
}
