-- Bounds what the server does for this session, so that what its client gives up does not go on there: how long a statement
-- may take ($1) and wait for a lock ($2), how long a transaction may be left open without one ($3), how often a running one
-- looks whether its client is still there ($4; PostgreSQL before 14 can't), and how soon a client's machine that is silent is
-- taken for gone ($5, $6; TCP only). Milliseconds, but $5: seconds.
-- parameters: statement_ms, lock_ms, idle_ms, client_check_ms, keepalive_s, unacknowledged_ms
-- columns: statement, lock, idle, client_check, keepalive, unacknowledged
SELECT set_config('statement_timeout', $1::text, false) AS statement,
       set_config('lock_timeout', $2::text, false) AS lock,
       set_config('idle_in_transaction_session_timeout', $3::text, false) AS idle,
       CASE WHEN current_setting('client_connection_check_interval', true) IS NOT NULL
            THEN set_config('client_connection_check_interval', $4::text, false) END AS client_check,
       set_config('tcp_keepalives_idle', $5::text, false) AS keepalive,
       set_config('tcp_user_timeout', $6::text, false) AS unacknowledged
