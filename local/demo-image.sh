#!/bin/sh
# What the demo image runs: a web server on port 8000, and a numbered line a second on standard output.
trap 'echo "told to end"; exit 0' TERM INT
sed -i "s/INSTANCE/$(hostname | sed 's/-[^-]*$//')/" /www/index.html
httpd -p 8000 -h /www
n=0
while :; do
    n=$((n + 1))
    echo "line $n"
    sleep "${INTERVAL:-1}" &
    wait $!
done
