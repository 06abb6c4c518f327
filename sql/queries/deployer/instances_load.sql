-- hot
-- The instances of the service $1 that may have a container, and of each slot the latest that has none any more but was
-- of the generation $2 (how it ended counts for the back-off; the twelfth column says that nobody saw how: the container
-- was taken away). From the fifteenth on: whether fronts send it requests at all; whether each that lives has its latest
-- change (one noted by another cluster, before a restore, is history), and whether none of them has a connection left, both
-- false while fronts are known and none lives; when all had stopped; its TCP ports. Times in milliseconds since 1970, 0 for
-- never.
SELECT i.id, i.slot, i.generation, COALESCE(i.container_id, ''), i.state, i.restarts,
       COALESCE(extract(epoch FROM i.started_at) * 1000, 0)::bigint,
       COALESCE(extract(epoch FROM i.stop_requested_at) * 1000, 0)::bigint,
       COALESCE(extract(epoch FROM i.finished_at) * 1000, 0)::bigint,
       i.reason, COALESCE(p.completed_at IS NOT NULL, false),
       i.state = 'removed' AND i.started_at IS NOT NULL AND i.exit_code IS NULL,
       COALESCE(extract(epoch FROM i.ready_at) * 1000, 0)::bigint,
       COALESCE(extract(epoch FROM i.unroute_requested_at) * 1000, 0)::bigint,
       EXISTS (SELECT FROM skylark.instance_ports o
               WHERE o.instance_id = i.id AND o.endpoint_type IN ('http-endpoint', 'tcp-endpoint')),
       CASE WHEN f.live THEN NOT EXISTS (SELECT FROM skylark.live_fronts l
                                         WHERE pg_visible_in_snapshot(i.route_xid, l.applied_snapshot) IS NOT TRUE
                                           AND (i.route_xid < pg_snapshot_xmax(pg_current_snapshot())) IS NOT FALSE)
            ELSE NOT f.known END,
       CASE WHEN f.live THEN NOT EXISTS (SELECT FROM skylark.live_fronts l WHERE i.id = ANY (l.busy)) ELSE NOT f.known END,
       COALESCE(extract(epoch FROM i.unrouted_at) * 1000, 0)::bigint,
       (SELECT COALESCE(string_agg(DISTINCT o.container_port::text, ' '), '') FROM skylark.instance_ports o
        WHERE o.instance_id = i.id AND o.protocol = 'tcp')
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
