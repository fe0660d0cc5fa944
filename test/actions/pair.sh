#!/bin/sh
# The executables of the tests' pair of database hosts, each a link of its name to this file: stopservice1, unplumb, plumb NODE,
# startservice1, alarm WORD..., check_db_host1, check_db_host2. The service is a beater; its address is one of the loopback of the node's
# network namespace, or a file where there is none. DIR, NODE_BINARY, BEATER and NETNS come from the file beside it.
# Faults are files in $DIR/$HASTMON_NODE:
#   plumb.fail                     plumb says why it cannot, and exits 2
#   plumb.wait                     plumb waits for as long as the file is there
#   plumb.flood                    plumb prints 20 MB
#   start.hang                     startservice1 starts the service and never ends
#   start.forks                    startservice1 leaves a second service behind, of which nothing else knows
#   check.lie                      both checks print what the file says
. "${0%/*}/../service.env"
export HASTMON_TEST_DIR="$DIR"
here=$DIR/$HASTMON_NODE
pidfile=$here/service.pid
address=10.99.0.9/32
name=${0##*/}
lives() { read -r _ _ state _ 2>/dev/null <"/proc/$1/stat" && [ "$state" != Z ]; }
alive() { [ -f "$pidfile" ] && read -r pid <"$pidfile" && lives "$pid"; }
fault() { [ -e "$here/$1" ]; }
plumbed() { if [ -n "$NETNS" ]; then ip -o address show dev lo | grep -q " $address "; else [ -e "$here/address" ]; fi; }
beater() { "$NODE_BINARY" "$BEATER" "$DIR/beats" "$HASTMON_NODE" "$HASTMON_EPOCH" "$1" </dev/null >/dev/null 2>&1 & }
note() { echo "$HASTMON_ACTION: $name${1:+ $*}" >>"$here/actions.log"; }
case $name in
stopservice1)
  note
  alive && kill -KILL "$pid" 2>/dev/null && while lives "$pid"; do sleep 0.005; done
  rm -f "$pidfile"
  ;;
unplumb)
  note
  if [ -n "$NETNS" ]; then ! plumbed || ip address delete "$address" dev lo; else rm -f "$here/address"; fi
  ;;
plumb)
  note "$@"
  while fault plumb.wait; do sleep 0.01; done
  fault plumb.fail && { echo "no such device: eth7"; exit 2; }
  fault plumb.flood && yes 'a line that says nothing at all, over and over' | head -c 20000000
  if [ -n "$NETNS" ]; then plumbed || ip address add "$address" dev lo; else : >"$here/address"; fi
  ;;
startservice1 | startservice2)
  note
  alive || { rm -f "$pidfile"; beater "$pidfile"; }
  while [ ! -f "$pidfile" ]; do sleep 0.005; done
  fault start.forks && beater "$pidfile.second"
  fault start.hang && exec sleep 1000
  ;;
alarm) note "$@" ;;
check_*)
  fault check.lie && exec cat "$here/check.lie"
  case $name in
  check_db_host1) alive ;;
  *) plumbed ;;
  esac && echo "master on $HASTMON_NODE" || echo "slave on $HASTMON_NODE"
  ;;
esac
exit 0
