#!/bin/sh
# Names the network devices of this host that have the address of keepalived's file now, one a line.
set -eu
vip=$(sed -n '/virtual_ipaddress {/{n;s/^ *\([^ /]*\).*/\1/p}' "${TOOTS_KEEPALIVED_CONF:-/run/toots/vip/keepalived.conf}")
busybox ip -o address show to "$vip" | busybox awk '{ print $2 }'
