#!/bin/bash
# What sampling costs: CPU of the collector and of the engine (dockerd, containerd, shims) with INSTANCES real containers, polled every
# 5 s as the collector does, beside not at all, beside one followed stream of stats a container.
#   INSTANCES=200  SECONDS_EACH=60
INSTANCES=${INSTANCES:-200}
SECONDS_EACH=${SECONDS_EACH:-60}
. "$(dirname -- "$0")/lib.sh"
SETTINGS=("INSTANCES=$INSTANCES" "SECONDS_EACH=$SECONDS_EACH")
bench_inside "$@"
bench_up
cd "$WORK"
api() { curl -sS --fail-with-body --cacert "$SKYLARK_CA" -H "Authorization: Token $SKYLARK_TOKEN" -H 'Content-Type: application/json' "$@"; }
wait_for() { # SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || { echo "not so in time: $*"; exit 1; }
        sleep 0.5
    done
}

echo "starting $INSTANCES containers"
api -X PUT "$SKYLARK_URL/v1/services/demo/demo/stop/" >/dev/null
api "$SKYLARK_URL/v1/services/demo/" -d '{"service_name": "idle", "image_name": "'"${SKYLARK_IMAGE%:*}"'", "image_tag": "'"${SKYLARK_IMAGE##*:}"'",
    "instance_size": "XXS", "run_command": "sleep 1000000", "target_num_instances": '"$INSTANCES"'}' >/dev/null
running() { [ "$(docker ps -q --filter label=skylark.name=idle | wc -l)" = "$INSTANCES" ]; }
wait_for 900 running
settled() { api "$SKYLARK_URL/v1/services/demo/idle/" | jq -e '.is_deploying == false' >/dev/null; }
wait_for 120 settled

# CPU time so far of processes, in clock ticks.
ticks() { # PIDS
    local pid sum=0
    for pid; do
        [ ! -e "/proc/$pid/stat" ] || sum=$((sum + $(sed 's/.*) //' "/proc/$pid/stat" | awk '{ print $12 + $13 }')))
    done
    echo "$sum"
}
engine_pids() { pgrep -x 'dockerd|containerd|containerd-shim.*'; }
collector_pids() { pgrep -P "$(<"$SKYLARK_VAR/run/collector.pid")"; }
hz=$(getconf CLK_TCK)

leg() { # NAME
    local e0 e1 c0 c1 s0 s1
    sleep 5
    # shellcheck disable=SC2046
    e0=$(ticks $(engine_pids)) c0=$(ticks $(collector_pids)) s0=$(curl -s "http://127.0.0.1:9182/metrics" | awk '$1 == "skylark_collector_samples_total" { print $2 }')
    sleep "$SECONDS_EACH"
    # shellcheck disable=SC2046
    e1=$(ticks $(engine_pids)) c1=$(ticks $(collector_pids)) s1=$(curl -s "http://127.0.0.1:9182/metrics" | awk '$1 == "skylark_collector_samples_total" { print $2 }')
    awk -v name="$1" -v e=$((e1 - e0)) -v c=$((c1 - c0)) -v t="$SECONDS_EACH" -v hz="$hz" -v s=$((s1 - s0)) \
        'BEGIN { printf "%-34s engine %5.2f %% of a CPU   collector %5.2f %%   %5.1f samples a second\n", name, e / hz / t * 100, c / hz / t * 100, s / t }'
}
collector_with() { # SAMPLE_INTERVAL
    sed -i "s/^sample_interval = .*/sample_interval = $1/" "$SKYLARK_VAR/etc/collector.conf"
    kill -HUP "$(<"$SKYLARK_VAR/run/collector.pid")"
    sleep 3
}

for round in 1 2; do
    collector_with 1h
    leg "$round A  not sampled"
    collector_with 5s
    leg "$round B  polled every 5 s"
done
collector_with 1h
for id in $(docker ps -q --filter label=skylark.name=idle); do
    curl -sN --unix-socket "${DOCKER_HOST#unix://}" "http://engine/containers/$id/stats?stream=true" >/dev/null &
done
leg '  C  one stream each, read by curl'
# shellcheck disable=SC2046
kill $(jobs -p) 2>/dev/null || true
"$ROOT/local/stop" >/dev/null
