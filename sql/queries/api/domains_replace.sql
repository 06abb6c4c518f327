-- Makes the custom domain names of the service $1 exactly the comma-separated list $2; those that stay are not touched.
-- parameters: service_id, wanted
WITH wanted AS (SELECT btrim(n.name) AS name, n.position::integer AS position
                FROM string_to_table($2::text, ',') WITH ORDINALITY AS n (name, position)
                WHERE btrim(n.name) <> ''),
     gone AS (DELETE FROM skylark.custom_domains c
              WHERE c.service_id = $1::uuid AND NOT EXISTS (SELECT FROM wanted w WHERE w.name = c.name)),
     moved AS (UPDATE skylark.custom_domains c SET position = w.position
               FROM wanted w WHERE c.service_id = $1::uuid AND c.name = w.name AND c.position <> w.position)
INSERT INTO skylark.custom_domains (name, service_id, position)
SELECT w.name, $1::uuid, w.position FROM wanted w
WHERE NOT EXISTS (SELECT FROM skylark.custom_domains c WHERE c.name = w.name AND c.service_id = $1::uuid)
