-- hot
-- Log rows of the service $1 from $2 up to, but without, $3, oldest first, of instances from $4 to $5: those after the position
-- ($6, $7, $8), and from $9 on also those before it whose number is not below the one that $10 (an object of uuids) has for their instance. At
-- most $11. Times are microseconds since 1970.
-- parameters: service_id, from, until, first_instance, last_instance, last_time, last_instance_read, last_seq, floor, seen, limit
-- columns: instance_id, logged_us, seq, message
SELECT l.instance_id, (extract(epoch FROM l.logged_at) * 1000000)::bigint AS logged_us, l.seq, l.message
FROM skylark.log_rows l
WHERE l.service_id = $1::uuid
  AND l.logged_at >= 'epoch'::timestamptz + $2::bigint * interval '1 microsecond'
  AND l.logged_at < 'epoch'::timestamptz + $3::bigint * interval '1 microsecond'
  AND l.instance_id >= $4::uuid AND l.instance_id <= $5::uuid
  AND ((l.logged_at, l.instance_id, l.seq) > ('epoch'::timestamptz + $6::bigint * interval '1 microsecond', $7::uuid, $8::bigint)
       OR (l.logged_at >= 'epoch'::timestamptz + $9::bigint * interval '1 microsecond'
           AND l.seq >= COALESCE(($10::jsonb ->> l.instance_id::text)::bigint, 0)))
ORDER BY l.logged_at, l.instance_id, l.seq
LIMIT $11::bigint
