#!/bin/bash
# What the front costs, as ratios within one run; and requests that are lost while routes change, which should be none: 10,000
# at least over HTTPS and as many TCP connections, at 16 connections each, while a service is scaled 2, 5, 1, updated, and
# while one of its instances is killed. Every request has a connection of its own. Ends with status 1 when one is lost that
# need not be.
#   REQUESTS=10000      at the least, of each kind, for each change
#   SECONDS_EACH=6      length of a leg of the ratios
REQUESTS=${REQUESTS:-10000}
SECONDS_EACH=${SECONDS_EACH:-6}
. "$(dirname -- "$0")/lib.sh"
SETTINGS=("REQUESTS=$REQUESTS" "SECONDS_EACH=$SECONDS_EACH")
[ "${1:-}" = --inside ] || make -C "$ROOT" --no-print-directory -s build/bench/load
bench_inside "$@"
bench_up
cd "$WORK"
SERVICES=$SKYLARK_URL/v1/services/demo
lost=0

api() { curl -sS -f --max-time 30 --cacert "$SKYLARK_CA" -K "$SKYLARK_VAR/secret/demo.curl" -H 'Content-Type: application/json' "$@"; }
change() { api -X PUT "$SERVICES/routed/" -d "$1" -o /dev/null; }
# Waits until the service runs with so many instances.
runs() {
    local end=$((SECONDS + 120))
    until api "$SERVICES/routed/" | jq -e --argjson n "$1" '.current_status == "Running" and .started_num_instances == $n and
        .current_num_instances == $n' >/dev/null; do
        [ $SECONDS -lt $end ] || { api "$SERVICES/routed/"; exit 1; }
        sleep 0.1
    done
}

# An image of nothing but the tests' server, as two tags.
mkdir -p image/bin
cc -static -O2 -pthread -o image/bin/serve "$ROOT/tests/image/serve.c"
for tag in v1 v2; do
    tar -C image -c . | docker import --change "ENV TAG=$tag" --change 'CMD ["/bin/serve", "80", "22"]' - "localhost/routed:$tag" >/dev/null
done
api "$SERVICES/" -o /dev/null -d '{"service_name": "routed", "image_name": "localhost/routed", "image_tag": "v1", "target_num_instances": 2,
    "instance_ports": [{"container_port": 80, "endpoint_type": "http-endpoint"}, {"container_port": 22, "endpoint_type": "tcp-endpoint"}]}'
runs 2
name=$(api "$SERVICES/routed/" | jq -r .default_domain_name)
port=$(api "$SERVICES/routed/" | jq -r '.instance_ports[1].service_port')
address=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$(docker ps -q --filter label=skylark.name=routed | head -n 1)")

# --- what the front costs ---
leg() { # NAME WRK-ARGUMENT...
    wrk -t 2 -c 16 -d "${SECONDS_EACH}s" "${@:2}" >wrk.out
    rate=$(awk '$1 == "Requests/sec:" { print $2 }' wrk.out)
    printf '%-44s %9.0f per second\n' "$1" "$rate"
}
sum_a=0 sum_b=0 sum_c=0
for round in 1 2; do
    leg "$round A  http-endpoint of 2 instances" -H "Host: $name" http://127.0.0.1:8080/; sum_a+="+$rate"
    leg "$round B  one instance, without nginx" "http://$address/"; sum_b+="+$rate"
    leg "$round C  nginx, without instances" -H "Host: nobody.${name#*.}" http://127.0.0.1:8080/; sum_c+="+$rate"
done
awk "BEGIN { printf \"ratio A / B: %.3f, A / C: %.3f\\n\", ($sum_a) / ($sum_b), ($sum_a) / ($sum_c) }"

# --- what is lost ---
load_begin() {
    "$ROOT/build/bench/load" http "https://$name:8443/" "$SKYLARK_CA" 16 "$REQUESTS" >http.out & http=$!
    "$ROOT/build/bench/load" tcp "$port" - 16 "$REQUESTS" >tcp.out & tcp=$!
}
load_end() { # WHAT MAY-BE-LOST
    local kind done failed slowest hosts first
    sleep 1
    kill -TERM "$http" "$tcp"
    wait "$http" "$tcp"
    for kind in http tcp; do
        read -r done failed slowest hosts first <$kind.out
        printf '%-28s %-5s lost %d of %d, slowest %d ms, %d instances answered%s\n' "$1" "$kind" "$failed" "$done" "$slowest" "$hosts" \
            "$([ "$failed" = 0 ] || echo "; first: ${first:0:100}")"
        [ "$failed" -le "$2" ] || lost=1
    done
}
load_begin
change '{"target_num_instances": 5}'; runs 5
change '{"target_num_instances": 1}'; runs 1
load_end 'scaled 2, 5, 1' 0
change '{"target_num_instances": 3}'; runs 3
load_begin
change '{"image_tag": "v2"}'; sleep 1; runs 3
load_end 'update of 3 instances' 0
load_begin
sleep 2
docker kill "$(docker ps -q --filter label=skylark.name=routed | head -n 1)" >/dev/null
sleep 2; runs 3
load_end 'docker kill of one of 3' 16 # at most what it was at
"$ROOT/local/stop" >/dev/null
exit "$lost"
