-- The document of the service $1, inside the transaction that changed it.
-- parameters: service_id
-- columns: document
SELECT document::text FROM skylark.service_documents WHERE service_id = $1::uuid
