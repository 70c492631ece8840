#!/bin/bash -p
# SPDX-License-Identifier: MIT
# debug.sh [-b GDBSCRIPT] [-a WORDS] [-u] SCENARIO - the machine, stopped before its first instruction, with gdb in this terminal and the
# serial line elsewhere: `make console` in a second terminal talks to it, build/debug.line.log keeps what it said. With -b
# gdb runs that script and leaves; with -u U-Boot boots the machine. The machine ends with gdb. Of several at once the second is
# build/debug-2.line and `make console MACHINE=2`, and so on.
set -eu
. "$(dirname "$0")/../tools/env.sh"
caller=$PWD
cd "$(dirname "$0")/.."
batch='' words='' boot=()
while getopts a:b:u option; do
	case $option in
	a) words=$OPTARG ;;
	b) batch=$OPTARG ;;
	u) boot=(-b) ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
case $batch in
'' | /*) ;;
*) batch=$caller/$batch ;;
esac
scenario=$1
shift
[ ! -f "$caller/$scenario" ] || scenario=$(realpath -- "$caller/$scenario")

# The lowest number that nobody uses; the lock ends with this process.
mkdir -p build
number=1 name=build/debug console='make console'
exec 9>$name.lock
until flock -n 9; do
	number=$((number + 1))
	name=build/debug-$number console="make console MACHINE=$number"
	exec 9>$name.lock
done
gdb_socket=$name.gdb line_socket=$name.line
rm -f $gdb_socket $line_socket $line_socket.log
# In a session of its own: Ctrl-C is for gdb, and must not end QEMU.
setsid setpriv --pdeathsig TERM qemu/run.sh -q "${boot[@]}" -a "$words" -c $line_socket -g $gdb_socket "$scenario" "$@" </dev/null 9>&- &
qemu=$!
trap 'kill $qemu 2>/dev/null || true; wait $qemu 2>/dev/null || true; rm -f $gdb_socket $line_socket' EXIT
while [ ! -S $gdb_socket ]; do
	kill -0 $qemu 2>/dev/null || { echo "debug.sh: QEMU ended before gdb could attach" >&2; exit 1; }
	read -rt 0.05 <> <(:) || true
done

set -- gdb-multiarch -q -nx -x qemu/gdbinit -ex "file build/disco.elf" -ex "add-symbol-file build/linux/vmlinux" \
	-ex "target remote $gdb_socket" -ex "python copies.watch()"
if [ -n "$batch" ]; then
	"$@" -batch -x "$batch"
else
	echo "The serial line: \`$console\` in another terminal; its log: $line_socket.log."
	echo "In gdb: \`thbreak trap_from_guest\`, \`thbreak start_kernel\`, \`continue\`, Ctrl-C; \`help user-defined\` lists our commands. docs/debugging.md"
	trap '' INT
	"$@"
fi
