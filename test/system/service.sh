#!/bin/sh
# The hook program of the system tests: a beater per node. DIR, NODE_BINARY and BEATER come from the file beside it.
# Faults are files in $DIR/$HASTMON_NODE:
#   start.fail start.slow start.hang start.lie   start exits 1, takes so many seconds, never ends, does nothing and exits 0
#   stop.fail stop.slow stop.hang stop.lie       likewise; stop.hang ignores SIGTERM, stop.lie forgets the service alive
#   status.unknown                               status exits 4
#   leave.daemon                                 start leaves a second service behind, of which stop knows nothing
#   own.session                                  the service leaves the process group of start, as daemons do
#   own.cgroup                                   it leaves the control group too: the file says the cgroup.procs to go to
#   fence.slow                                   the next fence takes so many seconds, and no other
. "${0%/*}/service.env"
export HASTMON_TEST_DIR="$DIR"
here=$DIR/$HASTMON_NODE
pidfile=$here/service.pid
# A zombie is dead: where the init process is slow to wait for orphans, kill -0 finds it for seconds.
lives() { read -r _ _ state _ 2>/dev/null <"/proc/$1/stat" && [ "$state" != Z ]; }
alive() { [ -f "$pidfile" ] && read -r pid <"$pidfile" && lives "$pid"; }
fault() { [ -e "$here/$1" ]; }
said() { read -r text <"$here/$1" && echo "$text"; }
beater() {
  fault own.session && session=setsid || session=
  $session "$NODE_BINARY" "$BEATER" "$DIR/beats" "$HASTMON_NODE" "$HASTMON_EPOCH" "$pidfile" </dev/null >/dev/null 2>&1 &
  fault own.cgroup && echo $! >"$(said own.cgroup)"
}
read -r now _ </proc/uptime
echo "$1 $now $HASTMON_EPOCH" >>"$here/hooks.log"
case $1 in
start)
  fault start.hang && sleep 1000
  fault start.slow && sleep "$(said start.slow)"
  fault start.fail && { echo "cannot start: told to fail"; exit 1; }
  fault start.lie && exit 0
  alive && exit 0
  rm -f "$pidfile"
  beater
  while [ ! -f "$pidfile" ]; do sleep 0.005; done
  # It comes up when the service is gone, as a supervisor of the service's own would have it.
  fault leave.daemon && setsid sh -c "while [ -f '$pidfile' ]; do sleep 0.01; done
    exec '$NODE_BINARY' '$BEATER' '$DIR/beats' '$HASTMON_NODE' '$HASTMON_EPOCH' '$pidfile.left'" </dev/null >/dev/null 2>&1 &
  ;;
fence)
  if fault fence.slow; then
    seconds=$(said fence.slow)
    rm "$here/fence.slow"
    sleep "$seconds"
  fi
  alive && kill -KILL "$pid"
  rm -f "$pidfile"
  ;;
stop)
  fault stop.hang && { trap '' TERM; sleep 1000; sleep 1000; }
  fault stop.slow && sleep "$(said stop.slow)"
  fault stop.fail && { echo "cannot stop: told to fail"; exit 1; }
  fault stop.lie && { rm -f "$pidfile"; exit 0; }
  alive || { rm -f "$pidfile"; exit 0; }
  kill -KILL "$pid" 2>/dev/null
  while lives "$pid"; do sleep 0.005; done
  rm -f "$pidfile"
  ;;
status)
  fault status.unknown && exit 4
  alive && exit 0
  exit 1
  ;;
esac
exit 0
