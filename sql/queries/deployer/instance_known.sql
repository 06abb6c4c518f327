-- hot
-- one row
-- Whether the instance $2 (as its container's label has it) is one of the service $1.
-- parameters: service_id, instance_id
-- columns: known
SELECT EXISTS (SELECT FROM skylark.instances i WHERE i.service_id = $1::uuid AND i.id::text = $2::text) AS known
