-- hot
-- Notes what the front $1 serves: the routes of the moment $2 (null: as before), $3 servers; the instances $4 (an array of
-- uuids) still hold connections; $5 is what is wrong with all of it ('': nothing), $6 with single endpoints ({service: why}).
-- Makes the services due that this is news for, and wakes the deployers.
-- parameters: front, snapshot, servers, busy, fault, endpoint_faults
-- columns: woken
WITH before AS (
         SELECT f.applied_snapshot, f.busy, f.endpoint_faults FROM skylark.fronts f WHERE f.name = $1::text),
     written AS (
         INSERT INTO skylark.fronts AS f (name, applied_snapshot, applied_at, servers, busy, fault, fault_since, endpoint_faults)
         VALUES ($1::text, $2::pg_snapshot, CASE WHEN $2::text IS NOT NULL THEN now() END, $3::integer, $4::uuid[], $5::text,
                 CASE WHEN $5::text <> '' THEN now() END, $6::jsonb)
         ON CONFLICT (name) DO UPDATE
         SET applied_snapshot = COALESCE(EXCLUDED.applied_snapshot, f.applied_snapshot),
             applied_at = COALESCE(EXCLUDED.applied_at, f.applied_at),
             servers = EXCLUDED.servers, busy = EXCLUDED.busy, fault = EXCLUDED.fault,
             fault_since = CASE WHEN EXCLUDED.fault <> '' THEN COALESCE(f.fault_since, now()) END,
             endpoint_faults = EXCLUDED.endpoint_faults, observed_at = now()
         RETURNING f.applied_snapshot, f.busy, f.endpoint_faults),
     affected AS (
         SELECT i.service_id
         FROM written w
         LEFT JOIN before b ON true
         JOIN skylark.instances i
             ON i.state = 'running' AND i.route_xid >= COALESCE(pg_snapshot_xmin(b.applied_snapshot), '0'::xid8)
            AND pg_visible_in_snapshot(i.route_xid, w.applied_snapshot)
            AND pg_visible_in_snapshot(i.route_xid, b.applied_snapshot) IS NOT TRUE
         UNION
         SELECT i.service_id
         FROM before b
         CROSS JOIN written w
         CROSS JOIN LATERAL unnest(b.busy) AS was (id)
         JOIN skylark.instances i ON i.id = was.id
         WHERE was.id <> ALL (w.busy)
         UNION
         SELECT COALESCE(was.service, now.service)::uuid
         FROM (SELECT f.key AS service, f.value FROM before b CROSS JOIN LATERAL jsonb_each_text(b.endpoint_faults) f) was
         FULL JOIN (SELECT f.key AS service, f.value FROM written w CROSS JOIN LATERAL jsonb_each_text(w.endpoint_faults) f) now
             ON now.service = was.service
         WHERE now.value IS DISTINCT FROM was.value),
     woken AS (
         INSERT INTO skylark.wakes (service_id)
         SELECT a.service_id FROM affected a WHERE a.service_id IS NOT NULL
         RETURNING 1)
SELECT count(*) AS woken FROM woken
