#!/bin/sh
# Serves in place of the HAProxy of this run directory while its container is replaced: with its sockets and its configuration, but for the
# socket by which the templater speaks to it. Ends at USR1, when its last request is answered; its own socket goes with it.
set -eu
cd "${TOOTS_RUN_DIR:=/run/toots/edge}"
own="$TOOTS_RUN_DIR/stand-in.sock"
trap 'kill -USR1 "$pid"' USR1
trap 'kill -TERM "$pid"' TERM INT
sed "s|^\( *stats socket\) .*|\1 $own mode 600 level admin expose-fd listeners|" haproxy.cfg >/tmp/stand-in.cfg
haproxy -W -x "$TOOTS_RUN_DIR/hand-over.sock" -f /tmp/stand-in.cfg &
pid=$!
while kill -0 "$pid" 2>/dev/null; do wait "$pid" || :; done
rm -f "$own"
