-- Adds the entries of the array $2 that are missing to the ports of the service $1, in their order.
-- parameters: service_id, wanted
INSERT INTO skylark.ports (service_id, container_port, protocol, endpoint_type)
SELECT $1::uuid, w.container_port, w.protocol, w.endpoint_type
FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS e (entry, position)
CROSS JOIN LATERAL jsonb_to_record(e.entry) AS w (container_port integer, protocol text, endpoint_type text)
WHERE NOT EXISTS (SELECT FROM skylark.ports p
                  WHERE p.service_id = $1::uuid
                    AND (p.container_port, p.protocol, p.endpoint_type) = (w.container_port, w.protocol, w.endpoint_type))
ORDER BY e.position
