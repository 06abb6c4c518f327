-- Deletes instances that are gone for longer than $1 milliseconds, and events and decisions older than $2 milliseconds.
SELECT instances_deleted, events_deleted, decisions_deleted
FROM skylark.history_prune($1::bigint * interval '1 millisecond', $2::bigint * interval '1 millisecond')
