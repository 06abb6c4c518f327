-- Bounds a migration's session: it waits for a lock for $1 milliseconds, since whoever comes after it waits behind it, and is
-- ended when its client stops in the middle of a transaction.
-- parameters: lock_ms
-- columns: lock, idle, client_check
SELECT set_config('lock_timeout', $1::text, false) AS lock,
       set_config('idle_in_transaction_session_timeout', '60000', false) AS idle,
       CASE WHEN current_setting('client_connection_check_interval', true) IS NOT NULL
            THEN set_config('client_connection_check_interval', '1000', false) END AS client_check
