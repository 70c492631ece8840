#!/bin/bash -p
# SPDX-License-Identifier: MIT
# with.sh [options] SCENARIO - what `make run OVERLAY=...` and `make run PROGRAM=...` do: qemu/run.sh on a copy of the boot archive
# build/SCENARIO.cpio (or a boot archive's path) whose Linux guests have a changed root. The tree and the archive stay as they are.
#   -o DIR        the files of the folder DIR, in every guest's root
#   -n NAME=DIR   only in that of the VM NAME
#   -l            the C library and the loader of dynamically linked programs, too
#   -p COMMAND    the first Linux guest runs this and powers off, there is no other VM, and the status of COMMAND is this script's;
#                 125: the guest ended without one
#   -s FILE       the status goes into FILE, this script's own is 0
#   -a WORDS, -f OPTIONS, -b, -d   handed to run.sh
# A folder's files come after the root's own and replace those of the same name. Owner and group become root. A root that is an image,
# build/NAME.img, is made anew from the archive that it was made of, build/NAME.cpio, larger by what is added.
set -eu -o pipefail
. "$(dirname "$0")/../tools/env.sh"
top=$(realpath "$(dirname "$0")/..")
. "$top/qemu/ended.sh"
cross=/usr/mipsisa64r6el-linux-gnuabi64

fail() {
	echo "make run: $*" >&2
	exit 2
}

overlays=() for_vm=() program='' dynamic='' words='' status_file='' through=()
while getopts a:bdf:ln:o:p:s: option; do
	case $option in
	a) words=$OPTARG ;;
	b) through+=(-b) ;;
	d) through+=(-d) ;;
	f) through+=(-f "$OPTARG") ;;
	l) dynamic=1 ;;
	n)
		[ -d "${OPTARG#*=}" ] || fail "overlay-${OPTARG%%=*}: found ${OPTARG#*=}, allowed: a folder"
		overlays+=("${OPTARG#*=}") for_vm+=("${OPTARG%%=*}")
		;;
	o)
		[ -d "$OPTARG" ] || fail "OVERLAY: found $OPTARG, allowed: a folder"
		overlays+=("$OPTARG") for_vm+=('')
		;;
	p) program=$OPTARG ;;
	s) status_file=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# = 1 ] || fail "found $# scenarios, allowed: one"
scenario=$1
archive=$1
[ -f "$archive" ] || archive=$top/build/$1.cpio
[ -f "$archive" ] || fail "found no $archive"

