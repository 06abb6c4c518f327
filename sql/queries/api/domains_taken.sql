-- Which of the host names in the comma-separated list $2 lead to another service than $1 (null: to any).
SELECT string_agg(c.name, ', ' ORDER BY c.position)
FROM string_to_table($2::text, ',') AS n (name)
JOIN skylark.custom_domains c ON c.name = btrim(n.name) AND c.service_id IS DISTINCT FROM $1::uuid
