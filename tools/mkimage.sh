#!/bin/bash
# SPDX-License-Identifier: MIT
# mkimage.sh [--needs | --no-check] FILE.dts [OUT.cpio] - the boot archive of a scenario: its description as disco.dtb, and every
# image that the description names. --needs only prints the images' paths, one a line. --no-check puts in what there is,
# right or wrong, for tests of the monitor's own checks. A FILE.dtb is taken as it is.
# GUEST_KERNEL: the file that "vmlinux" means, if not build/linux/vmlinux.
set -eu
cd "$(dirname "$0")/.."

mode=
case $1 in
--*) mode=$1; shift ;;
esac
dts=$1 out=${2-}

image_path() {
	case $1 in
	vmlinux) echo "${GUEST_KERNEL:-build/linux/vmlinux}" ;;
	numa/*.elf) echo "build/guests/$1" ;;
	*.elf) echo "build/guests/tests/$1" ;;
	*) echo "build/$1" ;;
	esac
}

images() {
	sed -n 's/^[[:space:]]*\(kernel\|ramdisk\)[[:space:]]*=[[:space:]]*"\([^"]*\)";.*/\2/p' "$dts" | sort -u
}

if [ "$mode" = --needs ]; then
	for image in $(images); do
		image_path "$image"
	done
	exit
fi

work=$(mktemp -d build/mkimage.XXXXXX)
trap 'rm -rf "$work"' EXIT
mkdir "$work/root"
case $dts in
*.dtb) cp "$dts" "$work/root/disco.dtb" ;;
*) dtc -q -I dts -O dtb -o "$work/root/disco.dtb" "$dts" ;;
esac
for image in $([[ $dts = *.dtb ]] || images); do
	path=$(image_path "$image")
	if [ ! -f "$path" ]; then
		[ "$mode" = --no-check ] && continue
		echo "$dts: $image: found no file $path; \`make $path\` builds it if anything does" >&2
		exit 1
	fi
	mkdir -p "$(dirname "$work/root/$image")"
	if [ "$image" = vmlinux ]; then # symbols stay here, for gdb
		mipsisa64r6el-linux-gnuabi64-strip -o "$work/root/$image" "$path"
	else
		cp "$path" "$work/root/$image"
	fi
done
# disco.dtb first: the monitor reads it first.
(cd "$work/root" && { echo disco.dtb; find . -type f ! -name disco.dtb -printf '%P\n' | sort; } |
	cpio --quiet -o -H newc --reproducible --owner=0:0) >"$work/out.cpio"
if [ "$mode" != --no-check ]; then
	build/host/dtscheck "$dts" "$work/out.cpio"
fi
mkdir -p "$(dirname "$out")"
mv "$work/out.cpio" "$out"
