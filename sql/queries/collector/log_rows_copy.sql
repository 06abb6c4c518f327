-- Stores log rows.
-- fields: service_id, logged_at, instance_id, seq, stream, message
COPY skylark.log_rows (service_id, logged_at, instance_id, seq, stream, message) FROM STDIN
