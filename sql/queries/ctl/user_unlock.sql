-- Forgets the attempts to log in that are counted of the user $1, wherever they came from.
-- parameters: name
-- columns: found
WITH forgotten AS (
         DELETE FROM skylark.login_failures f
         WHERE f.subject = 'user:' || $1::text OR starts_with(f.subject, 'user:' || $1::text || '@'))
SELECT n.name AS found
FROM skylark.users u
JOIN skylark.namespaces n ON n.id = u.id
WHERE n.name = $1::text
