-- Notes that the user $2 did $3 to the service $1, why ($4, for people), by the request $5.
-- parameters: service_id, user_name, action, reason, request_id
INSERT INTO skylark.events (namespace_name, service_name, service_id, actor, action, reason, request_id)
SELECT n.name, s.name, s.id, 'user:' || $2::text, $3::text, $4::text, $5::text
FROM skylark.services s
JOIN skylark.namespaces n ON n.id = s.namespace_id
WHERE s.id = $1::uuid
