#!/bin/bash
# Runs the measurements that are named, or all of them: api, autoscaler, metrics, routes. Each is explained at its top.
set -euo pipefail
cd -- "$(dirname -- "$0")"
[ $# -gt 0 ] || set -- api autoscaler metrics routes
for name; do
    printf -- '--- %s\n' "$name"
    "./$name.sh"
done
