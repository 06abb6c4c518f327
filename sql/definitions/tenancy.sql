-- Who there is: what the tables of 0001_tenancy mean, and who a token is.

COMMENT ON TYPE skylark.access_right IS 'Rights in rising order: each includes those before it.';

COMMENT ON FUNCTION skylark.is_host_name IS 'Whether the text is a host name in lower case: labels of 1 to 63 letters, digits and inner hyphens, 253 characters at most.';

COMMENT ON TABLE skylark.installation IS 'One row: what is true of this Skylark as a whole. Change it with `skylarkctl settings`.';
COMMENT ON COLUMN skylark.installation.only_row IS 'Always true, so that there is one row.';
COMMENT ON COLUMN skylark.installation.id IS 'Label of every container of this installation; keeps two Skylarks on one engine apart.';
COMMENT ON COLUMN skylark.installation.base_domain IS 'Services are reached at {service}-{namespace}.{base_domain}.';
COMMENT ON COLUMN skylark.installation.region_name IS 'Name in the document''s region; a request''s region_name must equal it.';
COMMENT ON COLUMN skylark.installation.region_iaas IS 'IaaS in the document''s region.';
COMMENT ON COLUMN skylark.installation.engine_id IS 'The engine that runs the instances, as it names itself; deployers refuse any other.';
COMMENT ON COLUMN skylark.installation.engine_recorded_at IS 'When engine_id was recorded.';
COMMENT ON COLUMN skylark.installation.service_port_first IS 'First of the public ports that tcp-endpoints get.';
COMMENT ON COLUMN skylark.installation.service_port_last IS 'Last of them. A port that is reserved stays so when the range changes.';
COMMENT ON COLUMN skylark.installation.front_address IS 'Address of the front, for the ipaddress of endpoints that it serves; null: not shown.';
COMMENT ON COLUMN skylark.installation.host_names IS 'The operator''s own host names, which no service may have.';

COMMENT ON TABLE skylark.namespaces IS 'Users and organisations: whatever can own services.';
COMMENT ON COLUMN skylark.namespaces.id IS 'Key.';
COMMENT ON COLUMN skylark.namespaces.name IS 'Name in URLs and domain names.';
COMMENT ON COLUMN skylark.namespaces.kind IS 'user or organisation.';
COMMENT ON COLUMN skylark.namespaces.created_at IS 'When it was made.';

COMMENT ON TABLE skylark.users IS 'People who log in. A user''s name is its namespace''s.';
COMMENT ON COLUMN skylark.users.id IS 'The user''s own namespace.';
COMMENT ON COLUMN skylark.users.kind IS 'Always user; holds the key to a namespace of that kind.';
COMMENT ON COLUMN skylark.users.password_hash IS 'Argon2id, salted. Never the password.';
COMMENT ON COLUMN skylark.users.password_changed_at IS 'When the password was last set.';
COMMENT ON COLUMN skylark.users.disabled_at IS 'Since when the user''s logins and tokens are refused.';

COMMENT ON TABLE skylark.memberships IS 'What a user may do in a namespace; no row, no access.';
COMMENT ON COLUMN skylark.memberships.user_id IS 'Who.';
COMMENT ON COLUMN skylark.memberships.namespace_id IS 'Where.';
COMMENT ON COLUMN skylark.memberships.access IS 'What: read, write or admin.';
COMMENT ON COLUMN skylark.memberships.created_at IS 'Since when.';

