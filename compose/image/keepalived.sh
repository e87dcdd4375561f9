#!/bin/sh
# Runs keepalived with the file that the templater renders, and has it read the file again when its text changed. A reload keeps the address.
# Where a stand-in keeps the address it ends without a word: that would give the address to a peer.
set -eu
conf=${TOOTS_KEEPALIVED_CONF:-/run/toots/vip/keepalived.conf}
until [ -s "$conf" ]; do sleep 0.5; done
keepalived --dont-fork --log-console --use-file="$conf" --pid=/run/keepalived.pid --vrrp_pid=/run/keepalived-vrrp.pid "$@" &
pid=$!
end() {
  if vip-devices.sh | grep -qx lo; then
    kill -KILL "$(cat /run/keepalived-vrrp.pid)" "$pid"
  else
    kill -TERM "$pid"
  fi
}
trap end TERM INT
loaded=$(cksum <"$conf")
while kill -0 "$pid" 2>/dev/null; do
  sleep 1 &
  wait $! || :
  now=$(cksum <"$conf")
  [ "$now" = "$loaded" ] || { kill -HUP "$pid" && loaded=$now; }
done
wait "$pid"
