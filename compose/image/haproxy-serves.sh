#!/bin/sh
# Health of HAProxy's own container: whether a worker runs here and the page answers. At the same ports another may serve meanwhile.
set -eu
[ "$(busybox pidof haproxy | wc -w)" -ge 2 ] || { echo "no worker runs"; exit 1; }
exec haproxy-alive.sh "$1"
