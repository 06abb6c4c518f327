-- Sets quotas of the namespace $1 (null: of all that have none of their own) to those of the object $2, {name: maximum}: a number,
-- none (as much as there is) or default (the namespace has none of its own).
-- parameters: namespace, maximums
-- columns: name
WITH whose AS MATERIALIZED (
         SELECT n.id FROM skylark.namespaces n WHERE n.name = $1::text
         UNION ALL
         SELECT NULL::bigint WHERE $1::text IS NULL),
     asked AS MATERIALIZED (SELECT a.key AS name, a.value AS maximum FROM jsonb_each_text($2::jsonb) a),
     gone AS (
         DELETE FROM skylark.quotas q
         USING whose w, asked a
         WHERE q.namespace_id = w.id AND q.name = a.name AND a.maximum = 'default'),
     kept AS (
         INSERT INTO skylark.quotas AS q (namespace_id, name, maximum)
         SELECT w.id, a.name, NULLIF(a.maximum, 'none')::bigint FROM whose w, asked a WHERE a.maximum <> 'default'
         ON CONFLICT (namespace_id, name) DO UPDATE SET maximum = EXCLUDED.maximum)
SELECT a.name FROM asked a, whose w
