-- Notes that the recorded engine did not answer, and why ($1).
-- parameters: message
UPDATE skylark.engines e
SET state = 'unreachable', message = $1::text, observed_at = now(),
    changed_at = CASE WHEN e.state = 'unreachable' THEN e.changed_at ELSE now() END
FROM skylark.installation i
WHERE i.only_row AND e.engine_id = i.engine_id
