-- Forgets the front $1, which is gone for good. One that reports again is known again.
-- parameters: front
DELETE FROM skylark.fronts WHERE name = $1::text
