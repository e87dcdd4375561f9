#!/bin/sh
# Serves what the templater wrote into the run directory; waits for it once, on a node's first start.
set -eu
cd "${TOOTS_RUN_DIR:=/run/toots/edge}"
until [ -s haproxy.cfg ]; do sleep 0.2; done
exec haproxy -W -S "$TOOTS_RUN_DIR/master.sock,mode,600" -f "$TOOTS_RUN_DIR/haproxy.cfg" -p "$TOOTS_RUN_DIR/haproxy.pid"
