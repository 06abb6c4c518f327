-- Removes the ports of the service $1 that are not in the array $2: before ports_add, which may reserve what they give back.
-- parameters: service_id, wanted
DELETE FROM skylark.ports p
WHERE p.service_id = $1::uuid
  AND NOT EXISTS (SELECT FROM jsonb_to_recordset($2::jsonb) AS w (container_port integer, protocol text, endpoint_type text)
                  WHERE (w.container_port, w.protocol, w.endpoint_type) = (p.container_port, p.protocol, p.endpoint_type))
