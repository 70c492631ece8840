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

# The file of the image $1, in `path`.
find_image() {
	case $1 in
	/*) path=$1 ;;
	vmlinux) path=${DISCO_KERNEL:-build/linux/vmlinux} ;;
	numa/*.elf | bench/*.elf | rivals/*.elf | thin/*.elf | native/*.elf | reloc/*.elf | kseg0/*.elf | kseg0-reloc/*.elf) path=build/guests/$1 ;;
	*.elf) path=build/guests/tests/$1 ;;
	*) path=build/$1 ;;
	esac
}

# The values of properties, given as pairs NODE PROPERTY, a line each; "-" for what is not there or no string. One process for all if
# it can be, since each costs more than its work, and tests make many archives.
values() {
	local lines
	[ $# != 0 ] || return 0
	lines=$(fdtget -t s -d - "$dtb" "$@" 2>/dev/null && echo end) || lines=''
	printf %s "${lines%end}"
	[ -z "$lines" ] || return 0
	while [ $# != 0 ]; do
		fdtget -t s -d - "$dtb" "$1" "$2" 2>/dev/null || echo -
		shift 2
	done
}

# What the compiled description names, one a line: how its source is written has no say. The images of disks: those that travel in
# the `archive`, or those that QEMU `opens`.
disks() {
	local vm disk where image questions=()
	for vm in "${vms[@]}"; do
		while read -r disk; do
			questions+=("/vms/$vm/$disk" in-archive "/vms/$vm/$disk" image)
		done < <(fdtget -l "$dtb" "/vms/$vm" 2>/dev/null)
	done
	while IFS= read -r where && IFS= read -r image; do
		[ "$where" = - ] && where=opens || where=archive
		[ $where != "$1" ] || [ "$image" = - ] || printf '%s\n' "$image"
	done < <(values "${questions[@]}") | sort -u
}

# All that travels in the archive.
images() {
	[ "$mode" = --no-check ] && [[ $dts = *.dtb ]] && return
	local vm image questions=()
	for vm in "${vms[@]}"; do
		questions+=("/vms/$vm" kernel "/vms/$vm" ramdisk)
	done
	{
		while IFS= read -r image; do
			[ "$image" = - ] || printf '%s\n' "$image"
		done < <(values "${questions[@]}")
		disks archive
	} | sort -u
}

paths() { while IFS= read -r image; do find_image "$image"; printf '%s\n' "$path"; done; }

mapfile -t vms < <(fdtget -l "$dtb" /vms 2>/dev/null)
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

plain=() # those whose names in the archive are those of their files
while IFS= read -r image; do
	case $image in
	'' | /*) continue ;; # what begins with / is refused by dtscheck
	*..*)
		[ "$mode" = --no-check ] && continue
		echo "$named: $image: found .. in the name of an image, allowed: files in build/" >&2
		exit 1
		;;
	esac
	find_image "$image"
	if [ ! -f "$path" ]; then
		[ "$mode" = --no-check ] && continue
		echo "$named: $image: found no file $path; \`make $path\` builds it if anything does" >&2
		exit 1
	fi
	[ "${image%/*}" = "$image" ] || mkdir -p "$work/root/${image%/*}"
	if [ "$image" = vmlinux ]; then # symbols stay here, for gdb
		mipsisa64r6el-linux-gnuabi64-strip -o "$work/root/$image" "$path"
	elif [ "${path##*/}" = "$image" ]; then
		plain+=("$path")
	else
		cp -- "$path" "$work/root/$image"
	fi
done < <(images)
[ ${#plain[@]} = 0 ] || cp -t "$work/root" -- "${plain[@]}"

# The archive's files in order: disco.dtb, which the monitor reads first, then the images, each behind a file of zeroes that brings
# it to its place. A file is a header of 110 bytes, its name and a NUL, and its bytes, name and bytes each filled up to 4.
# A place is where a file must begin in memory so that its pages can be shared: a kernel's first segment as the guest has it.
# QEMU puts an archive at a multiple of 64 KB, as high as 128 KB below the end of its first 256 MB let it; one that ends right there begins
# at a multiple of 1 MB, as its kernels do then: their pages in guests are as large as they can be.
MB=1048576 ARCHIVE_BELOW_END=131072 CPIO_TRAILER=124
in_order() {
	local at bytes name line file offset address begin unit pad kernels='' number=0
	local -A first=() # by file, of the first segment: its address less its offset in the file
	while read -r line; do
		case $line in
		File:*) file=${line#File: } ;;
		LOAD*)
			read -r _ offset address _ <<<"$line"
			first[$file]=${first[$file]-$((address - offset))}
			;;
		esac
	done < <(find . -type f -exec mipsisa64r6el-linux-gnuabi64-readelf -lW {} + 2>/dev/null)
	echo disco.dtb
	at=$(stat -c %s disco.dtb)
	at=$(((120 + 3) / 4 * 4 + (at + 3) / 4 * 4))
	while read -r bytes name; do
		[ "$bytes" -lt 262144 ] && unit=4096 || unit=65536
		[ "$bytes" -lt $MB ] || [ -z "${first[./$name]-}" ] || unit=$MB kernels=1
		pad=.pad$((number += 1))
		begin=$(((at + 111 + ${#pad} + 3) / 4 * 4))
		at=$(((begin + 111 + ${#name} + 3) / 4 * 4)) # where the file would begin without zeroes
		pad_bytes=$(((${first[./$name]:-0} - at) & (unit - 1)))
		truncate -s $pad_bytes "$pad"
		printf '%s\n' "$pad" "$name"
		at=$(((at + pad_bytes + 3) / 4 * 4 + (bytes + 3) / 4 * 4))
	done < <(find . -type f ! -path ./disco.dtb -printf '%s %P\n' | sort -k 2)
	[ -n "$kernels" ] || return 0
	pad=.pad$((number + 1))
	at=$(((at + 111 + ${#pad} + 3) / 4 * 4 + CPIO_TRAILER))
	truncate -s $(((-ARCHIVE_BELOW_END - at) & (MB - 1))) "$pad"
	echo "$pad"
}
(cd "$work/root" && in_order) >"$work/order"
# Equal contents make equal archives.
find "$work/root" -exec touch -d '2020-01-01 UTC' {} +
(cd "$work/root" && cpio --quiet -o -H newc --reproducible --owner=0:0 <../order) >"$work/out.cpio"
if [ "$mode" != --no-check ]; then
	build/host/dtscheck "$dts" "$work/out.cpio"
fi
mkdir -p "${out%/*}"
mv -f "$work/out.cpio" "$out"
