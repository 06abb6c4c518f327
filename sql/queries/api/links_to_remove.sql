-- Takes away the links that lead to the service $1, after links_lock and linking_lock: the services that they begin at get along
-- without it from now on.
-- parameters: service_id
DELETE FROM skylark.links WHERE target_service_id = $1::uuid
