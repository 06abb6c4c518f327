-- hot
-- One pass: claims services that are due, $5 at the most, evaluates them and carries the decisions out, all in this one
-- statement. So a pass is done whole or not at all, whatever happens to the process that sent it, and no two autoscalers
-- ever evaluate one service at once: each skips what another has locked, and what another has just done is not due any more.
-- $1: the time (null: now). $2: milliseconds between two looks at a service. $3: milliseconds after which samples are
-- stale. $4: milliseconds after which a decision that still holds is recorded anew. $5: how many services.
-- Returns a row a reason: how many evaluations ended so, and how late the latest was, in milliseconds.
-- parameters: now, interval_ms, stale_ms, heartbeat_ms, limit
-- columns: reason, evaluations, late_ms
WITH moment AS MATERIALIZED (
         SELECT COALESCE($1::timestamptz, now()) AS now,
                make_interval(secs => $3::bigint / 1000.0) AS stale,
                make_interval(secs => $4::bigint / 1000.0) AS heartbeat),
     claimed AS MATERIALIZED (
         SELECT q.*
         FROM skylark.autoscaling_queue q
         WHERE q.due_at <= COALESCE($1::timestamptz, now())
         ORDER BY q.due_at
         LIMIT $5::bigint
         FOR UPDATE SKIP LOCKED),
     -- What is known of each. The LIMIT 1 keeps this a walk along keys, however many services there are; in the order of the
     -- keys, since neighbours share pages of the indexes.
     measured AS MATERIALIZED (
         SELECT q.service_id, q.due_at, q.acted_at, q.reason AS reason_before, q.decided_at, q.recommended_at, q.recommended,
                k.target, k.generation, k.revision, k.updated_at, k.settings, m.running, m.counted, m.missing, m.samples,
                GREATEST(q.acted_at, m.grown_at) AS up_since, o.now, o.heartbeat,
                CASE (k.settings).metric_stat WHEN 'MEAN' THEN m.total / NULLIF(m.samples, 0) WHEN 'MAX' THEN m.most
                                              ELSE m.least END AS value,
                CASE WHEN (k.settings).stabilization_window > 0
                     THEN (SELECT max(h.count) FROM unnest(q.recommended_at, q.recommended) AS h (at, count)
                           WHERE h.at > o.now - make_interval(secs => (k.settings).stabilization_window)) END AS known,
                CASE WHEN (k.settings).stabilization_window > 0 THEN k.target END AS held_at
         FROM moment o
         CROSS JOIN (SELECT * FROM claimed ORDER BY service_id) q
         CROSS JOIN LATERAL (
             SELECT s.target_num_instances AS target, s.generation, s.revision, s.updated_at, a AS settings,
                    make_interval(secs => a.wait_period) AS period
             FROM skylark.services s
             JOIN skylark.autoscaling_settings a ON a.service_id = s.id
             WHERE s.id = q.service_id AND s.scaling_mode = 'AUTO' AND s.target_state = 'STARTED' AND s.deleted_at IS NULL
             LIMIT 1) k
         CROSS JOIN LATERAL (
             SELECT count(*)::integer AS running,
                    count(*) FILTER (WHERE i.fresh)::integer AS counted,
                    count(*) FILTER (WHERE NOT i.fresh AND i.started_at <= o.now - k.period - o.stale)::integer AS missing,
                    COALESCE(sum(i.samples) FILTER (WHERE i.fresh), 0)::integer AS samples,
                    sum(i.total) FILTER (WHERE i.fresh) AS total,
                    max(i.most) FILTER (WHERE i.fresh) AS most,
                    min(i.least) FILTER (WHERE i.fresh) AS least,
                    -- Since when what the latest change added runs. One that dies again and again holds nothing up.
                    max(i.started_at) FILTER (WHERE i.restarts = 0 AND i.started_at <= q.acted_at + interval '10 minutes') AS grown_at
             FROM (SELECT i.started_at, i.restarts, x.samples, x.total, x.most, x.least,
                          x.samples > 0 AND x.newest > o.now - o.stale AS fresh
                   FROM skylark.instances i
                   -- Its samples of the window, but none from when it was younger than wait_period.
                   CROSS JOIN LATERAL (
                       SELECT count(*) AS samples, sum(v.value) AS total, max(v.value) AS most, min(v.value) AS least,
                              max(m.sampled_at) AS newest
                       FROM skylark.metric_samples m
                       CROSS JOIN LATERAL (
                           SELECT CASE (k.settings).metric_name
                                      WHEN 'CPU_UTILIZATION' THEN m.cpu_utilization
                                      WHEN 'MEMORY_UTILIZATION' THEN m.memory_utilization
                                      WHEN 'NETWORK_IN' THEN m.network_in
                                      ELSE m.network_out END AS value) v
                       WHERE m.instance_id = i.id AND m.sampled_at > GREATEST(o.now, i.started_at + 2 * k.period) - k.period
                         AND m.sampled_at > COALESCE($1::timestamptz, now()) - interval '1 day'
                         AND m.sampled_at < COALESCE($1::timestamptz, now()) + interval '1 minute') x
                   WHERE i.service_id = q.service_id AND i.state = 'running' AND i.stop_requested_at IS NULL) i) m),
     -- What the deployer is about matters only where something might be done.
     observed AS (
         SELECT m.*, COALESCE((m.settings).scale_up_wait_period, (m.settings).wait_period) AS wait_up,
                COALESCE((m.settings).scale_down_wait_period, (m.settings).wait_period) AS wait_down,
                CASE WHEN m.value BETWEEN (m.settings).lower_threshold AND (m.settings).upper_threshold THEN NULL
                     ELSE (SELECT CASE WHEN st.observed_generation < m.generation OR st.observed_revision <> m.revision THEN 'updating'
                                       ELSE st.condition END
                           FROM skylark.service_status st
                           WHERE st.service_id = m.service_id) END AS condition
         FROM measured m),
     decided AS MATERIALIZED (
         -- Where nothing of the stabilization window is known, the count itself stands for it.
         SELECT m.*, GREATEST(d.recommended, CASE WHEN m.known IS NULL THEN m.held_at END) AS recommendation,
                d.wanted AS needed, d.reason AS need,
                d.reason IN ('below_minimum', 'above_maximum', 'scaled_up', 'scaled_down') AS changes
         FROM observed m
         CROSS JOIN LATERAL skylark.autoscaling_decide(
             m.now, m.target, (m.settings).minimum_num_instances, (m.settings).maximum_num_instances,
             (m.settings).upper_threshold, (m.settings).lower_threshold, (m.settings).increase_delta,
             (m.settings).decrease_delta, m.wait_up, m.wait_down, (m.settings).dry_run, m.value, m.running,
             m.missing, COALESCE(m.condition = 'updating', false), m.condition = 'progressing' AND m.running < m.target, m.up_since,
             m.acted_at, COALESCE(m.known, m.held_at)) d),
     -- Of more instances, as many as the namespace's quotas leave room for: {service: count}, null where they can't be told now.
     grants AS MATERIALIZED (
         SELECT COALESCE((SELECT jsonb_object_agg(g.service_id, g.granted)
                          FROM (SELECT array_agg(d.service_id) AS ids, array_agg(d.needed) AS needed
                                FROM decided d WHERE d.changes AND d.needed > d.target HAVING count(*) > 0) a
                          CROSS JOIN LATERAL skylark.quota_grant(a.ids, a.needed) g), '{}') AS counts),
     allowed AS MATERIALIZED (
         SELECT d.*, COALESCE(d.needed > d.target AND d.changes AND g.count IS NULL, false) AS quota_busy,
                CASE WHEN g.count > d.target THEN g.count ELSE d.needed END AS wanted,
                CASE WHEN g.count = d.target THEN 'at_quota' WHEN g.count < d.needed THEN 'scaled_to_quota' ELSE d.need END AS reason,
                d.changes AND g.count IS DISTINCT FROM d.target AS acts
         FROM decided d
         CROSS JOIN grants x
         CROSS JOIN LATERAL (SELECT (x.counts ->> d.service_id::text)::integer AS count) g),
     -- A service that a user is changing at this moment is not waited for, nor is one that was changed since we looked.
     held AS MATERIALIZED (
         SELECT s.id, d.wanted, d.now, d.target, d.generation, d.updated_at
         FROM allowed d
         JOIN skylark.services s ON s.id = d.service_id
         WHERE d.acts AND NOT d.quota_busy AND s.target_num_instances = d.target AND s.generation = d.generation AND s.updated_at = d.updated_at
           AND s.scaling_mode = 'AUTO' AND s.target_state = 'STARTED' AND s.deleted_at IS NULL
         ORDER BY s.id
         FOR NO KEY UPDATE OF s SKIP LOCKED),
     scaled AS (
         UPDATE skylark.services s
         SET target_num_instances = h.wanted, last_autoscaled_at = h.now
         FROM held h
         WHERE s.id = h.id AND s.target_num_instances = h.target AND s.generation = h.generation
           AND s.updated_at = h.updated_at AND s.scaling_mode = 'AUTO' AND s.target_state = 'STARTED' AND s.deleted_at IS NULL
         RETURNING s.id),
     carried_out AS (
         SELECT d.*, d.acts AND d.service_id IN (SELECT x.id FROM scaled x) AS acted
         FROM allowed d),
     final AS (
         SELECT d.*,
                CASE WHEN d.acts AND NOT d.acted THEN 'overtaken' ELSE d.reason END AS ended,
                CASE WHEN d.acted THEN d.now ELSE d.acted_at END AS acted_last,
                -- A long window moves slowly and is dear to read: a look every twentieth of it will do.
                LEAST(GREATEST($2::bigint / 1000.0, (d.settings).wait_period / 20.0), (d.settings).wait_period)::double precision AS period
         FROM carried_out d),
     -- When it is to be looked at again: at its place in the period, and when a waiting period ends.
     waits AS (
         SELECT f.*, skylark.autoscaling_next_due(f.service_id, f.now, f.period) AS place,
                CASE WHEN f.acted THEN f.acted_last ELSE f.up_since END + make_interval(secs => f.wait_up) AS up_from,
                f.acted_last + make_interval(secs => f.wait_down) AS down_from
         FROM final f),
     planned AS MATERIALIZED (
         SELECT f.*,
                f.acted OR f.ended IS DISTINCT FROM f.reason_before OR f.decided_at IS NULL
                OR f.decided_at <= f.now - f.heartbeat AS recorded,
                -- An end that comes right after its place takes that place: two looks in a row would see the same.
                LEAST(CASE WHEN f.up_from - f.place BETWEEN interval '0' AND interval '250 ms'
                             OR f.down_from - f.place BETWEEN interval '0' AND interval '250 ms' THEN NULL ELSE f.place END,
                      CASE WHEN f.ended = 'overtaken' THEN f.now + interval '1 second' END,
                      CASE WHEN f.up_from > f.now THEN f.up_from END,
                      CASE WHEN f.down_from > f.now THEN f.down_from END) AS next_due_at
         FROM waits f),
     recorded AS (
         INSERT INTO skylark.autoscaling_decisions
             (service_id, decided_at, reason, metric_name, metric_stat, metric_value, upper_threshold, lower_threshold, samples,
              running, counted, missing, target_before, target_after, wanted)
         SELECT p.service_id, p.now, p.ended, (p.settings).metric_name, (p.settings).metric_stat, p.value,
                (p.settings).upper_threshold, (p.settings).lower_threshold, p.samples, p.running, p.counted, p.missing, p.target,
                CASE WHEN p.acted THEN p.wanted ELSE p.target END, p.wanted
         FROM planned p
         WHERE p.recorded),
     noted AS (
         INSERT INTO skylark.events (namespace_name, service_name, service_id, actor, action, reason)
         SELECT n.namespace_name, n.service_name, p.service_id, 'autoscaler',
                CASE WHEN p.wanted > p.target THEN 'scaled_up' ELSE 'scaled_down' END,
                p.ended || ': from ' || p.target || ' to ' || p.wanted || ' instances'
         FROM planned p
         CROSS JOIN LATERAL (
             SELECT x.name AS namespace_name, s.name AS service_name
             FROM skylark.services s
             JOIN skylark.namespaces x ON x.id = s.namespace_id
             WHERE s.id = p.service_id
             LIMIT 1) n
         WHERE p.acted),
     kept AS (
         UPDATE skylark.autoscaling_queue q
         SET due_at = p.next_due_at, acted_at = p.acted_last, up_since = CASE WHEN p.acted THEN p.now ELSE p.up_since END,
             evaluated_at = p.now, reason = p.ended, metric_value = p.value,
             samples = p.samples, running = p.running, counted = p.counted, missing = p.missing, target = p.target,
             wanted = p.wanted, decided_at = CASE WHEN p.recorded THEN p.now ELSE p.decided_at END,
             -- Of the recommendations, those that a later one is not as large as: with the newest, they fall.
             recommended_at = CASE WHEN (p.settings).stabilization_window > 0 THEN
                 ARRAY(SELECT h.at FROM unnest(p.recommended_at, p.recommended) AS h (at, count)
                       WHERE h.count > p.recommendation AND h.at > p.now - make_interval(secs => (p.settings).stabilization_window)
                       ORDER BY h.at) || p.now ELSE '{}' END,
             recommended = CASE WHEN (p.settings).stabilization_window > 0 THEN
                 ARRAY(SELECT h.count FROM unnest(p.recommended_at, p.recommended) AS h (at, count)
                       WHERE h.count > p.recommendation AND h.at > p.now - make_interval(secs => (p.settings).stabilization_window)
                       ORDER BY h.at) || p.recommendation ELSE '{}' END
         FROM planned p
         WHERE q.service_id = p.service_id),
     -- Claimed, but not AUTO and STARTED any more: its row is about to rest.
     passed_over AS (
         UPDATE skylark.autoscaling_queue q
         SET due_at = c.due_at + interval '1 minute'
         FROM claimed c
         WHERE q.service_id = c.service_id AND c.service_id NOT IN (SELECT m.service_id FROM measured m))
SELECT p.ended AS reason, count(*) AS evaluations, GREATEST(max(date_part('epoch', p.now - p.due_at)) * 1000, 0)::bigint AS late_ms
FROM planned p
GROUP BY p.ended
