# The private PostgreSQL cluster: data in var/postgres, socket in var/run/postgres, no TCP, fsync on. Runs as
# `postgres`. People and skylarkctl come in as the owner of this installation by who they are (peer, mapped in
# pg_ident.conf); every other role needs its password (SCRAM), which its process finds in a passfile.
# shellcheck shell=bash

PASSWORD_ROLES='skylark_api skylark_autoscaler skylark_deployer skylark_collector skylark_router skylark_dba'

# Newest server programs, or those that the cluster was made with.
postgres_bin() {
    local version
    if [ -f "$VAR/postgres/PG_VERSION" ]; then
        version=$(<"$VAR/postgres/PG_VERSION")
        [ -x "/usr/lib/postgresql/$version/bin/postgres" ] ||
            fail "the cluster in $VAR/postgres needs PostgreSQL $version, which is no longer installed"
    else
        version=$(basename -a /usr/lib/postgresql/*/ | sort -V | tail -n 1)
        [ "${version%%.*}" -ge 15 ] || fail "PostgreSQL 15 or later is needed; here is $version"
    fi
    echo "/usr/lib/postgresql/$version/bin"
}

postgres_user() { if [ -n "$ROOTLY" ]; then echo postgres; else id -un; fi; }

postgres_configure() {
    local user=$1
    # A big machine's API has more workers; each holds one connection.
    file_write "$VAR/postgres/postgresql.conf" 600 "$user:" <<END
# Made by local/postgres.sh.
listen_addresses = ''
unix_socket_directories = '$VAR/run/postgres'
unix_socket_permissions = 0777   # who comes in is pg_hba.conf's matter
max_connections = $((200 + 4 * $(nproc)))
shared_buffers = 256MB
max_wal_size = 2GB
fsync = on
password_encryption = 'scram-sha-256'
cluster_name = 'skylark'
log_line_prefix = '%m [%p] %q%u@%d '
timezone = 'UTC'
log_timezone = 'UTC'
END
    file_write "$VAR/postgres/pg_hba.conf" 600 "$user:" <<END
# Made by local/postgres.sh.
local all postgres         peer map=owner
local all skylark          peer map=owner
local all all              scram-sha-256
END
    file_write "$VAR/postgres/pg_ident.conf" 600 "$user:" <<END
# Made by local/postgres.sh: who may be the superuser and the owner of the schema.
owner $user postgres
owner $(id -un) postgres
owner $(id -un) skylark
END
}

postgres_start() {
    local bin user
    bin=$(postgres_bin)
    user=$(postgres_user)
    mkdir -p "$VAR/run/postgres"
    [ -z "$ROOTLY" ] || chown postgres: "$VAR/run/postgres"
    if [ ! -f "$VAR/postgres/PG_VERSION" ]; then
        say "making a PostgreSQL cluster in $VAR/postgres"
        # In a folder beside, renamed when it is whole: an interrupted initdb leaves nothing to trip over.
        rm -rf "$VAR/postgres.new"
        mkdir -m 700 "$VAR/postgres.new"
        [ -z "$ROOTLY" ] || chown postgres: "$VAR/postgres.new"
        (cd / && run_as "$user" "$bin/initdb" -D "$VAR/postgres.new" -U postgres --auth=peer --encoding=UTF8 \
            --locale=C.UTF-8 --data-checksums) >"$VAR/log/initdb.log" 2>&1 || {
            cat "$VAR/log/initdb.log" >&2
            fail 'initdb failed'
        }
        mv "$VAR/postgres.new" "$VAR/postgres"
    fi
    postgres_configure "$user"
    postgres_forget_dead
    process_start postgres "$user" "$(process_made "$bin/postgres" "$VAR/postgres/postgresql.conf" \
        "$VAR/postgres/pg_hba.conf" "$VAR/postgres/pg_ident.conf" --)" "$bin/postgres" -D "$VAR/postgres"
    process_ready postgres 60 postgres_answers
}

# The lock files of a killed server keep the next one from starting for as long as anything, a zombie even, has
# its number. They go when nothing works in the data folder any more.
postgres_forget_dead() {
    local pid file
    ! process_pid postgres >/dev/null || return 0
    process_sweep postgres
    [ -z "$(process_leftovers postgres)" ] || return 0
    for file in "$VAR/postgres/postmaster.pid" "$VAR/run/postgres/.s.PGSQL.5432.lock"; do
        if [ -s "$file" ] && read -r pid <"$file" && ! pid_born "$pid" >/dev/null; then
            rm -f "$file"
        fi
    done
}
postgres_answers() { sql postgres -c 'SELECT' >/dev/null 2>&1; }

# sql ROLE ARGUMENT...: psql to the skylark database; as the superuser, to `postgres`.
sql() {
    local role=$1 database=skylark
    shift
    [ "$role" != postgres ] || database=postgres
    psql -XqAt -v ON_ERROR_STOP=1 "host=$VAR/run/postgres user=$role dbname=$database connect_timeout=5" "$@"
}

# The owner of the schema and its database, the schema itself, and the passwords of the roles.
postgres_prepare() {
    local role
    sql postgres >/dev/null <<'END'
SELECT 'CREATE ROLE skylark LOGIN CREATEROLE'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'skylark') \gexec
SELECT 'CREATE DATABASE skylark OWNER skylark'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'skylark') \gexec
END
    file_write "$VAR/etc/ctl.conf" 644 <<END
# Made by local/postgres.sh: settings of skylarkctl.
database = host=$VAR/run/postgres dbname=skylark user=skylark
END
    "$BUILD/skylarkctl" -c "$VAR/etc/ctl.conf" migrate >"$VAR/log/migrate.log" 2>&1 || {
        cat "$VAR/log/migrate.log" >&2
        fail 'skylarkctl migrate failed'
    }
    # A failing statement would otherwise be logged with the password in it.
    {
        echo "SET log_min_error_statement = panic;"
        for role in $PASSWORD_ROLES; do
            printf "ALTER ROLE %s PASSWORD '%s';\n" "$role" "$(secret "$role")"
        done
    } | sql postgres
}

# passfile ROLE OWNER: writes etc/ROLE.pgpass, which only that user may read, and prints the conninfo with it.
passfile() {
    printf '*:*:*:%s:%s\n' "$1" "$(secret "$1")" | file_write "$VAR/etc/$1.pgpass" 600 "$2"
    echo "host=$VAR/run/postgres dbname=skylark user=$1 passfile=$VAR/etc/$1.pgpass"
}
