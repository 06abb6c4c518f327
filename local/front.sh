# nginx with its own folder, configuration and pid, and the certificate it shows.
# shellcheck shell=bash

# A certificate authority for this installation, made once.
tls_make_ca() {
    [ ! -s "$VAR/tls/ca.crt" ] || [ ! -s "$VAR/tls/ca.key" ] || return 0
    say "making a certificate authority in $VAR/tls"
    (umask 077 && openssl ecparam -name prime256v1 -genkey -noout -out "$VAR/tls/ca.key.new")
    openssl req -x509 -new -key "$VAR/tls/ca.key.new" -sha256 -days 3650 -subj '/CN=Skylark local CA' \
        -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
        -out "$VAR/tls/ca.crt.new"
    mv "$VAR/tls/ca.key.new" "$VAR/tls/ca.key"
    mv "$VAR/tls/ca.crt.new" "$VAR/tls/ca.crt"
    rm -f "$VAR/tls/server.crt" "$VAR/certificates/$DEMO_DOMAIN/fullchain.pem"
}

# The server's certificate: made anew when its names change or it ends within a month.
tls_make_server() {
    local domain=$1 names host
    host=$(hostname -f 2>/dev/null || hostname)
    names="DNS:localhost,DNS:$domain,DNS:*.$domain,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1"
    [[ ! $host =~ ^[A-Za-z0-9.-]+$ ]] || [ "$host" = localhost ] || names+=",DNS:$host"
    case $LISTEN in
    127.0.0.1 | 0.0.0.0 | '[::]' | '[::1]') ;;
    *) names+=",IP:$(printf %s "$LISTEN" | tr -d '[]')" ;;
    esac
    tls_make_certificate "$VAR/tls/server.key" "$VAR/tls/server.crt" "$names"
}

# tls_make_certificate KEY CERTIFICATE NAMES: anew when its names (as subjectAltName has them) change or it ends within a month.
tls_make_certificate() {
    local key=$1 certificate=$2 names=$3
    if [ -s "$key" ] && [ "$(cat "$certificate.names" 2>/dev/null)" = "$names" ] &&
        openssl x509 -in "$certificate" -noout -checkend 2592000 >/dev/null 2>&1; then
        return 0
    fi
    (
        cd "$VAR/tls"
        umask 077
        openssl ecparam -name prime256v1 -genkey -noout -out "$key.new"
        openssl req -new -key "$key.new" -sha256 -subj '/CN=Skylark' -out request.csr
        printf '%s\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' \
            'extendedKeyUsage=serverAuth' "subjectAltName=$names" >request.ext
        openssl x509 -req -in request.csr -CA ca.crt -CAkey ca.key -sha256 -days 820 -extfile request.ext \
            -set_serial "0x$(openssl rand -hex 16)" -out "$certificate.new" 2>openssl.log || {
            cat openssl.log >&2
            exit 1
        }
        chmod 644 "$certificate.new"
        mv "$key.new" "$key"
        mv "$certificate.new" "$certificate"
        rm -f request.csr request.ext openssl.log
    ) || fail 'openssl could not make a certificate'
    printf '%s\n' "$names" | file_write "$certificate.names" 644
}

# Fails with the holder's name when a port is taken by anything but our own front, which goes on running then.
front_check_ports() {
    local name port holder ours=' '
    if process_pid front >/dev/null; then
        ours=" $(cat "$VAR/run/front.ports" 2>/dev/null) "
    else
        process_sweep front # workers of a master that was killed still listen
    fi
    for name in HTTPS_PORT HTTP_PORT INTERNAL_PORT; do
        port=${!name}
        [[ $ours != *" $port "* ]] || continue
        holder=$(port_holder "$port")
        [ -z "$holder" ] || fail "port $port (SKYLARK_$name) is taken by $holder: set SKYLARK_$name to another"
    done
}
front_ports() { echo "$LISTEN $HTTPS_PORT $HTTP_PORT $INTERNAL_PORT"; }

