-- Which routes the nginx of each host serves.

CREATE TABLE skylark.fronts (
    name text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 255),
    applied_snapshot pg_snapshot,
    applied_at timestamptz,
    servers integer NOT NULL DEFAULT 0,
    busy uuid[] NOT NULL DEFAULT '{}',
    fault text NOT NULL DEFAULT '',
    fault_since timestamptz,
    observed_at timestamptz NOT NULL DEFAULT now(),
    endpoint_faults jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(endpoint_faults) = 'object'),
    CHECK ((fault = '') = (fault_since IS NULL))
);
