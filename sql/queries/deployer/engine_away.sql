-- Notes that the recorded engine did not answer, and why ($1). Does not wait for whoever has its row locked.
-- parameters: message
UPDATE skylark.engines e
SET state = 'unreachable', message = $1::text, observed_at = now(),
    changed_at = CASE WHEN e.state = 'unreachable' THEN e.changed_at ELSE now() END
FROM (SELECT l.engine_id
      FROM skylark.engines l
      JOIN skylark.installation i ON i.only_row AND i.engine_id = l.engine_id
      FOR NO KEY UPDATE OF l SKIP LOCKED) free
WHERE e.engine_id = free.engine_id
