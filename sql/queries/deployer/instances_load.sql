-- hot
-- The instances of the service $1 that may have a container, and of each slot the latest that has none any more but was
-- of the generation $2: how it ended counts for the back-off. vanished: nobody saw how it ended, since its container was taken
-- away. fronted: fronts send it requests at all. route_served: each live front has its latest change (a change noted by another
-- cluster, before a restore, is history). drained: no live front has a connection to it left. Both are false while fronts are
-- known and none is live. Times are in milliseconds since 1970, 0 for never.
-- parameters: service_id, generation
-- columns: instance_id, slot, generation, container_id, state, restarts, started_ms, stop_requested_ms, finished_ms, reason
-- columns: log_complete, vanished, ready_ms, unroute_requested_ms, fronted, route_served, drained, unrouted_ms, tcp_ports
-- columns: removal_failures, removal_due_ms, removal_fault
SELECT i.id AS instance_id, i.slot, i.generation, COALESCE(i.container_id, '') AS container_id, i.state, i.restarts,
       COALESCE(extract(epoch FROM i.started_at) * 1000, 0)::bigint AS started_ms,
       COALESCE(extract(epoch FROM i.stop_requested_at) * 1000, 0)::bigint AS stop_requested_ms,
       COALESCE(extract(epoch FROM i.finished_at) * 1000, 0)::bigint AS finished_ms,
       i.reason, COALESCE(p.completed_at IS NOT NULL, false) AS log_complete,
       i.state = 'removed' AND i.started_at IS NOT NULL AND i.exit_code IS NULL AS vanished,
       COALESCE(extract(epoch FROM i.ready_at) * 1000, 0)::bigint AS ready_ms,
       COALESCE(extract(epoch FROM i.unroute_requested_at) * 1000, 0)::bigint AS unroute_requested_ms,
       EXISTS (SELECT FROM skylark.instance_ports o
               WHERE o.instance_id = i.id AND o.endpoint_type IN ('http-endpoint', 'tcp-endpoint')) AS fronted,
       CASE WHEN f.live THEN NOT EXISTS (SELECT FROM skylark.live_fronts l
                                         WHERE pg_visible_in_snapshot(i.route_xid, l.applied_snapshot) IS NOT TRUE
                                           AND (i.route_xid < pg_snapshot_xmax(pg_current_snapshot())) IS NOT FALSE)
            ELSE NOT f.known END AS route_served,
       CASE WHEN f.live THEN NOT EXISTS (SELECT FROM skylark.live_fronts l WHERE i.id = ANY (l.busy)) ELSE NOT f.known END AS drained,
       COALESCE(extract(epoch FROM i.unrouted_at) * 1000, 0)::bigint AS unrouted_ms,
       (SELECT COALESCE(string_agg(DISTINCT o.container_port::text, ' '), '') FROM skylark.instance_ports o
        WHERE o.instance_id = i.id AND o.protocol = 'tcp') AS tcp_ports,
       i.removal_failures, COALESCE(extract(epoch FROM i.removal_due_at) * 1000, 0)::bigint AS removal_due_ms, i.removal_fault
FROM (SELECT * FROM skylark.instances live WHERE live.service_id = $1::uuid AND live.state <> 'removed'
      UNION ALL
      SELECT latest.*
      FROM (SELECT DISTINCT ON (gone.slot) gone.*
            FROM skylark.instances gone
            WHERE gone.service_id = $1::uuid AND gone.state = 'removed' AND gone.generation = $2::bigint
            ORDER BY gone.slot, gone.created_at DESC) latest) i
CROSS JOIN skylark.front_state f
LEFT JOIN skylark.log_positions p ON p.instance_id = i.id
ORDER BY i.slot, i.created_at
