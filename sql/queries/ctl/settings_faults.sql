-- What is wrong with the base domain $1, the range of ports $2 and the host names $3 (null: not given).
-- parameters: base_domain, service_ports, host_names
-- columns: fault
SELECT 'base_domain: must be a host name in lower case, such as apps.example.org' AS fault
WHERE NOT skylark.is_host_name($1::text)
UNION ALL
SELECT 'service_ports: must be FIRST-LAST, two ports from 1 to 65535, such as 20000-29999'
WHERE NOT CASE WHEN $2::text ~ '^[0-9]{1,5}-[0-9]{1,5}$'
               THEN split_part($2::text, '-', 1)::integer BETWEEN 1 AND split_part($2::text, '-', 2)::integer
                    AND split_part($2::text, '-', 2)::integer <= 65535
               ELSE false END
  AND $2::text IS NOT NULL
UNION ALL
SELECT 'host_names: must be host names separated by commas, such as localhost,api.example.org; this is none: ' || btrim(n.name)
FROM string_to_table($3::text, ',') AS n (name)
WHERE NOT skylark.is_host_name(lower(btrim(n.name)))
