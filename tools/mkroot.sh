#!/bin/bash
# SPDX-License-Identifier: MIT
# mkroot.sh OUT GEN_INIT_CPIO ROOTFS BUSYBOX_DIR [/NAME=FILE...] - the guests' root as a cpio archive: the files of ROOTFS, busybox
# with its links, the programs named. Device nodes need no root: the kernel's gen_init_cpio writes them.
set -eu
out=$1 gen=$2 rootfs=$3 busybox=$4
shift 4
{
	for dir in /dev /proc /sys /tmp /root /bin /sbin /etc /usr /usr/bin /usr/sbin; do
		echo "dir $dir 755 0 0"
	done
	echo "nod /dev/console 600 0 0 c 5 1"
	echo "file /bin/busybox $busybox/busybox 755 0 0"
	# A file of ours comes before a busybox applet of the same name.
	while read -r link; do
		[ -e "$rootfs$link" ] || [ "$link" = /bin/busybox ] || echo "slink $link /bin/busybox 777 0 0"
	done <"$busybox/busybox.links"
	find "$rootfs" -type f -printf '%P %m\n' | sort | while read -r file mode; do
		echo "file /$file $rootfs/$file $mode 0 0"
	done
	for program in "$@"; do
		echo "file ${program%%=*} ${program#*=} 755 0 0"
	done
} >"$out.list"
"$gen" -t 0 "$out.list" >"$out.tmp"
mv "$out.tmp" "$out"
