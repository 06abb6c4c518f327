-- Takes the positions of the instances $1 (an array of uuids) until the transaction ends, those that nobody else has locked; makes
-- those that are missing.
-- parameters: instances
-- columns: instance_id
WITH fresh AS (
         INSERT INTO skylark.log_positions (instance_id, service_id)
         SELECT i.id, i.service_id
         FROM skylark.instances_hold(ARRAY(SELECT n.id
                                           FROM unnest($1::uuid[]) AS n (id)
                                           WHERE NOT EXISTS (SELECT FROM skylark.log_positions p WHERE p.instance_id = n.id))) AS h (id)
         JOIN skylark.instances i ON i.id = h.id
         ON CONFLICT (instance_id) DO NOTHING
         RETURNING instance_id),
     there AS (
         SELECT p.instance_id
         FROM skylark.log_positions p
         WHERE p.instance_id = ANY ($1::uuid[])
         FOR NO KEY UPDATE SKIP LOCKED)
SELECT f.instance_id FROM fresh f
UNION ALL
SELECT t.instance_id FROM there t
