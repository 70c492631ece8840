#!/bin/bash -p
# SPDX-License-Identifier: MIT
# mkimage.sh [--needs | --disks | --no-check] FILE.dts [OUT.cpio] - the boot archive of a scenario: its description as disco.dtb, and
# every image that the description names but those of disks that QEMU opens. --needs only prints the paths of the images, and of the
# files that FILE.dts includes, one a line; --disks those of disks that QEMU opens. --no-check puts in what there is, right or wrong,
# for tests of the monitor's own checks, and a FILE.dtb alone.
# FILE.dts and OUT.cpio are sought from the caller's folder. DISCO_KERNEL: the file that "vmlinux" means, if not build/linux/vmlinux.
set -eu
. "$(dirname "$0")/env.sh"

mode=
case ${1-} in
--needs | --disks | --no-check) mode=$1; shift ;;
esac
if [ $# -lt 1 ] || { [[ $mode != --@(needs|disks) ]] && [ $# -lt 2 ]; }; then
	echo "mkimage.sh: found $# names, needed: [--needs | --disks | --no-check] FILE.dts [OUT.cpio]" >&2
	exit 2
fi
named=$1 dts=$(realpath -m -- "$1") out=${2:+$(realpath -m -- "$2")}
cd "$(dirname "$0")/.."

if [ ! -r "$dts" ]; then
	echo "mkimage.sh: found no description $named" >&2
	exit 2
fi
mkdir -p build
work=$(mktemp -d build/mkimage.XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
mkdir "$work/root"
dtb=$work/root/disco.dtb
case $dts in
*.dtb) cp -- "$dts" "$dtb" ;;
*) dtc -q -I dts -O dtb -d "$work/included" -o "$dtb" "$dts" ;;
esac

image_path() {
	case $1 in
	/*) echo "$1" ;;
	vmlinux) echo "${DISCO_KERNEL:-build/linux/vmlinux}" ;;
	numa/*.elf | rivals/*.elf) echo "build/guests/$1" ;;
	*.elf) echo "build/guests/tests/$1" ;;
	*) echo "build/$1" ;;
	esac
}

# What the compiled description names, one a line: how its source is written has no say. The images of disks: those that travel in
# the `archive`, or those that QEMU `opens`.
disks() {
	local vm disk where
	fdtget -l "$dtb" /vms 2>/dev/null | while read -r vm; do
		fdtget -l "$dtb" "/vms/$vm" 2>/dev/null | while read -r disk; do
			where=opens
			fdtget "$dtb" "/vms/$vm/$disk" in-archive >/dev/null 2>&1 && where=archive
			[ $where != "$1" ] || fdtget -t s "$dtb" "/vms/$vm/$disk" image 2>/dev/null || true
		done
	done | sort -u
}

# All that travels in the archive.
images() {
	[ "$mode" = --no-check ] && [[ $dts = *.dtb ]] && return
	local vm property
	{
		fdtget -l "$dtb" /vms 2>/dev/null | while read -r vm; do
			for property in kernel ramdisk; do
				fdtget -t s "$dtb" "/vms/$vm" "$property" 2>/dev/null || true
			done
		done
		disks archive
	} | sort -u
}

paths() { while IFS= read -r image; do image_path "$image"; done; }

if [ "$mode" = --disks ]; then
	disks opens | paths
	exit
fi
if [ "$mode" = --needs ]; then
	images | paths
	# Behind the target and FILE.dts itself: what was included. dtc escapes no blanks, make could not use such names.
	[ ! -f "$work/included" ] || sed 's/^[^:]*: *//' "$work/included" | tr ' ' '\n' | tail -n +2 | while read -r file; do
		[ ! -f "$file" ] || echo "$file"
	done
	exit
fi

images | while IFS= read -r image; do
	case $image in
	'' | /*) continue ;; # what begins with / is refused by dtscheck
	*..*)
		[ "$mode" = --no-check ] && continue
		echo "$named: $image: found .. in the name of an image, allowed: files in build/" >&2
		exit 1
		;;
	esac
	path=$(image_path "$image")
	if [ ! -f "$path" ]; then
		[ "$mode" = --no-check ] && continue
		echo "$named: $image: found no file $path; \`make $path\` builds it if anything does" >&2
		exit 1
	fi
	mkdir -p "$(dirname "$work/root/$image")"
	if [ "$image" = vmlinux ]; then # symbols stay here, for gdb
		mipsisa64r6el-linux-gnuabi64-strip -o "$work/root/$image" "$path"
	else
		cp -- "$path" "$work/root/$image"
	fi
done

round_up() { echo $((($1 + $2 - 1) / $2 * $2)); }

# Where file $1 must begin in memory, as "REMAINDER UNIT", so that its pages can be shared: a kernel's first segment as the guest has
# it. QEMU puts an archive at a multiple of 64 KB, which is also the size of the larger images' large pages.
place() {
	local unit=4096 offset address _
	[ "$(stat -c %s "$1")" -lt 262144 ] || unit=65536
	read -r _ offset address _ < <(mipsisa64r6el-linux-gnuabi64-readelf -lW "$1" 2>/dev/null | grep -m 1 '^ *LOAD ') ||
		offset=0 address=0
	echo "$(((address - offset) & (unit - 1))) $unit"
}

# The archive's files in order: disco.dtb, which the monitor reads first, then the images, each behind a file of zeroes that brings
# it to its place. A file is a header of 110 bytes, its name and a NUL, and its bytes, name and bytes each filled up to 4.
in_order() {
	local at=0 name begin pad remainder unit bytes number=0
	{ echo disco.dtb; find . -type f ! -path ./disco.dtb -printf '%P\n' | sort; } | while IFS= read -r name; do
		if [ "$name" != disco.dtb ]; then
			read -r remainder unit < <(place "$name")
			pad=.pad$((number += 1))
			begin=$(round_up $((at + 111 + ${#pad})) 4)
			bytes=$(((remainder - $(round_up $((begin + 111 + ${#name})) 4)) & (unit - 1)))
			truncate -s $bytes "$pad"
			echo "$pad"
			at=$(round_up $((begin + bytes)) 4)
		fi
		echo "$name"
		at=$(round_up $(($(round_up $((at + 111 + ${#name})) 4) + $(stat -c %s "$name"))) 4)
	done
}
(cd "$work/root" && in_order) >"$work/order"
# Equal contents make equal archives.
find "$work/root" -exec touch -d '2020-01-01 UTC' {} +
(cd "$work/root" && cpio --quiet -o -H newc --reproducible --owner=0:0 <../order) >"$work/out.cpio"
if [ "$mode" != --no-check ]; then
	build/host/dtscheck "$dts" "$work/out.cpio"
fi
mkdir -p "$(dirname "$out")"
mv -f "$work/out.cpio" "$out"
