#!/bin/sh
# Stands for an application that reads its properties at its start and at HUP.
show() { echo "app: $(grep -c = app.properties) properties"; }
trap show HUP
trap 'exit 0' TERM
show
while :; do
  sleep 1 &
  wait $!
done
