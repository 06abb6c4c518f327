-- The document of the service $1, inside the transaction that changed it.
SELECT document::text FROM skylark.service_documents WHERE service_id = $1::uuid
