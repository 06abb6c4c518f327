-- hot
-- Log rows of the service $1 from $2 up to, but without, $3 (microseconds since 1970), oldest first, one JSON object a row. $4: first
-- digits of an instance's uuid (null: all instances).
-- parameters: service_id, from, until, instance_id
-- columns: line
SELECT json_build_object('instance_id', left(l.instance_id::text, 8), 'message', l.message,
                         'time', floor(extract(epoch FROM l.logged_at))::bigint)::text AS line
FROM skylark.log_rows l
WHERE l.service_id = $1::uuid AND l.logged_at >= 'epoch'::timestamptz + $2::bigint * interval '1 microsecond'
  AND l.logged_at < 'epoch'::timestamptz + $3::bigint * interval '1 microsecond'
  AND ($4::text IS NULL OR starts_with(l.instance_id::text, $4::text))
ORDER BY l.logged_at, l.instance_id, l.seq
