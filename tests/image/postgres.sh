#!/bin/bash
# postgres.sh FOLDER: adds this machine's PostgreSQL to the root of an image, with the libraries it is linked to, and
# bin/database, which runs it on the data folder /data/db (made when it is empty) and listens on 5432 without passwords.
set -euo pipefail
root=$1
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
version=$(basename "$(dirname "$bin")")

# into PATH...: with what it is linked to, at the same place.
into() {
    local path
    for path in "$@" $(ldd "$@" 2>/dev/null | grep -oE '/[^ :()]+' | sort -u); do
        [ ! -f "$path" ] || install -D -m 755 "$(realpath "$path")" "$root$path"
    done
}
into "$bin"/{postgres,initdb,psql} "/usr/lib/postgresql/$version/lib"/{dict_snowball,plpgsql}.so
mkdir -p "$root/usr/share/postgresql" "$root/usr/share/zoneinfo" "$root/data"
cp -r "/usr/share/postgresql/$version" "$root/usr/share/postgresql/"
cp /usr/share/zoneinfo/{UTC,Etc/UTC} "$root/usr/share/zoneinfo/" 2>/dev/null || cp "$(realpath /etc/localtime)" "$root/usr/share/zoneinfo/UTC"
rm -rf "$root/usr/share/postgresql/$version"/{extension,man}
mkdir -p "$root/usr/share/postgresql/$version/extension"
cp "/usr/share/postgresql/$version/extension"/plpgsql* "$root/usr/share/postgresql/$version/extension/"
printf '%s\n' 'root:x:0:0:root:/:/bin/sh' 'postgres:x:70:70:postgres:/:/bin/sh' >"$root/etc/passwd"
printf '%s\n' 'root:x:0:' 'postgres:x:70:' >"$root/etc/group"
cat >"$root/bin/database" <<END
#!/bin/sh
cd /
if [ ! -s /data/db/PG_VERSION ]; then
    rm -rf /data/db/* && mkdir -p /data/db && chown postgres:postgres /data/db && chmod 700 /data/db || exit 1
    su postgres -c "$bin/initdb -D /data/db -A trust -E UTF8 --no-locale" || exit 1
    echo 'host all all all trust' >>/data/db/pg_hba.conf
fi
exec su postgres -c "exec $bin/postgres -D /data/db -c listen_addresses=* -c unix_socket_directories=/tmp -c shared_buffers=16MB"
END
ln -sf "$bin/psql" "$root/bin/psql"
chmod 755 "$root/bin/database"
