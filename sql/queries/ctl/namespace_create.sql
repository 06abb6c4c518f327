-- A new organisation named $1.
-- parameters: name
INSERT INTO skylark.namespaces (name, kind) VALUES ($1::text, 'organisation')
