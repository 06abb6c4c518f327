-- Who may try a password, and the tokens that come of it.
-- after: quotas tenancy

COMMENT ON TABLE skylark.login_failures IS 'Recent attempts to log in that did not end well, to slow guessing. `skylarkctl user unlock` forgets those of a user.';
COMMENT ON COLUMN skylark.login_failures.subject IS 'address:{prefix}, user:{name}@{prefix} or user:{name}; a prefix is an IPv4 address or the first 64 bits of an IPv6 address.';
COMMENT ON COLUMN skylark.login_failures.failures IS 'How many since first_at. An attempt counts as one before its password is looked at.';
COMMENT ON COLUMN skylark.login_failures.first_at IS 'Start of the window.';
COMMENT ON COLUMN skylark.login_failures.last_at IS 'Latest attempt.';

COMMENT ON TABLE skylark.login_totals IS 'Attempts to log in of the last minute that did not end well, of everybody together. Several rows, so that nobody waits for a lock on one: each attempt counts in the first that is free.';
COMMENT ON COLUMN skylark.login_totals.part IS 'Key.';
COMMENT ON COLUMN skylark.login_totals.failures IS 'How many since first_at.';
COMMENT ON COLUMN skylark.login_totals.first_at IS 'Start of the minute.';

COMMENT ON TABLE skylark.login_addresses IS 'Where each user has logged in from: guesses that come from elsewhere do not lock the user out there. The 50 latest of each user, for 90 days.';
COMMENT ON COLUMN skylark.login_addresses.user_id IS 'Who.';
COMMENT ON COLUMN skylark.login_addresses.address IS 'Prefix of the address, as in login_failures.';
COMMENT ON COLUMN skylark.login_addresses.last_at IS 'Latest good login.';

CREATE FUNCTION skylark.login_subjects(p_user_name text, p_address text, p_known boolean) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    -- What can't be the name of a user is counted by its address only: "a@192.0.2.1" is not user a at that address.
    RETURN CASE WHEN p_user_name !~ '^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$' THEN ARRAY['address:' || p_address]
                WHEN p_known THEN ARRAY['user:' || p_user_name || '@' || p_address]
                ELSE ARRAY['address:' || p_address, 'user:' || p_user_name, 'user:' || p_user_name || '@' || p_address] END;
COMMENT ON FUNCTION skylark.login_subjects IS 'What an attempt to log in is counted by in login_failures; p_known: the user has logged in from that address before.';

CREATE FUNCTION skylark.login_attempt(p_user_name text, p_address text, p_per_minute integer,
    OUT refused_seconds integer, OUT user_id bigint, OUT password_hash text, OUT password_changed_at timestamptz)
    -- A lock that somebody holds on one user or address must not keep the few that may hash a password from the others.
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '1s'
AS $$
DECLARE
    moment timestamptz;
    known boolean;
    subjects text[];
    total record;
