-- Makes the ports of the service $1 exactly the array $2; entries that stay the same are not touched.
WITH wanted AS (SELECT p.*
                FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS e (entry, position)
                CROSS JOIN LATERAL jsonb_to_record(e.entry)
                    AS p (container_port integer, protocol text, endpoint_type text)
                ORDER BY e.position),
     gone AS (DELETE FROM skylark.ports p
              WHERE p.service_id = $1::uuid
                AND NOT EXISTS (SELECT FROM wanted w
                                WHERE (w.container_port, w.protocol, w.endpoint_type)
                                    = (p.container_port, p.protocol, p.endpoint_type)))
INSERT INTO skylark.ports (service_id, container_port, protocol, endpoint_type)
SELECT $1::uuid, w.container_port, w.protocol, w.endpoint_type FROM wanted w
ON CONFLICT (service_id, container_port, protocol, endpoint_type) DO NOTHING
