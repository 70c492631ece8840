#!/bin/bash -p
# SPDX-License-Identifier: MIT
# run.sh [options] SCENARIO [-- more QEMU options] - the one place with QEMU's command line. SCENARIO is a name (configs/NAME.dts,
# built as build/NAME.cpio) or a boot archive. Nodes and memory are the archive's own. Files are sought from the caller's folder.
#   -a WORDS    words for the monitor's command line, e.g. -a "attach=alpha exit=1"; at most 2048 bytes
#   -b          the boot ROM is U-Boot, which boots monitor and archive from a disk (boot/uboot)
#   -B          the same, and U-Boot stops at its prompt; `run boot` goes on
#   -c PATH     the serial line on a UNIX socket with this name instead of this terminal, with a log in PATH.log (cap_log.py)
#   -d          deterministic: time is instructions executed
#   -f OPTIONS  under the timing model, name=value,... of qemu/flash/README.md; "" for the model of the paper
#   -g PATH     gdb's server on a UNIX socket with this name, processors stopped until gdb continues them
#   -k ELF      run this instead of the monitor, without a boot archive (-n and -m wanted)
#   -m MB       memory, in place of the archive's
#   -n NODES    processors, in place of the archive's
#   -p PLUGIN   a TCG plugin: FILE.so[,name=value...]
#   -u PORT     the first TCP port of this host that reaches a guest, the others follow; in place of any that are free
#   -q          for scripts: nothing printed of its own, and this process becomes QEMU, so that nobody is left to put a terminal
#               back when QEMU is killed
# The reasons for each QEMU option are in qemu/README.md.
set -eu
. "$(dirname "$0")/../tools/env.sh"
caller=$PWD
cd "$(dirname "$0")/.."

usage() {
	sed -n 's/^# \{0,1\}//; 3,20p' qemu/run.sh >&2
	exit 2
}

fail() {
	echo "run.sh: $1" >&2
	exit 2
}

