#!/bin/bash
# GET of one service over TLS beside pgbench with the very same statement on the same cluster: A B A B, as a ratio
# within one run. What counts is the ratio: the same machine, the same minute, the same rows.
#   SECONDS_EACH=8   length of each of the four legs
#   CONNECTIONS=64   of wrk; pgbench has as many connections as the API has workers
SECONDS_EACH=${SECONDS_EACH:-8}
CONNECTIONS=${CONNECTIONS:-64}
. "$(dirname -- "$0")/lib.sh"
SETTINGS=("SECONDS_EACH=$SECONDS_EACH" "CONNECTIONS=$CONNECTIONS")
bench_inside "$@"
bench_up
workers=$(ps -o pid= --ppid "$(<"$SKYLARK_VAR/run/api.pid")" | wc -l)
cd "$WORK"

# The token goes in through a file: arguments are for all to read.
umask 077
printf 'wrk.headers["Authorization"] = "Token %s"\n' "$SKYLARK_TOKEN" >wrk.lua

# The API's own statement; its parameters by name, as pgbench wants them.
sed -e '/^--/d' -e 's/\$1\b/:token_hash/; s/\$2\b/:namespace/; s/\$3\b/:service/' "$ROOT/sql/queries/api/service_get.sql" >get.sql
echo ';' >>get.sql
hash=$(printf %s "$SKYLARK_TOKEN" | sha256sum | cut -d ' ' -f 1)
export PGPASSFILE=$SKYLARK_VAR/etc/skylark_api.pgpass
dsn="host=$SKYLARK_VAR/run/postgres dbname=skylark user=skylark_api"

# Both must give the same document, or there is nothing to compare.
curl -sS -f --cacert "$SKYLARK_CA" -H @<(echo "Authorization: Token $SKYLARK_TOKEN") "$SKYLARK_URL/v1/services/demo/demo/" >api.json
psql -XqAt -v token_hash="'\\x$hash'" -v namespace="'demo'" -v service="'demo'" -f get.sql "$dsn" | cut -d '|' -f 5- >sql.json
cmp api.json <(head -c -1 sql.json) || { echo 'the API and the statement give different documents'; exit 1; }

milliseconds() { # wrk's "830.00us", "4.21ms", "1.02s"
    awk -v t="$1" 'BEGIN { f = t ~ /us$/ ? 0.001 : t ~ /ms$/ ? 1 : 1000; printf "%.2f", t * f }'
}
leg_api() {
    wrk -t 2 -c "$CONNECTIONS" -d "${SECONDS_EACH}s" --latency -s wrk.lua "$SKYLARK_URL/v1/services/demo/demo/" >wrk.out
    if grep -E 'Non-2xx|Socket errors' wrk.out; then echo 'not all requests were answered with 200'; exit 1; fi
    rate=$(awk '$1 == "Requests/sec:" { print $2 }' wrk.out)
    p50=$(milliseconds "$(awk '$1 == "50%" { print $2 }' wrk.out)")
    p99=$(milliseconds "$(awk '$1 == "99%" { print $2 }' wrk.out)")
}
leg_sql() {
    rm -f tps.*
    pgbench -n -M prepared -c "$workers" -j 2 -T "$SECONDS_EACH" -f get.sql -D token_hash="\\x$hash" -D namespace=demo \
        -D service=demo -l --log-prefix=tps --sampling-rate=0.1 "$dsn" >pgbench.out 2>&1 || { cat pgbench.out; exit 1; }
    rate=$(awk '$1 == "tps" { print $3 }' pgbench.out)
    read -r p50 p99 < <(cat tps.* | awk '{ print $3 }' | sort -n |
        awk '{ t[NR] = $1 } END { printf "%.2f %.2f\n", t[int(NR * 0.5) + 1] / 1000, t[int(NR * 0.99) + 1] / 1000 }')
}

printf '%-34s %10s %9s %9s\n' '' 'per second' 'p50 ms' 'p99 ms'
api_sum=0 sql_sum=0
for round in 1 2; do
    leg_api
    printf '%-34s %10.0f %9s %9s\n' "$round A  GET over TLS, $CONNECTIONS connections" "$rate" "$p50" "$p99"
    api_sum=$(awk -v a="$api_sum" -v b="$rate" 'BEGIN { print a + b }')
    leg_sql
    printf '%-34s %10.0f %9s %9s\n' "$round B  pgbench, $workers connections" "$rate" "$p50" "$p99"
    sql_sum=$(awk -v a="$sql_sum" -v b="$rate" 'BEGIN { print a + b }')
done
awk -v a="$api_sum" -v b="$sql_sum" 'BEGIN { printf "ratio A / B: %.3f\n", a / b }'
"$ROOT/local/stop" >/dev/null
