-- What is observed of each service, next to what is wanted.
-- after: times

-- Whoever shows a count vouches for it. When the engine does not answer, or nobody has looked for a
-- while, the counts are only the last ones observed, and this says so.
CREATE VIEW skylark.engine_trouble AS
SELECT CASE
           WHEN e.engine_id IS NULL THEN 'No deployer has reported from a container engine yet.'
           WHEN e.observed_at < now() - interval '30 seconds'
               THEN 'No deployer has looked at the container engine since ' || skylark.iso_time(e.observed_at)
                    || '; counts and instances are those of that time.'
           WHEN e.state = 'unreachable'
               THEN 'The container engine has not answered since ' || skylark.iso_time(e.changed_at)
                    || ' (' || e.message || '); counts and instances are the last ones observed.'
       END AS trouble
FROM skylark.installation i
LEFT JOIN skylark.engines e ON e.engine_id = i.engine_id
WHERE i.only_row;
COMMENT ON VIEW skylark.engine_trouble IS 'One row: why observed counts can''t be vouched for now; null when they can.';
COMMENT ON COLUMN skylark.engine_trouble.trouble IS 'In words; null when all is well.';

-- Clients poll until is_deploying is false, and then look at current_status: so it is false in Error, and what still goes on is in
-- status_message.
CREATE VIEW skylark.service_states AS
SELECT s.id AS service_id, c.wanted, c.current, c.staged, c.started, w.under_way AND NOT e.failing AS is_deploying, x.trouble,
       CASE
           WHEN e.failing THEN 'Error'
           WHEN w.under_way THEN 'Deploying'
           WHEN c.wanted = 0 THEN 'Stopped'
           ELSE 'Running'
       END AS current_status,
       COALESCE(x.trouble, concat_ws(' ',
                CASE WHEN st.observed_revision = s.revision THEN NULLIF(st.message, '') END,
                CASE
                    WHEN NOT w.under_way OR (NOT e.failing AND st.observed_revision = s.revision AND st.message <> '') THEN NULL
                    WHEN c.wanted = 0 THEN 'Stopping: ' || c.current || ' left.'
                    ELSE c.started || ' of ' || c.wanted || ' instances run.'
                END)) AS status_message,
       st.started_at, st.stopped_at
FROM skylark.services s
LEFT JOIN skylark.service_status st ON st.service_id = s.id
CROSS JOIN skylark.engine_trouble x
CROSS JOIN LATERAL (
    SELECT CASE WHEN s.target_state = 'STARTED' AND s.deleted_at IS NULL THEN s.target_num_instances ELSE 0 END AS wanted,
           count(*) AS current,
           count(*) FILTER (WHERE i.state = 'created') AS staged,
           count(*) FILTER (WHERE i.state = 'running') AS started,
           count(*) FILTER (WHERE i.state = 'running' AND i.generation = s.generation) AS latest
    FROM skylark.instances i
    WHERE i.service_id = s.id AND i.state IN ('created', 'running')) c
CROSS JOIN LATERAL (
    SELECT s.revision IS DISTINCT FROM st.observed_revision
        OR st.condition IS DISTINCT FROM 'settled'
        OR c.current <> c.wanted OR c.latest <> c.wanted AS under_way) w
CROSS JOIN LATERAL (
    SELECT x.trouble IS NOT NULL
        OR (st.condition = 'failing' AND st.observed_revision = s.revision) IS TRUE AS failing) e;
COMMENT ON VIEW skylark.service_states IS 'What is observed of each service, next to what is wanted.';
COMMENT ON COLUMN skylark.service_states.service_id IS 'Service.';
COMMENT ON COLUMN skylark.service_states.wanted IS 'Instances wanted now.';
COMMENT ON COLUMN skylark.service_states.current IS 'Containers that exist and have not ended.';
COMMENT ON COLUMN skylark.service_states.staged IS 'Of them, those that do not run yet.';
COMMENT ON COLUMN skylark.service_states.started IS 'Of them, those that run.';
COMMENT ON COLUMN skylark.service_states.is_deploying IS 'Whether what is observed still differs from what is wanted, without trouble on the way; false in Error.';
COMMENT ON COLUMN skylark.service_states.trouble IS 'Why the counts can''t be vouched for; null when they can.';
COMMENT ON COLUMN skylark.service_states.current_status IS 'Deploying, Running, Stopped or Error.';
COMMENT ON COLUMN skylark.service_states.status_message IS 'Why, in words a user can act on.';
COMMENT ON COLUMN skylark.service_states.started_at IS 'When it last went from no running instance to one.';
COMMENT ON COLUMN skylark.service_states.stopped_at IS 'When it last had none left after a stop.';