mkdir -p "$top/build"
work=$(mktemp -d "$top/build/with.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/root"
(cd "$work/root" && cpio --quiet -idm) <"$archive"
dtb=$work/root/disco.dtb

pack() { # FOLDER: its files as an archive
	(cd "$1" && find . -mindepth 1 -print0 | sort -z | cpio --quiet --null -o -H newc --owner=0:0)
}

dynamic_libraries() { # an archive of the C library, its loader, and gcc's libraries
	mkdir -p "$work/dynamic/lib" "$work/dynamic/lib64"
	cp -L "$cross/lib64/ld-linux-mipsn8.so.1" "$work/dynamic/lib64/"
	cp -L "$cross"/lib/lib{c,m,dl,rt,pthread,util,resolv}.so.[0-9] "$work/dynamic/lib/"
	cp -L "$cross"/lib/lib{gcc_s,stdc++,atomic}.so.[0-9] "$work/dynamic/lib/" 2>/dev/null || true
	mipsisa64r6el-linux-gnuabi64-strip --strip-unneeded "$work"/dynamic/lib*/* 2>/dev/null || true
	pack "$work/dynamic"
}

# Every Linux guest that has a root, as NODE LABEL ROOT: a ramdisk, or the image of its first disk.
linux_guests() {
	local node root
	fdtget -l "$dtb" /vms | while read -r node; do
		[ "$(fdtget "$dtb" "/vms/$node" kernel)" = vmlinux ] || continue
		root=$(fdtget -d '' "$dtb" "/vms/$node" ramdisk)
		[ -n "$root" ] || root=$(fdtget -d '' "$dtb" "/vms/$node/disk0" image 2>/dev/null)
		echo "$node $(fdtget "$dtb" "/vms/$node" label) $root"
	done | awk 'NF == 3'
}

# A name in the archive of a changed root, made of ROOT's archive and PARTS. Guests with the same root share it.
changed_ramdisk() { # ROOT NAME PARTS...
	local out=$work/root/$2.cpio
	[ -f "$out" ] || cat "$work/root/$1" "${@:3}" >"$out"
	echo "$2.cpio"
}

changed_image() { # the same for an image: its path
	local base=$top/build/${1%.img}.cpio out=$work/$2.img bytes
	[ -f "$base" ] || fail "found the root $1, allowed: an image that is made of an archive, as build/root.img is of build/root.cpio"
	bytes=$(cat "$base" "${@:3}" | wc -c)
	[ -f "$out" ] || "$top/tools/mkdisk.py" "$out" $((32 + bytes / 1000000)) root "$base" "${@:3}" || exit 2
	echo "$out"
}

mapfile -t guests < <(linux_guests)
[ ${#guests[@]} -gt 0 ] || fail "$scenario: found no Linux guest with a root, needed one"
labels=$(printf '%s\n' "${guests[@]}" | cut -d' ' -f2)
for i in "${!overlays[@]}"; do
	[ -z "${for_vm[i]}" ] || grep -qxF -- "${for_vm[i]}" <<<"$labels" ||
		fail "overlay-${for_vm[i]}: found no such Linux guest in $scenario, allowed:" $labels
	pack "${overlays[i]}" >"$work/$i.cpio"
done

attach=''
if [ -n "$program" ]; then
	read -r only attach _ <<<"${guests[0]}"
	for node in $(fdtget -l "$dtb" /vms); do
		[ "$node" = "$only" ] || fdtput -r "$dtb" "/vms/$node"
	done
	guests=("${guests[0]}")
	fdtput -d "$dtb" "/vms/$only" manual 2>/dev/null || true
	fdtput -t s "$dtb" "/vms/$only" bootargs "$(fdtget -d '' "$dtb" "/vms/$only" bootargs) quiet"
	mkdir -p "$work/program/etc"
	printf '%s\n' "$program" >"$work/program/etc/disco.run"
	pack "$work/program" >"$work/program.cpio"
fi
[ -z "$dynamic" ] || dynamic_libraries >"$work/dynamic.cpio"

for guest in "${guests[@]}"; do
	read -r node label root <<<"$guest"
	parts=()
	[ -z "$dynamic" ] || parts+=("$work/dynamic.cpio")
	name=$root+${dynamic:-0}
	for i in "${!overlays[@]}"; do
		if [ -z "${for_vm[i]}" ] || [ "${for_vm[i]}" = "$label" ]; then
			parts+=("$work/$i.cpio")
			name+=+$i
		fi
	done
	[ -z "$program" ] || parts+=("$work/program.cpio")
	[ ${#parts[@]} -gt 0 ] || continue
	name=root-$(cksum <<<"$name" | cut -d' ' -f1)
	if fdtget "$dtb" "/vms/$node" ramdisk >/dev/null 2>&1; then
		changed=$(changed_ramdisk "$root" "$name" "${parts[@]}")
		fdtput -t s "$dtb" "/vms/$node" ramdisk "$changed"
	else
		changed=$(changed_image "$root" "$name" "${parts[@]}")
		fdtput -t s "$dtb" "/vms/$node/disk0" image "$changed"
	fi
done

# What nobody names any more is left out.
named=$(for node in $(fdtget -l "$dtb" /vms); do
	fdtget "$dtb" "/vms/$node" kernel
	fdtget -d '' "$dtb" "/vms/$node" ramdisk
	for disk in $(fdtget -l "$dtb" "/vms/$node"); do
		! fdtget "$dtb" "/vms/$node/$disk" in-archive >/dev/null 2>&1 || fdtget "$dtb" "/vms/$node/$disk" image
	done
done | sort -u)
(cd "$work/root" && { echo disco.dtb; grep . <<<"$named"; } | cpio --quiet -o -H newc --owner=0:0) >"$work/run.cpio"
"$top/build/host/dtscheck" "$dtb" "$work/run.cpio" | sed "s|^$dtb: |make run: $scenario: |" >&2 || exit 2

if [ -z "$program" ]; then
	"$top/qemu/run.sh" ${words:+-a "$words"} "${through[@]}" "$work/run.cpio"
	exit
fi

run_attached "$attach" "$words" "$work/log" "${through[@]}" "$work/run.cpio"
end_with $code "$status_file"