# A path as the caller wrote it, good in this folder.
here() {
	case $1 in
	/*) printf %s "$1" ;;
	*) [ "$caller" -ef . ] && printf %s "$1" || printf %s "$caller/$1" ;;
	esac
}

# The same as a value among QEMU's options, where commas are doubled. For a socket the name must be short.
option() { local path; path=$(here "$1"); printf %s "${path//,/,,}"; }
socket() {
	local path; path=$(here "$1")
	[ ${#path} -le 107 ] || fail "found a socket's name of ${#path} bytes, allowed 107: $path"
	option "$1"
}

# With QEMU's own words before it, what QEMU passes on ends after 255 bytes. More goes into memory that the monitor reads
# (boot/boot.c), from a file that is gone as soon as it is open.
WORDS_SHORT=160 WORDS_MAX=2048 WORDS_ADDRESS=0x4000
long_words() {
	local file
	file=$(mktemp)
	printf '%s\0' "$words" >"$file"
	exec 8<"$file"
	rm "$file"
	options+=(-device "loader,file=/proc/self/fd/8,addr=$WORDS_ADDRESS,force-raw=on")
	words=words=$WORDS_ADDRESS
}

# In place of -kernel and -initrd: U-Boot as the boot ROM, and the disk that it boots from, gone as soon as it is open.
firmware() {
	local disk seed variables=("words=$words")
	[ "$kernel" = build/disco.elf ] || fail "found -k and -b, allowed: one of them"
	[ -f build/u-boot/u-boot.bin ] || fail "found no build/u-boot/u-boot.bin: \`make build/u-boot/u-boot.bin\` builds it"
	[[ $clock = *[df]* ]] && seed=$(printf %064d 1) || seed=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
	[ $uboot = start ] || variables+=("start=echo 'run boot starts the machine, reset ends it'")
	disk=$(mktemp)
	tools/mkboot.py "$disk" $kernel "$archive" "$(basename "$archive" .cpio)" "${variables[@]}" "rngseed=$seed" || exit 2
	exec 6<>"$disk"
	rm "$disk"
	boot=(-bios build/u-boot/u-boot.bin -drive 'id=boot,if=ide,format=raw,file=/proc/self/fd/6')
}

# An image as a device of the machine: from slot 0x14 on, eight to a slot.
UPLINK_SLOT=0x12 DISK_SLOT=0x14 STRICT=(env "LD_PRELOAD=$PWD/build/host/strict.so")
disk() {
	local access=$1 image=$2 id=image$3 at readonly=on first=off
	printf -v at %x.%x $((DISK_SLOT + $3 / 8)) $(($3 % 8))
	[ "$access" = ro ] || readonly=off
	[ "${at#*.}" != 0 ] || first=on
	strict=("${STRICT[@]}")
	options+=(-drive "if=none,id=$id,file=${image//,/,,},format=raw,readonly=$readonly,rerror=report,werror=report"
		-device "virtio-blk-pci,drive=$id,serial=$id,disable-legacy=on,vectors=0,num-queues=1,request-merging=off,addr=$at,multifunction=$first")
}

# The machine's network device, on QEMU's user network of one subnet, which only the host reaches: what the guests' addresses are
# is guests/linux/rootfs/etc/subnets' rule.
uplink() {
	local word a b label network='' netdev=''
	while read -r word a b label; do
		case $word in
		subnet) network=10.$a.0 ;;
		forward)
			first_port=${first_port:-$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')}
			netdev+=",hostfwd=tcp:127.0.0.1:$first_port-$network.$a:$b"
			[ -n "$quiet" ] || echo "TCP port $b of $label is 127.0.0.1:$first_port of this host."
			[ -n "$fixed_ports" ] && first_port=$((first_port + 1)) || first_port=
			;;
		esac
	done
	[ -n "$network" ] || return 0
	strict=("${STRICT[@]}")
	options+=(-netdev "user,id=uplink,restrict=on,ipv6=off,net=$network.0/24,host=$network.254,dns=$network.253$netdev"
		-device "virtio-net-pci,netdev=uplink,disable-legacy=on,vectors=0,romfile=,addr=$UPLINK_SLOT")
}

nodes='' memory='' clock='' uboot='' words='' kernel=build/disco.elf archive='' quiet='' first_port='' fixed_ports='' options=() strict=() log=''
serial=(-chardev 'stdio,id=line,signal=off')
while getopts a:bBc:df:g:k:m:n:p:qu: option; do
	case $option in
	a) words=$OPTARG ;;
	b) uboot=start ;;
	B) uboot=prompt ;;
	c)
		log=$(here "$OPTARG.log")
		serial=(-chardev "socket,id=line,path=$(socket "$OPTARG"),server=on,wait=off,logfile=/proc/self/fd/7")
		;;
	d) clock+=d options+=(-icount 'shift=0,sleep=off' -seed 1 -rtc 'base=2020-01-01,clock=vm') ;;
	f) clock+=f options+=(-plugin "build/flash.so${OPTARG:+,$OPTARG}" -seed 1 -rtc 'base=2020-01-01,clock=vm') ;;
	g) options+=(-S -chardev "socket,id=gdb,path=$(socket "$OPTARG"),server=on,wait=off" -gdb chardev:gdb) ;;
	k) kernel=$(here "$OPTARG") ;;
	m) memory=$OPTARG ;;
	n) nodes=$OPTARG ;;
	p) options+=(-plugin "$(option "${OPTARG%%.so*}.so")${OPTARG#*.so}" -d plugin) ;;
	q) quiet=1 ;;
	u)
		[[ $OPTARG =~ ^[0-9]{1,5}$ ]] && [ "$OPTARG" -ge 1 ] && [ "$OPTARG" -le 65535 ] ||
			fail "-u: found $OPTARG, allowed 1..65535"
		first_port=$OPTARG fixed_ports=1
		;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
case $clock in
*df* | *fd*) fail "found -d and -f, allowed: one of them; each is a clock" ;;
f*) [ -f build/flash.so ] || fail "found no build/flash.so: \`make build/flash.so\` builds it" ;;
esac

if [ "$kernel" = build/disco.elf ]; then
	[ $# -ge 1 ] || usage
	archive=$(here "$1")
	[ -f "$archive" ] || archive=build/$1.cpio
	if [ ! -f "$archive" ]; then
		echo "run.sh: found no $1, expected a boot archive (sought from $caller) or the name of one of:" configs/*.dts >&2
		exit 2
	fi
	shift
	[ -n "$uboot" ] || options+=(-initrd "$archive")
	# The images of its disks, as the monitor numbers them (VMDESC_HOST_SERIAL). Only read, so that several machines may: what the
	# guests write to those is kept in the monitor.
	for file in build/host/dtscheck build/host/strict.so; do
		[ -f $file ] || fail "found no $file: \`make $file\` builds it"
	done
	images=$(build/host/dtscheck --disks "$archive") || { echo "$images" >&2; exit 2; }
	number=0
	while read -r access image; do
		[ -n "$image" ] || continue
		disk "$access" "$image" "$number"
		number=$((number + 1))
	done <<<"$images"
	uplink < <(build/host/dtscheck --uplink "$archive")
	{ read -r its_nodes; read -r its_memory; } < <(cpio --quiet -i --to-stdout disco.dtb <"$archive" 2>/dev/null |
		fdtget -d '' - / nodes / memory-mb) || true
	nodes=${nodes:-$its_nodes} memory=${memory:-$its_memory}
fi
if [ "${1-}" = -- ]; then
	shift
fi
[ ${#words} -le $WORDS_MAX ] || fail "found ${#words} bytes of words, allowed $WORDS_MAX"
if [ "$kernel" = build/disco.elf ]; then
	options+=(-device 'pvpanic-pci,addr=0x13' -action panic=exit-failure)
	# What is at the other end of the line: a terminal of some size, or, without the word, a file or a pipe.
	if [ -n "$log" ]; then
		words+=' tty='
	elif [ -t 1 ]; then
		words+=" tty=$({ stty size <&1 || echo 0 0; } 2>/dev/null | tr ' ' x)"
	fi
fi
if [ -n "$uboot" ]; then
	firmware
elif [ ${#words} -gt $WORDS_SHORT ]; then
	long_words
fi
if [ -n "$log" ]; then
	exec 7> >(exec setsid qemu/cap_log.py "$log")
fi

[ -n "$uboot" ] || boot=(-kernel "$kernel" ${words:+-append "$words"})
keeper=()
if [ -z "$quiet" ] && [ -t 0 ]; then
	keeper=(qemu/terminal.py -p "QEMU is process %d: kill it from another terminal if nothing here answers.")
fi
exec "${keeper[@]}" "${strict[@]}" qemu-system-mips64el -M malta -cpu I6500 -smp "$nodes" -m "$memory" -accel tcg,thread=single \
	"${boot[@]}" "${options[@]}" \
	-display none -vga none -nic none -monitor none -no-reboot "${serial[@]}" -serial chardev:line "$@"
