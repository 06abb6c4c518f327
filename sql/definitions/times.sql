-- How times are written.

-- What is read: the API's documents, built where the rows are, and the views that DBAs want.
CREATE FUNCTION skylark.iso_time(t timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
COMMENT ON FUNCTION skylark.iso_time IS 'A time as the API writes it: 2015-04-14T09:46:39.457Z.';
