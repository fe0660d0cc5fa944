#!/bin/bash
# Rolls a deployment out over the servers of a service, as scripts for ipvs-weightman do it: each is switched off, left alone until
# nobody uses it, deployed to, switched on slowly, and waited for. Only commands that ipvs-weightman has.
#   rolling-deploy.sh PORT SERVICE COMMAND…
set -eu
port=$1 service=$2
shift 2

# One command, on a connection of its own; what is for people, and the prompt, left out.
ask() {
	exec 3<>"/dev/tcp/127.0.0.1/$port"
	printf '%s\nquit\n' "$*" >&3
	sed -e 's/^\$ *//' -e '/^#/d' -e '/^$/d' <&3
	exec 3<&- 3>&-
}

# Until the line in sum has this in it.
await() {
	until ask show host "$1" for "$service" | grep -q -e "$2"; do sleep 0.02; done
}

for server in $(ask show hosts for "$service"); do
	ask set host "$server" off
	await "$server" 'Total.ActiveConn=0 '
	"$@" "$server"
	ask set host "$server" on in 30
	await "$server" 'Combined.TStatus=0-DONE'
	echo "$server is done"
done