front_configure() {
    local folder=$VAR/etc/nginx workers user=www-data
    [ -n "$ROOTLY" ] || user=$(id -un)
    workers=$(nproc)
    [ "$workers" -le 8 ] || workers=8
    mkdir -p "$folder" "$VAR/run/front" "$VAR/run/routes" "$VAR/acme" "$VAR/certificates"
    # Addresses of instances are others by now, so old routes would lead anywhere; skylark-router makes new ones at once.
    process_pid front >/dev/null || rm -rf "$VAR/run/routes/current"
    front_modules | file_write "$folder/modules.conf" 644
    "$ROOT/local/render.sh" RUN="$VAR/run/front" ETC="$folder" WORKERS="$workers" USER="$user" \
        <"$ROOT/nginx/nginx.conf.in" | file_write "$folder/nginx.conf" 644
    "$ROOT/local/render.sh" ETC="$folder" API="unix:$VAR/run/api-socket/api.sock" TLS="$VAR/tls" \
        LISTEN="$LISTEN:" HTTPS_PORT="$HTTPS_PORT" HTTP_PORT="$HTTP_PORT" HTTPS_SUFFIX=":$HTTPS_PORT" \
        INTERNAL="127.0.0.1:$INTERNAL_PORT" ROUTES="$VAR/run/routes" \
        REQUEST_RATE="$REQUEST_RATE" REQUEST_BURST=$((REQUEST_RATE * 2)) \
        ADDRESS_RATE=$((REQUEST_RATE * 4)) ADDRESS_BURST=$((REQUEST_RATE * 8)) <"$ROOT/nginx/skylark.conf.in" |
        file_write "$folder/skylark.conf" 644
    "$ROOT/local/render.sh" ACCESS_LOG="$VAR/log/access.log" ACME="$VAR/acme" <"$ROOT/nginx/skylark-server.conf.in" |
        file_write "$folder/skylark-server.conf" 644
    "$ROOT/local/render.sh" ACCESS_LOG="$VAR/log/access.log" ACME="$VAR/acme" ETC="$folder" \
        <"$ROOT/nginx/skylark-service.conf.in" | file_write "$folder/skylark-service.conf" 644
    "$ROOT/local/render.sh" ROUTES="$VAR/run/routes" <"$ROOT/nginx/skylark-stream.conf.in" |
        file_write "$folder/skylark-stream.conf" 644
    "$ROOT/local/render.sh" ETC="$folder" LISTEN="$LISTEN:" HTTPS_PORT="$HTTPS_PORT" HTTP_PORT="$HTTP_PORT" \
        INTERNAL="127.0.0.1:$INTERNAL_PORT" STREAM_LISTEN="$LISTEN:" <"$ROOT/nginx/skylark-routes.conf.in" |
        file_write "$folder/skylark-routes.template" 644
    file_write "$folder/skylark-api.conf" 644 <"$ROOT/nginx/skylark-api.conf"
    file_write "$folder/skylark-tls.conf" 644 <"$ROOT/nginx/skylark-tls.conf"
}

# What loads the stream module, where nginx has it as one.
front_modules() {
    local folder
    folder=$(/usr/sbin/nginx -V 2>&1 | grep -o -- '--modules-path=[^ ]*' | cut -d = -f 2)
    [ ! -e "$folder/ngx_stream_module.so" ] || echo "load_module $folder/ngx_stream_module.so;"
}

front_start() {
    local etc=$VAR/etc/nginx
    front_configure
    process_start front root "$(process_made /usr/sbin/nginx "$etc/nginx.conf" "$etc/skylark.conf" \
        "$etc/skylark-server.conf" "$etc/skylark-service.conf" "$etc/skylark-api.conf" "$etc/skylark-tls.conf" \
        "$etc/skylark-stream.conf" "$etc/modules.conf" "$VAR/tls/server.crt" -- "$(front_ports)")" \
        /usr/sbin/nginx -p "$VAR/run/front" -c "$etc/nginx.conf" -e stderr
    front_ports | file_write "$VAR/run/front.ports" 644
    process_ready front 60 front_answers
}
front_answers() {
    curl -s -o /dev/null --max-time 5 --cacert "$VAR/tls/ca.crt" "$(front_url)/healthz"
}

# Whether the API, asked through the internal server, reaches a database that it knows.
front_ready() { curl -s -f -o /dev/null --max-time 5 "$(front_internal_url)/readyz"; }

# What the API has to know of it. What a person has set stays: names are only added, and an address takes the place of none or
# of the one of the run before.
front_settings() {
    local host address before now names
    host=$(hostname -f 2>/dev/null || hostname)
    address=$(front_shown_address "$LISTEN")
    before=$(front_shown_address "$(cut -d ' ' -f 1 "$VAR/run/front.ports" 2>/dev/null)")
    now=$(sql skylark -c 'SELECT host(front_address) FROM skylark.installation')
    [ -z "$now" ] || [ "$now" = "$before" ] || address=$now
    names=$(sql skylark -v names="localhost,$(echo "$host" | tr '[:upper:]' '[:lower:]')" <<'END'
SELECT string_agg(n, ',' ORDER BY n)
FROM (SELECT unnest(host_names) AS n FROM skylark.installation UNION SELECT string_to_table(:'names', ',')) x
WHERE skylark.is_host_name(n)
END
    )
    ctl settings set "front_address=$address" "host_names=$names" >/dev/null
}
front_shown_address() { # LISTEN: which of all it is, only a person knows
    case $1 in 0.0.0.0 | '[::]') ;; *) printf %s "$1" | tr -d '[]' ;; esac
}

# The address that people and tests use.
front_url() {
    case $LISTEN in
    127.0.0.1 | 0.0.0.0) echo "https://localhost:$HTTPS_PORT" ;;
    *) echo "https://$LISTEN:$HTTPS_PORT" ;;
    esac
}
front_host() {
    case $LISTEN in
    127.0.0.1 | 0.0.0.0) echo 127.0.0.1 ;;
    *) echo "$LISTEN" ;;
    esac
}
front_internal_url() { echo "http://127.0.0.1:$INTERNAL_PORT"; }
