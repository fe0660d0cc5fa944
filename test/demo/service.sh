#!/bin/sh
# The hook program of the demo: a small HTTP service on one port, as if it were one address that moves between machines.
. "$(dirname "$0")/service.env"
pidfile=$DIR/$HASTMON_NODE/http.pid
# A zombie (where nobody reaps orphans at once) is not alive.
alive() { [ -f "$pidfile" ] && read -r _ _ state _ 2>/dev/null <"/proc/$(cat "$pidfile")/stat" && [ "$state" != Z ]; }
case $1 in
start)
  alive && exit 0
  setsid "$NODE_BINARY" "$HTTP" "$PORT" "$HASTMON_NODE" "$HASTMON_EPOCH" "$pidfile" </dev/null >/dev/null 2>&1 &
  while [ ! -f "$pidfile" ]; do sleep 0.01; done
  ;;
stop)
  alive || exit 0
  pid=$(cat "$pidfile")
  kill "$pid"
  while alive; do sleep 0.01; done
  rm -f "$pidfile"
  ;;
status)
  alive && exit 0
  exit 1
  ;;
esac
exit 0
