#!/bin/sh
# Keeps the shared address while the keepalived of this host is replaced: has it on the loopback device, where the other's coming and going does
# not reach it, and goes on telling the peers. Ends at TERM without a word to them: it is for the next keepalived, which has the address by then.
set -eu
sed '/virtual_ipaddress {/{n;s|$| dev lo|}' "${TOOTS_KEEPALIVED_CONF:-/run/toots/vip/keepalived.conf}" >/tmp/stand-in.conf
vip=$(sed -n '/virtual_ipaddress {/{n;s|^ *\([^ /]*\).*|\1|p}' /tmp/stand-in.conf)
keepalived --dont-fork --log-console --use-file=/tmp/stand-in.conf --pid=/run/keepalived.pid --vrrp_pid=/run/keepalived-vrrp.pid &
pid=$!
trap 'kill -KILL $(cat /run/keepalived-vrrp.pid) $pid' TERM INT
while kill -0 "$pid" 2>/dev/null; do
  if vip-devices.sh | grep -qx lo; then # the kernel takes it away by itself where nobody is left to do so
    busybox ip address change "$vip/32" dev lo valid_lft 30 preferred_lft 30 || :
  fi
  sleep 1 &
  wait $! || :
done
busybox ip address delete "$vip/32" dev lo
