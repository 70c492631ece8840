#!/bin/bash -p
# SPDX-License-Identifier: MIT
# mkimage.sh [--needs | --no-check] FILE.dts [OUT.cpio] - the boot archive of a scenario: its description as disco.dtb, and every
# image that the description names. --needs only prints the paths of the images, and of the files that FILE.dts includes, one a
# line. --no-check puts in what there is, right or wrong, for tests of the monitor's own checks, and a FILE.dtb alone.
# FILE.dts and OUT.cpio are sought from the caller's folder. DISCO_KERNEL: the file that "vmlinux" means, if not build/linux/vmlinux.
set -eu
. "$(dirname "$0")/env.sh"

mode=
case ${1-} in
--needs | --no-check) mode=$1; shift ;;
esac
if [ $# -lt 1 ] || { [ "$mode" != --needs ] && [ $# -lt 2 ]; }; then
	echo "mkimage.sh: found $# names, needed: [--needs | --no-check] FILE.dts [OUT.cpio]" >&2
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
	vmlinux) echo "${DISCO_KERNEL:-build/linux/vmlinux}" ;;
	numa/*.elf | rivals/*.elf) echo "build/guests/$1" ;;
	*.elf) echo "build/guests/tests/$1" ;;
	*) echo "build/$1" ;;
	esac
}

# What the compiled description names, one a line: how its source is written has no say.
images() {
	[ "$mode" = --no-check ] && [[ $dts = *.dtb ]] && return
	local vm property
	fdtget -l "$dtb" /vms 2>/dev/null | while read -r vm; do
		for property in kernel ramdisk; do
			fdtget -t s "$dtb" "/vms/$vm" "$property" 2>/dev/null || true
		done
	done | sort -u
}

if [ "$mode" = --needs ]; then
	images | while IFS= read -r image; do
		image_path "$image"
	done
	# Behind the target and FILE.dts itself: what was included. dtc escapes no blanks, make could not use such names.
	[ ! -f "$work/included" ] || sed 's/^[^:]*: *//' "$work/included" | tr ' ' '\n' | tail -n +2 | while read -r file; do
		[ ! -f "$file" ] || echo "$file"
	done
	exit
fi

images | while IFS= read -r image; do
	case $image in
	'') continue ;;
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
# Equal contents make equal archives.
find "$work/root" -exec touch -d '2020-01-01 UTC' {} +
# disco.dtb first: the monitor reads it first.
(cd "$work/root" && { echo disco.dtb; find . -type f ! -path ./disco.dtb -printf '%P\n' | sort; } |
	cpio --quiet -o -H newc --reproducible --owner=0:0) >"$work/out.cpio"
if [ "$mode" != --no-check ]; then
	build/host/dtscheck "$dts" "$work/out.cpio"
fi
mkdir -p "$(dirname "$out")"
mv -f "$work/out.cpio" "$out"
