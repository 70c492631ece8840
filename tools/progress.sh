#!/bin/bash -p
# SPDX-License-Identifier: MIT
# progress.sh [-s STAMP] LABEL LOG COMMAND... - run a long step with its output in LOG, and never be silent: one line with the
# seconds so far, rewritten on a terminal, repeated every 20 seconds elsewhere. On failure the end of LOG is shown and the
# command's status returned; when all went well STAMP is touched. Does not limit the time a step may take.
#
# One at a time: a second make that wants the same step waits for the first, and finds it done if STAMP says so. Whatever COMMAND
# started holds the lock too, so that what a killed make left running is waited for.
set -u
. "$(dirname "$0")/env.sh"
stamp=
[ "$1" = -s ] && stamp=$2 && shift 2
label=$1 log=$2
shift 2
mkdir -p "$(dirname "$log")"

start=$SECONDS
exec 9>"$log.lock"
if ! flock -n 9; then
	printf '  %s: another make is at it; waiting\n' "$label"
	before=$(stat -c %y "$stamp" 2>/dev/null)
	flock 9
	if [ -n "$stamp" ] && [ "$(stat -c %y "$stamp" 2>/dev/null)" != "$before" ]; then
		printf '  %s: done by the other make\n' "$label"
		exit 0
	fi
fi
printf '  %s\n' "$label"
setsid nice "$@" >"$log" 2>&1 </dev/null &	# a group of its own, to be ended as one
pid=$!
trap 'kill -- -$pid 2>/dev/null; wait $pid; exit 130' INT TERM HUP

if [ -t 1 ]; then
	every=1 begin='\r' end=''
else
	every=20 begin='' end='\n'
fi
shown=0
while sleep 0.2 9>&-; kill -0 $pid 2>/dev/null; do
	now=$((SECONDS - start))
	if ((now - shown >= every)); then
		shown=$now
		printf "$begin  %s: %d s, %d lines of output$end" "$label" "$now" "$(wc -l <"$log")"
	fi
done
wait $pid
status=$?
[ -t 1 ] && ((shown)) && printf '\r\033[K'
if ((status)); then
	printf '  %s: FAILED after %d s; the end of %s:\n' "$label" $((SECONDS - start)) "$log" >&2
	tail -n 25 "$log" >&2
else
	[ -z "$stamp" ] || touch "$stamp"
	printf '  %s: %d s\n' "$label" $((SECONDS - start))
fi
exit $status
