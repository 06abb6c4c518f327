-- Sets the target state of the service $1 to $2, if it is another.
-- parameters: service_id, target_state
UPDATE skylark.services
SET target_state = $2::text, updated_at = now()
WHERE id = $1::uuid AND target_state <> $2::text
