#!/bin/bash
# How many services a second are evaluated: SERVICES of them, all AUTO, with 10 samples each, all due at once. One evaluator, two,
# and two autoscalers beside each other, with all services in their band; and with a tenth of them above it, so that a tenth of the
# evaluations are actions.
#   SERVICES=100000
SERVICES=${SERVICES:-100000}
. "$(dirname -- "$0")/lib.sh"
SETTINGS=("SERVICES=$SERVICES")
bench_inside "$@"
if [ "${3:-}" != --postgres ]; then
    PG_OPTIONS='-c shared_buffers=512MB -c max_wal_size=4GB' "$ROOT/tests/lib/with_postgres.sh" "$0" --inside "$WORK" --postgres
    exit
fi

dsn="${SKYLARK_TEST_PG% user=*} dbname=autoscaled"
sql() { PGOPTIONS=-cskylark.by_hand=on psql -XqAt -v ON_ERROR_STOP=1 "$dsn user=owner" "$@"; }
psql -Xq "${SKYLARK_TEST_PG} dbname=postgres" -c 'CREATE DATABASE autoscaled'
"$SKYLARK_TEST_CTL" -o "database=$dsn user=owner" migrate >/dev/null

echo "making $SERVICES services of 1 instance with 10 samples each"
sql -v n="$SERVICES" <<'END'
BEGIN;
INSERT INTO skylark.namespaces (name, kind) SELECT 'n' || g, 'organisation' FROM generate_series(1, 1000) g;
INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by, scaling_mode, target_num_instances)
SELECT gen_random_uuid(), n.id, 's' || g, 'x', 'XS', 'n', 'AUTO', 2
FROM skylark.namespaces n, generate_series(1, :n / 1000) g;
INSERT INTO skylark.autoscaling_settings (service_id, metric_name, upper_threshold, lower_threshold, minimum_num_instances,
                                          maximum_num_instances, wait_period)
-- Long enough that all samples are still of the window at the end of a leg.
SELECT id, 'CPU_UTILIZATION', 0.6, 0.1, 1, 6, 120 FROM skylark.services;
INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, container_id, state, started_at)
SELECT gen_random_uuid(), s.id, 0, 1, 'e', gen_random_uuid()::text, 'running', now() - interval '1 hour' FROM skylark.services s;
COMMIT;
END

# leg NAME AUTOSCALERS EVALUATORS VALUE: what services whose uuid begins with less than 1a use
leg() {
    local pids='' i begun due peak
    sql -v value="$4" <<'END'
UPDATE skylark.services SET target_num_instances = 2, last_autoscaled_at = NULL WHERE target_num_instances <> 2;
UPDATE skylark.service_status st SET observed_revision = q.revision, observed_generation = 1, condition = 'settled'
FROM skylark.services q WHERE q.id = st.service_id AND (st.observed_revision <> q.revision OR st.condition <> 'settled');
TRUNCATE skylark.metric_samples;
-- Stored as a collector would: sample by sample over all instances.
INSERT INTO skylark.metric_samples
SELECT i.id, now() - g * interval '5 seconds', CASE WHEN left(i.id::text, 2) < '1a' THEN :value ELSE 0.3 END, 0.3, 1, 1
FROM generate_series(10, 1, -1) g, skylark.instances i;
UPDATE skylark.autoscaling_queue SET due_at = now() - random() * interval '1 second', acted_at = NULL, evaluated_at = NULL;
DELETE FROM skylark.events;
DELETE FROM skylark.autoscaling_decisions WHERE target_before <> target_after;
VACUUM ANALYZE;
CHECKPOINT;
END
    for ((i = 0; i < $2; i++)); do
        # Every look is the only one of its leg.
        "$SKYLARK_TEST_BIN/skylark-autoscaler" -o "database=$dsn user=skylark_autoscaler" -o evaluators="$3" -o metrics_listen= \
            -o evaluation_interval=24h -o sample_stale=2m &
        pids+=" $!"
    done
    until [ "$(sql -c 'SELECT count(*) FROM (SELECT FROM skylark.autoscaling_queue WHERE due_at <= now() LIMIT 1) x')" = 0 ]; do
        sleep 0.05
    done
    due=$(sql -c "SELECT date_part('epoch', clock_timestamp() - min(evaluated_at)) FROM skylark.autoscaling_queue")
    peak=$(for i in $pids; do pgrep -P "$i"; done | while read -r i; do awk '$1 == "VmHWM:" { print $2 }' "/proc/$i/status"; done | sort -n | tail -n 1)
    # shellcheck disable=SC2086
    kill $pids
    # shellcheck disable=SC2086
    wait $pids || true
    sql -v name="$1" -v seconds="$due" -v peak="$peak" -v acting="$(awk -v v="$4" 'BEGIN { print (v > 0.6 ? 3 : 2) }')" <<'END'
SELECT format('%-36s %8s in %6s s = %8s a second   %s actions   %s MiB at most', :'name', count(*), round(:'seconds'::numeric, 2),
              round(count(*) / :'seconds'::numeric), (SELECT count(*) FROM skylark.events), round(:'peak'::numeric / 1024, 1))
FROM skylark.autoscaling_queue WHERE evaluated_at IS NOT NULL;
-- Each that was above the band has acted, and once; nothing else has.
SELECT 'DOUBLED OR LOST: ' || count(*)
FROM skylark.services s
WHERE s.target_num_instances <> (SELECT CASE WHEN left(i.id::text, 2) < '1a' THEN :acting ELSE 2 END FROM skylark.instances i WHERE i.service_id = s.id)
   OR (SELECT count(*) FROM skylark.autoscaling_decisions d WHERE d.service_id = s.id AND d.target_before <> d.target_after) <> s.target_num_instances - 2
HAVING count(*) > 0;
END
}
leg 'first look (a row for each), 2' 1 2 0.3
for round in 1 2; do
    leg "$round A  1 evaluator" 1 1 0.3
    leg "$round B  2 evaluators" 1 2 0.3
    leg "$round C  2 autoscalers, 1 each" 2 1 0.3
    leg "$round D  2 autoscalers, a tenth acts" 2 1 0.9
done
echo "To compare: Kubernetes' HPA controller, as published: 5,000 in 7.5 s with five workers = 667 a second"