COMMENT ON TABLE skylark.api_tokens IS 'API tokens: 256 random bits each, shown once, kept as a hash.';
COMMENT ON COLUMN skylark.api_tokens.id IS 'Key.';
COMMENT ON COLUMN skylark.api_tokens.user_id IS 'Whose rights it carries.';
COMMENT ON COLUMN skylark.api_tokens.token_hash IS 'SHA-256 of the token. Never the token.';
COMMENT ON COLUMN skylark.api_tokens.token_prefix IS 'First 8 characters, so that a person can tell tokens apart.';
COMMENT ON COLUMN skylark.api_tokens.scope IS 'Caps the user''s rights: the lesser of the two holds.';
COMMENT ON COLUMN skylark.api_tokens.description IS 'What it is for, in the owner''s words.';
COMMENT ON COLUMN skylark.api_tokens.created_at IS 'When it was made.';
COMMENT ON COLUMN skylark.api_tokens.expires_at IS 'Until when it is valid at the most; null: no such time.';
COMMENT ON COLUMN skylark.api_tokens.idle_limit IS 'It is refused once nobody has used it for so long; null: no such rule.';
COMMENT ON COLUMN skylark.api_tokens.by_login IS 'Whether generate-api-token made it.';
COMMENT ON COLUMN skylark.api_tokens.revoked_at IS 'Since when it is refused.';
COMMENT ON COLUMN skylark.api_tokens.last_used_at IS 'When it was last used, to the minute.';

CREATE FUNCTION skylark.users_own_namespace() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    INSERT INTO skylark.memberships (user_id, namespace_id, access) VALUES (NEW.id, NEW.id, 'admin');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.users_own_namespace IS 'Makes every new user admin of its own namespace.';
CREATE TRIGGER users_own_namespace AFTER INSERT ON skylark.users
    FOR EACH ROW EXECUTE FUNCTION skylark.users_own_namespace();

CREATE FUNCTION skylark.token_ends_at(t skylark.api_tokens) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN LEAST(t.expires_at, t.revoked_at, COALESCE(t.last_used_at, t.created_at) + t.idle_limit);
COMMENT ON FUNCTION skylark.token_ends_at IS 'From when on a token is refused if nobody uses it until then; null: never.';

CREATE FUNCTION skylark.access(p_token_hash bytea, p_namespace text)
    RETURNS TABLE (token_id bigint, user_id bigint, user_name text, namespace_id bigint,
                   granted skylark.access_right, token_unmarked boolean)
    LANGUAGE sql STABLE
AS $$
    SELECT t.id, t.user_id, own.name, m.namespace_id,
           -- LEAST passes over a null, which here means no right at all
           CASE WHEN m.access IS NOT NULL THEN LEAST(m.access, t.scope) END,
           t.last_used_at IS NULL OR t.last_used_at < now() - LEAST(interval '1 minute', t.idle_limit / 4)
    FROM skylark.api_tokens t
    JOIN skylark.users u ON u.id = t.user_id AND u.disabled_at IS NULL
    JOIN skylark.namespaces own ON own.id = t.user_id
    LEFT JOIN skylark.namespaces n ON n.name = p_namespace
    LEFT JOIN skylark.memberships m ON m.namespace_id = n.id AND m.user_id = t.user_id
    WHERE t.token_hash = p_token_hash
      AND (skylark.token_ends_at(t) IS NULL OR skylark.token_ends_at(t) > now())
$$;
COMMENT ON FUNCTION skylark.access IS 'Who a token is and what it may do in a namespace: no row for a token that is not valid, a null namespace_id and granted where it has no right (also when there is no such namespace), token_unmarked when last_used_at is over a minute old.';

COMMENT ON FUNCTION skylark.are_host_names IS 'Whether all of the list are host names as is_host_name has them; none is null.';

CREATE FUNCTION skylark.base_domain_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    WITH reached AS (
        SELECT s.id
        FROM skylark.services s
        WHERE s.deleted_at IS NULL AND EXISTS (SELECT FROM skylark.ports p WHERE p.service_id = s.id)
        ORDER BY s.id
        FOR NO KEY UPDATE)
    UPDATE skylark.services s SET generation = s.generation + 1 FROM reached r WHERE s.id = r.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.base_domain_changed IS 'Takes the new base domain into the environment of the instances that are reached by it.';
CREATE TRIGGER base_domain_changed AFTER UPDATE OF base_domain ON skylark.installation
    FOR EACH ROW WHEN (OLD.base_domain <> NEW.base_domain) EXECUTE FUNCTION skylark.base_domain_changed();
