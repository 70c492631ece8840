#!/bin/bash -p
# SPDX-License-Identifier: MIT
# run.sh [options] PROGRAM.elf WORDS - what `make thin` does: a machine with one VM, this thin program, attached to this terminal. Its exit
# code is this script's status; 125: it ended without one.
#   -n NODES      of the machine, 2..16 (for 1: a machine of two); the program has a VCPU on each
#   -v VCPUS      1..16, in place of one on each node
#   -m MB         memory of the program
#   -d DISK       its next disk, up to four: a folder, of whose files an image is made, or an image; what is written is gone with the machine
#   -o FILE.dts   only writes the description, nothing is run
#   -p PORT       a TCP port of its own that this host reaches, up to eight; -P PORT: at this one of 127.0.0.1 and those behind it
#   -s FILE       the status goes into FILE, this script's own is 0
#   -a WORDS, -f OPTIONS   handed to qemu/run.sh
set -eu -o pipefail
. "$(dirname "$0")/../../tools/env.sh"
top=$(realpath "$(dirname "$0")/../..")
who='make thin'
. "$top/qemu/ended.sh"

fail() {
	echo "make thin: $*" >&2
	exit 2
}

number() { # NAME VALUE LOW HIGH
	[[ $2 =~ ^[0-9]{1,5}$ ]] && [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || fail "$1: found $2, allowed: $3..$4"
}

nodes=8 vcpus='' memory=64 out='' status_file='' words='' through=() disks=() ports=() host_port=''
while getopts a:d:f:m:n:o:p:P:s:v: option; do
	case $option in
	a) words=$OPTARG ;;
	d) disks+=("$OPTARG") ;;
	f) through+=(-f "$OPTARG") ;;
	m) memory=$OPTARG ;;
	n) nodes=$OPTARG ;;
	o) out=$OPTARG ;;
	p) ports+=("$OPTARG") ;;
	P) host_port=$OPTARG ;;
	s) status_file=$OPTARG ;;
	v) vcpus=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# = 2 ] || fail "found $# words, allowed: a program, and its words as one"
program=$1 bootargs=$2
number NODES "$nodes" 1 16
number VCPUS "${vcpus:=$nodes}" 1 16
number MEMORY "$memory" 4 1024
[ -f "$program" ] || fail "found no program $program"
[[ $bootargs != *[\"\\]* ]] || bootargs=$(sed 's/[\\"]/\\&/g' <<<"$bootargs")

# The machine has room for the program's pages, copies of them, and the monitor.
machine_nodes=$((nodes < 2 ? 2 : nodes))
machine_memory=$((2 * memory + 16 * machine_nodes))
machine_memory=$((machine_memory < 128 ? 128 : machine_memory > 2048 ? 2048 : machine_memory))
machine_memory=$(((machine_memory + machine_nodes - 1) / machine_nodes * machine_nodes))
label=$(basename "$program" .elf | tr 'A-Z_' 'a-z-' | tr -dc 'a-z0-9-' | cut -c 1-15)

[ ${#disks[@]} -le 4 ] || fail "DISK: found ${#disks[@]}, allowed: at most 4"
for disk in "${disks[@]}"; do
	[ -e "$disk" ] || fail "DISK: found no $disk, allowed: a folder, or an image of a disk"
done

[ ${#ports[@]} -le 8 ] || fail "PORTS: found ${#ports[@]}, allowed: at most 8"
for port in "${ports[@]}" $host_port; do
	number PORTS "$port" 1 65535
done

# An image of a folder's files, with room for as much again.
make_disk() { # FOLDER OUT
	local kb
	kb=$(du -sk --apparent-size "$1" | cut -f 1)
	(cd "$1" && find . -print0 | cpio --quiet -0 -o -H newc) >"$2.cpio"
	"$top/tools/mkdisk.py" "$2" $((kb / 512 + 8)) files "$2.cpio"
	rm "$2.cpio"
}

describe_disks() {
	local i
	for i in "${!disks[@]}"; do
		printf '\t\t\tdisk%s { compatible = "disco,disk"; mode = "cow"; image = "%s"; };\n' "$i" "${images[i]-${disks[i]}}"
	done
}

describe_port() {
	[ ${#ports[@]} -eq 0 ] || printf '\t\t\tnet0 { compatible = "disco,net"; subnet = "lan"; forward = <%s>; };\n' "${ports[*]}"
}

describe_uplink() {
	[ ${#ports[@]} -eq 0 ] || printf '\tuplink { compatible = "disco,uplink"; subnet = "lan"; };\n'
}

describe() {
	cat <<-END
	/dts-v1/;

	/ {
		compatible = "disco,machine";
		nodes = <$machine_nodes>;
		memory-mb = <$machine_memory>;

		vms {
			vm0 {
				compatible = "disco,vm";
				label = "${label:=thin}";
				kernel = "program.elf";
				memory-mb = <$memory>;
				vcpus = <$vcpus>;
				node = <$(seq -s ' ' 0 $((nodes - 1)))>;
				bootargs = "$bootargs";
	$(describe_disks)
	$(describe_port)
			};
		};
	$(describe_uplink)
	};
	END
}

work=$(mktemp -d "$top/build/thin.XXXXXX")
trap 'rm -rf "$work"' EXIT
images=()
if [ -z "$out" ]; then
	for i in "${!disks[@]}"; do
		images[i]=$(realpath "${disks[i]}")
		[ ! -d "${images[i]}" ] || { make_disk "${images[i]}" "$work/disk$i.img" && images[i]=$work/disk$i.img; }
	done
fi
describe >"$work/disco.dts"
[ -z "$out" ] || { cp "$work/disco.dts" "$out"; exit 0; }
mkdir "$work/root"
dtc -q -I dts -O dtb -o "$work/root/disco.dtb" "$work/disco.dts"
mipsisa64r6el-linux-gnuabi64-strip -o "$work/root/program.elf" "$program"
(cd "$work/root" && printf '%s\n' disco.dtb program.elf | cpio --quiet -o -H newc --owner=0:0) >"$work/run.cpio"
"$top/build/host/dtscheck" "$work/root/disco.dtb" "$work/run.cpio" | sed "s|^$work/root/disco.dtb: |make thin: |" >&2 || exit 2

# Which ports of the host they are is said here: run.sh, quiet, does not.
if [ ${#ports[@]} -gt 0 ]; then
	host_port=${host_port:-$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')}
	through+=(-u "$host_port")
	for i in "${!ports[@]}"; do
		echo "TCP port ${ports[i]} of $label is 127.0.0.1:$((host_port + i)) of this host."
	done
fi
run_attached "$label" "$words" "$work/log" "${through[@]}" "$work/run.cpio"
end_with $code "$status_file"
