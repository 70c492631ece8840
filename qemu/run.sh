#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh [options] SCENARIO [-- more QEMU options] - the one place with QEMU's command line. SCENARIO is a name (configs/NAME.dts,
# built as build/NAME.cpio) or a boot archive. Nodes and memory are the archive's own.
#   -a WORDS    words for the monitor's command line, e.g. -a "attach=alpha exit=1"
#   -c PATH     the serial line on a UNIX socket with this name instead of this terminal, with a log in PATH.log
#   -d          deterministic: time is instructions executed
#   -f OPTIONS  under the timing model, name=value,... of qemu/flash/README.md; "" for the model of the paper
#   -g PATH     gdb's server on a UNIX socket with this name, processors stopped until gdb continues them
#   -k ELF      run this instead of the monitor, without a boot archive (-n and -m wanted)
#   -m MB       memory, in place of the archive's
#   -n NODES    processors, in place of the archive's
#   -p PLUGIN   a TCG plugin: FILE.so[,name=value...]
#   -q          print nothing of its own
# The reasons for each QEMU option are in qemu/README.md.
set -eu
cd "$(dirname "$0")/.."

usage() {
	sed -n 's/^# \{0,1\}//; 3,15p' "$0" >&2
	exit 2
}

nodes='' memory='' clock='' words='' kernel=build/disco.elf archive='' quiet='' options=()
serial=(-chardev 'stdio,id=line,signal=off')
while getopts a:c:df:g:k:m:n:p:q option; do
	case $option in
	a) words=$OPTARG ;;
	c) serial=(-chardev "socket,id=line,path=$OPTARG,server=on,wait=off,logfile=$OPTARG.log") ;;
	d) clock+=d options+=(-icount 'shift=0,sleep=off' -seed 1 -rtc 'base=2020-01-01,clock=vm') ;;
	f) clock+=f options+=(-plugin "build/flash.so${OPTARG:+,$OPTARG}" -seed 1 -rtc 'base=2020-01-01,clock=vm') ;;
	g) options+=(-S -chardev "socket,id=gdb,path=$OPTARG,server=on,wait=off" -gdb chardev:gdb) ;;
	k) kernel=$OPTARG ;;
	m) memory=$OPTARG ;;
	n) nodes=$OPTARG ;;
	p) options+=(-plugin "$OPTARG" -d plugin) ;;
	q) quiet=1 ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
case $clock in
*df* | *fd*)
	echo "run.sh: found -d and -f, allowed: one of them; each is a clock" >&2
	exit 2
	;;
f*)
	if [ ! -f build/flash.so ]; then
		echo "run.sh: found no build/flash.so: \`make build/flash.so\` builds it" >&2
		exit 2
	fi
	;;
esac

if [ "$kernel" = build/disco.elf ]; then
	[ $# -ge 1 ] || usage
	archive=$1
	shift
	[ -f "$archive" ] || archive=build/$archive.cpio
	if [ ! -f "$archive" ]; then
		echo "run.sh: found no $archive, expected a boot archive or one of:" configs/*.dts >&2
		exit 2
	fi
	options+=(-initrd "$archive")
	dtb=$(mktemp)
	trap 'rm -f "$dtb"' EXIT
	if [ -z "$nodes" ] || [ -z "$memory" ]; then
		cpio --quiet -i --to-stdout disco.dtb <"$archive" >"$dtb" 2>/dev/null || true
		nodes=${nodes:-$(fdtget "$dtb" / nodes)}
		memory=${memory:-$(fdtget "$dtb" / memory-mb)}
	fi
	rm -f "$dtb"
fi
if [ "${1-}" = -- ]; then
	shift
fi

if [ -z "$quiet" ] && [ -t 1 ]; then
	echo "QEMU is process $$: kill it from another terminal if nothing here answers."
fi
exec qemu-system-mips64el -M malta -cpu I6500 -smp "$nodes" -m "$memory" -accel tcg,thread=single \
	-kernel "$kernel" ${words:+-append "$words"} "${options[@]}" \
	-display none -vga none -nic none -monitor none -no-reboot "${serial[@]}" -serial chardev:line "$@"
