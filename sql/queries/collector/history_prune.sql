-- Deletes instances that are gone for longer than $1 milliseconds, and events and decisions older than $2 milliseconds.
-- parameters: instances_ms, history_ms
-- columns: instances_deleted, events_deleted, decisions_deleted
SELECT instances_deleted, events_deleted, decisions_deleted
FROM skylark.history_prune($1::bigint * interval '1 millisecond', $2::bigint * interval '1 millisecond')
