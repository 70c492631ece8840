#!/bin/bash
# SPDX-License-Identifier: MIT
# progress.sh LABEL LOG COMMAND... - run a long step with its output in LOG, and never be silent: one line with the
# seconds so far, rewritten on a terminal, repeated every 20 seconds elsewhere. On failure the end of LOG is shown and
# the command's status returned. Does not limit the time a step may take.
set -u
label=$1 log=$2
shift 2
mkdir -p "$(dirname "$log")"
unset MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS MAKE_TERMOUT MAKE_TERMERR

exec 9>"$log.lock"
flock -n 9 || { printf '  %s: another make is at it; waiting\n' "$label"; flock 9; }
printf '  %s\n' "$label"
start=$SECONDS
setsid nice "$@" >"$log" 2>&1 </dev/null 9>&- &	# a group of its own, to be ended as one
pid=$!
trap 'kill -- -$pid 2>/dev/null; exit 130' INT TERM

if [ -t 1 ]; then
	every=1 begin='\r' end=''
else
	every=20 begin='' end='\n'
fi
shown=0
while sleep 0.2; kill -0 $pid 2>/dev/null; do
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
	printf '  %s: %d s\n' "$label" $((SECONDS - start))
fi
exit $status
