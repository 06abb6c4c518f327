-- Which of the host names in the comma-separated list $2 lead to another service than $1 (null: to any).
-- parameters: service_id, wanted
-- columns: names
SELECT string_agg(c.name, ', ' ORDER BY c.position) AS names
FROM string_to_table($2::text, ',') AS n (name)
JOIN skylark.custom_domains c ON c.name = btrim(n.name) AND c.service_id IS DISTINCT FROM $1::uuid
