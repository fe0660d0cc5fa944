#!/bin/sh
# The hook program of the system tests: a beater per node. DIR, NODE_BINARY and BEATER come from the file beside it.
# Faults are files in $DIR/$HASTMON_NODE: start.fail, start.slow, start.hang, start.lie, stop.slow, stop.hang, stop.fail, stop.lie,
# status.unknown, leave.daemon (the service ignores TERM and stop does not know of it).
. "$(dirname "$0")/service.env"
here=$DIR/$HASTMON_NODE
pidfile=$here/service.pid
mkdir -p "$here"
alive() { [ -f "$pidfile" ] && kill -0 "$(cat "$pidfile")" 2>/dev/null; }
echo "$1 $(cut -d' ' -f1 /proc/uptime) $HASTMON_EPOCH" >>"$here/hooks.log"
case $1 in
start)
  [ -e "$here/start.hang" ] && sleep 1000
  [ -e "$here/start.slow" ] && sleep "$(cat "$here/start.slow")"
  [ -e "$here/start.fail" ] && { echo "cannot start: told to fail"; exit 1; }
  [ -e "$here/start.lie" ] && exit 0
  alive && exit 0
  rm -f "$pidfile"
  setsid "$NODE_BINARY" "$BEATER" "$DIR/beats" "$HASTMON_NODE" "$HASTMON_EPOCH" "$pidfile" </dev/null >/dev/null 2>&1 &
  while [ ! -f "$pidfile" ]; do sleep 0.005; done
  ;;
stop)
  [ -e "$here/stop.hang" ] && { trap '' TERM; sleep 1000; sleep 1000; }
  [ -e "$here/stop.slow" ] && sleep "$(cat "$here/stop.slow")"
  [ -e "$here/stop.fail" ] && { echo "cannot stop: told to fail"; exit 1; }
  [ -e "$here/stop.lie" ] && { rm -f "$pidfile"; exit 0; }
  alive || { rm -f "$pidfile"; exit 0; }
  pid=$(cat "$pidfile")
  kill -KILL "$pid" 2>/dev/null
  while kill -0 "$pid" 2>/dev/null; do sleep 0.005; done
  rm -f "$pidfile"
  ;;
status)
  [ -e "$here/status.unknown" ] && exit 4
  alive && exit 0
  exit 1
  ;;
esac
exit 0
