-- Notes what PostgreSQL has made of the definitions that were just applied.
INSERT INTO skylark.schema_objects (kind, name, definition) SELECT f.kind, f.name, f.definition FROM skylark.schema_found() f
