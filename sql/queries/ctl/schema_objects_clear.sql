-- Forgets what the definitions were made into.
DELETE FROM skylark.schema_objects
