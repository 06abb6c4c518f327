-- What the namespace $1 has and may have; without one, what all may have that have no quotas of their own.
-- parameters: namespace
-- columns: quota, used, maximum, source
SELECT q.quota, q.used, COALESCE(q.maximum::text, 'none') AS maximum, CASE WHEN q.is_default THEN 'default' ELSE 'own' END AS source
FROM skylark.quotas_overview q
WHERE q.namespace = $1::text
UNION ALL
SELECT d.name, NULL, COALESCE(d.maximum::text, 'none'), 'default'
FROM skylark.quotas d
WHERE d.namespace_id IS NULL AND $1::text IS NULL
ORDER BY quota