BEGIN
    SELECT u.id, u.password_hash, u.password_changed_at INTO user_id, password_hash, password_changed_at
    FROM skylark.users u
    JOIN skylark.namespaces n ON n.id = u.id
    WHERE n.name = p_user_name AND u.disabled_at IS NULL;
    known := EXISTS (SELECT FROM skylark.login_addresses a
                     WHERE a.user_id = login_attempt.user_id AND a.address = p_address AND a.last_at > now() - interval '90 days');
    subjects := skylark.login_subjects(p_user_name, p_address, known);
    -- In one order, so that no two wait for each other.
    INSERT INTO skylark.login_failures (subject, failures, first_at, last_at)
    SELECT s.subject, 0, clock_timestamp(), clock_timestamp() FROM unnest(subjects) AS s (subject) ORDER BY s.subject
    ON CONFLICT (subject) DO NOTHING;
    PERFORM FROM skylark.login_failures f WHERE f.subject = ANY (subjects) ORDER BY f.subject FOR UPDATE;
    -- From here on nobody else counts these: what is read now is what the ones before have left. After so many failures (free)
    -- each further one doubles the wait, up to cap seconds; what is not tried again for 15 minutes counts from 0, and so does what bears
    -- a time to come: the clock was set back, or somebody wrote it by hand.
    moment := clock_timestamp();
    SELECT max(ceil(extract(epoch FROM f.last_at - moment) + LEAST(l.cap, power(2, LEAST(f.failures - l.free, 12)))))
    INTO refused_seconds
    FROM skylark.login_failures f
    CROSS JOIN LATERAL (
        SELECT CASE WHEN f.subject LIKE 'user:%@%' THEN 5 ELSE 20 END AS free,
               -- Guesses from many addresses at once slow a user's login from a new address, and never stop it.
               CASE WHEN f.subject LIKE 'user:%' AND f.subject NOT LIKE '%@%' THEN 60 ELSE 900 END AS cap) l
    WHERE f.subject = ANY (subjects) AND f.failures >= l.free AND f.last_at BETWEEN moment - interval '15 minutes' AND moment;
    refused_seconds := GREATEST(refused_seconds, 0);
    IF refused_seconds = 0 AND NOT known THEN
        -- Everybody together. Read without a lock: at most as many too many as are hashed at the same time.
        SELECT sum(t.failures::bigint) AS failures, min(t.first_at) AS first_at INTO total
        FROM skylark.login_totals t WHERE t.first_at BETWEEN moment - interval '1 minute' AND moment + interval '1 second';
        IF total.failures >= p_per_minute THEN
            refused_seconds := GREATEST(ceil(extract(epoch FROM total.first_at + interval '1 minute' - moment)), 1);
        END IF;
    END IF;
    IF refused_seconds > 0 THEN
        user_id := NULL;
        password_hash := NULL;
        password_changed_at := NULL;
        RETURN;
    END IF;
    UPDATE skylark.login_failures f
    SET failures = CASE WHEN f.last_at BETWEEN moment - interval '15 minutes' AND moment THEN LEAST(f.failures, 1000000) + 1 ELSE 1 END,
        first_at = CASE WHEN f.last_at BETWEEN moment - interval '15 minutes' AND moment THEN f.first_at ELSE moment END,
        last_at = moment
    WHERE f.subject = ANY (subjects);
    UPDATE skylark.login_totals t
    SET failures = CASE WHEN t.first_at BETWEEN moment - interval '1 minute' AND moment + interval '1 second'
                        THEN LEAST(t.failures, 1000000) + 1 ELSE 1 END,
        first_at = CASE WHEN t.first_at BETWEEN moment - interval '1 minute' AND moment + interval '1 second' THEN t.first_at ELSE moment END
    WHERE t.part = (SELECT p.part FROM skylark.login_totals p ORDER BY p.part LIMIT 1 FOR UPDATE SKIP LOCKED);
END
$$;
COMMENT ON FUNCTION skylark.login_attempt IS 'Counts an attempt to log in before its password is looked at, one after the other, and gives out what it is checked against (nulls: no such user). refused_seconds: for so long logins are refused; then nothing was counted.';

