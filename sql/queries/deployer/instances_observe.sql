-- hot
-- one row
-- Writes what was seen of instances of the service $1, if the deployer $2 still holds the lease: $3 is an array of
-- {id, container_id, state, started_ms, finished_ms, exit_code, reason, address, published}; published: an array of
-- {container_port, protocol, address, port} where direct-endpoints are. Adds an event for each that started or ended, by
-- the request $4, and tells the collectors of containers that are new or have started.
-- parameters: service_id, deployer, instances, request_id
-- columns: changed, told, noted
WITH seen AS (
         SELECT x.*
         FROM jsonb_to_recordset($3::jsonb)
             AS x (id uuid, container_id text, state text, started_ms bigint, finished_ms bigint, exit_code integer, reason text,
                   address inet, published jsonb)
         JOIN skylark.reconcile_queue q ON q.service_id = $1::uuid AND q.lease_owner = $2::text AND q.lease_until > now()),
     before AS (
         SELECT i.id, i.state, i.container_id FROM skylark.instances i JOIN seen ON seen.id = i.id),
     changed AS (
         UPDATE skylark.instances i
         SET container_id = COALESCE(seen.container_id, i.container_id),
             state = seen.state,
             started_at = COALESCE('epoch'::timestamptz + seen.started_ms * interval '1 millisecond', i.started_at),
             finished_at = COALESCE('epoch'::timestamptz + seen.finished_ms * interval '1 millisecond', i.finished_at),
             exit_code = COALESCE(seen.exit_code, i.exit_code),
             reason = COALESCE(seen.reason, i.reason),
             address = COALESCE(seen.address, i.address),
             removed_at = CASE WHEN seen.state = 'removed' THEN COALESCE(i.removed_at, now()) END
         FROM seen
         WHERE i.id = seen.id
         RETURNING i.*),
     published AS (
         UPDATE skylark.instance_ports o
         SET host_address = p.address, host_port = p.port
         FROM seen
         CROSS JOIN LATERAL jsonb_to_recordset(seen.published)
             AS p (container_port integer, protocol text, address inet, port integer)
         WHERE o.instance_id = seen.id AND o.endpoint_type = 'direct-endpoint'
           AND (o.container_port, o.protocol) = (p.container_port, p.protocol)),
     told AS (
         SELECT pg_notify('skylark_instances', c.id::text)
         FROM changed c JOIN before b ON b.id = c.id
         WHERE (b.container_id IS NULL AND c.container_id IS NOT NULL) OR (b.state <> 'running' AND c.state = 'running')),
     noted AS (
         INSERT INTO skylark.events (namespace_name, service_name, service_id, actor, action, reason, request_id)
         SELECT n.name, s.name, s.id, 'deployer',
                CASE WHEN c.state = 'running' THEN 'instance_started'
                     WHEN c.stop_requested_at IS NOT NULL THEN 'instance_stopped'
                     ELSE 'instance_died' END,
                s.name || '.' || c.slot || CASE WHEN c.reason <> '' AND c.state <> 'running' THEN ': ' || c.reason ELSE '' END,
                NULLIF($4::text, '')
         FROM changed c
         JOIN before b ON b.id = c.id
         JOIN skylark.services s ON s.id = c.service_id
         JOIN skylark.namespaces n ON n.id = s.namespace_id
         WHERE (c.state = 'running' AND b.state <> 'running')
            OR (c.state IN ('exited', 'removed') AND b.state NOT IN ('exited', 'removed', 'intended'))
         RETURNING 1)
SELECT (SELECT count(*) FROM changed) AS changed, (SELECT count(*) FROM told) AS told, (SELECT count(*) FROM noted) AS noted
