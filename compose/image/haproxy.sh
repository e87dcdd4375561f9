#!/bin/sh
# Serves what the templater wrote into the run directory; waits for it once, on a node's first start. Where a stand-in serves meanwhile
# (haproxy-stand-in.sh), it takes over the sockets of that one.
set -eu
export TOOTS_RUN_DIR="${TOOTS_RUN_DIR:-/run/toots/edge}"
cd "$TOOTS_RUN_DIR"
until [ -s haproxy.cfg ]; do sleep 0.2; done
set -- -f "$TOOTS_RUN_DIR/haproxy.cfg" -f /usr/local/etc/haproxy/hand-over.cfg -p "$TOOTS_RUN_DIR/haproxy.pid" "$@"
[ ! -S stand-in.sock ] || set -- "$@" -x "$TOOTS_RUN_DIR/stand-in.sock"
exec haproxy -W -S "$TOOTS_RUN_DIR/master.sock,mode,600" "$@"