CREATE FUNCTION skylark.login_succeeded(p_user_id bigint, p_user_name text, p_address text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '1s'
AS $$
DECLARE
    own text := 'user:' || p_user_name || '@' || p_address;
    subjects text[] := skylark.login_subjects(p_user_name, p_address,
        EXISTS (SELECT FROM skylark.login_addresses a
                WHERE a.user_id = p_user_id AND a.address = p_address AND a.last_at > now() - interval '90 days'));
BEGIN
    PERFORM FROM skylark.login_failures f WHERE f.subject = ANY (subjects) ORDER BY f.subject FOR UPDATE;
    UPDATE skylark.login_failures f
    SET failures = CASE WHEN f.subject = own THEN 0 ELSE GREATEST(f.failures - 1, 0) END
    WHERE f.subject = ANY (subjects);
    UPDATE skylark.login_totals t
    SET failures = t.failures - 1
    WHERE t.part = (SELECT p.part FROM skylark.login_totals p WHERE p.failures > 0 ORDER BY p.part LIMIT 1 FOR UPDATE SKIP LOCKED);
    INSERT INTO skylark.login_addresses AS a (user_id, address, last_at) VALUES (p_user_id, p_address, clock_timestamp())
    ON CONFLICT (user_id, address) DO UPDATE SET last_at = EXCLUDED.last_at;
    DELETE FROM skylark.login_addresses a
    WHERE a.user_id = p_user_id
      AND a.address IN (SELECT o.address FROM skylark.login_addresses o WHERE o.user_id = p_user_id
                        ORDER BY o.last_at DESC OFFSET 50);
END
$$;
COMMENT ON FUNCTION skylark.login_succeeded IS 'Takes back what login_attempt counted for a good login, and notes where it came from.';

CREATE FUNCTION skylark.token_issue(p_user_id bigint, p_password_changed_at timestamptz, p_token_hash bytea, p_token_prefix text,
    p_idle_limit interval) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    -- Held against a password that is changed at the same time, and against other logins of the user.
    PERFORM FROM skylark.users u
    WHERE u.id = p_user_id AND u.disabled_at IS NULL AND u.password_changed_at = p_password_changed_at
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- Clients that log in again and again never run out of tokens: the one that was not used for longest ends.
    IF skylark.quota_used(p_user_id, 'tokens') >= skylark.quota_maximum(p_user_id, 'tokens') THEN
        UPDATE skylark.api_tokens t
        SET revoked_at = now()
        WHERE t.id = (SELECT o.id FROM skylark.api_tokens o
                      WHERE o.user_id = p_user_id AND o.by_login AND COALESCE(skylark.token_ends_at(o) > now(), true)
                      ORDER BY COALESCE(o.last_used_at, o.created_at), o.id LIMIT 1);
    END IF;
    INSERT INTO skylark.api_tokens (user_id, token_hash, token_prefix, description, idle_limit, by_login)
    VALUES (p_user_id, p_token_hash, p_token_prefix, 'generate-api-token', p_idle_limit, true);
    RETURN true;
END
$$;
COMMENT ON FUNCTION skylark.token_issue IS 'Makes the token of a login whose password was right; false, and none, when the password was changed or the user disabled since it was looked at.';

CREATE FUNCTION skylark.users_password_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    -- Set by skylarkctl user password --keep-tokens, for its transaction.
    IF COALESCE(current_setting('skylark.keep_tokens', true), '') <> 'yes' THEN
        UPDATE skylark.api_tokens t SET revoked_at = now() WHERE t.user_id = NEW.id AND t.revoked_at IS NULL;
        DELETE FROM skylark.login_addresses a WHERE a.user_id = NEW.id;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.users_password_changed IS 'Revokes a user''s tokens when the password changes, unless the setting skylark.keep_tokens is yes.';
CREATE TRIGGER users_password_changed AFTER UPDATE OF password_hash ON skylark.users
    FOR EACH ROW WHEN (OLD.password_hash <> NEW.password_hash) EXECUTE FUNCTION skylark.users_password_changed();

CREATE FUNCTION skylark.tokens_prune(p_retention interval, p_batch integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    n bigint;
BEGIN
    DELETE FROM skylark.api_tokens d
    WHERE d.id IN (SELECT t.id FROM skylark.api_tokens t WHERE skylark.token_ends_at(t) < now() - p_retention
                   ORDER BY t.id LIMIT p_batch FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;
COMMENT ON FUNCTION skylark.tokens_prune IS 'Deletes tokens that have been revoked or expired for longer than p_retention, p_batch at the most; returns how many. Call again while it returns p_batch.';

CREATE FUNCTION skylark.logins_prune(p_batch integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    failures bigint;
    addresses bigint;
BEGIN
    DELETE FROM skylark.login_failures d
    WHERE d.subject IN (SELECT f.subject FROM skylark.login_failures f WHERE f.last_at < now() - interval '1 hour'
                        ORDER BY f.last_at LIMIT p_batch FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS failures = ROW_COUNT;
    DELETE FROM skylark.login_addresses d
    WHERE (d.user_id, d.address) IN (SELECT a.user_id, a.address FROM skylark.login_addresses a
                                     WHERE a.last_at < now() - interval '90 days'
                                     ORDER BY a.last_at LIMIT p_batch FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS addresses = ROW_COUNT;
    RETURN GREATEST(failures, addresses);
END
$$;
COMMENT ON FUNCTION skylark.logins_prune IS 'Deletes what counts no more of login_failures (an hour old) and login_addresses (90 days), p_batch of each at the most; returns the larger of the two numbers. Call again while it returns p_batch.';
