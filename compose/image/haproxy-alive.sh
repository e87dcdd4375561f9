#!/bin/sh
# keepalived's check: whether this node's HAProxy answers on its own page.
exec busybox wget -q -T 2 -O /dev/null "http://$1/"
