-- hot
-- The last $6 log rows of the service $1 from $2 up to, but without, $3 (microseconds since 1970), newest first, of instances from $4
-- to $5.
-- parameters: service_id, from, until, first_instance, last_instance, limit
-- columns: instance_id, logged_us, seq, message
SELECT l.instance_id, (extract(epoch FROM l.logged_at) * 1000000)::bigint AS logged_us, l.seq, l.message
FROM skylark.log_rows l
WHERE l.service_id = $1::uuid
  AND l.logged_at >= 'epoch'::timestamptz + $2::bigint * interval '1 microsecond'
  AND l.logged_at < 'epoch'::timestamptz + $3::bigint * interval '1 microsecond'
  AND l.instance_id >= $4::uuid AND l.instance_id <= $5::uuid
ORDER BY l.logged_at DESC, l.instance_id DESC, l.seq DESC
LIMIT $6::bigint
