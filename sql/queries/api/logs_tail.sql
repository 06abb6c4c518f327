-- hot
-- Like logs_stream, but only the last $5 rows of them.
-- parameters: service_id, from, until, instance_id, limit
-- columns: line
SELECT json_build_object('instance_id', left(t.instance_id::text, 8), 'message', t.message,
                         'time', floor(extract(epoch FROM t.logged_at))::bigint)::text AS line
FROM (SELECT l.logged_at, l.instance_id, l.seq, l.message
      FROM skylark.log_rows l
      WHERE l.service_id = $1::uuid AND l.logged_at >= 'epoch'::timestamptz + $2::bigint * interval '1 microsecond'
  AND l.logged_at < 'epoch'::timestamptz + $3::bigint * interval '1 microsecond'
        AND ($4::text IS NULL OR starts_with(l.instance_id::text, $4::text))
      ORDER BY l.logged_at DESC, l.instance_id DESC, l.seq DESC
      LIMIT $5::bigint) t
ORDER BY t.logged_at, t.instance_id, t.seq
