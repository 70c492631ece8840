#!/bin/bash
# SPDX-License-Identifier: MIT
# mkroot.sh OUT GEN_INIT_CPIO ROOTFS BUSYBOX_DIR [/NAME=FILE...] - the guests' root as a cpio archive: the files of ROOTFS, busybox
# with its links, the programs named. The folders that a name lies in are made, whichever they are. Device nodes need no root: the
# kernel's gen_init_cpio writes them.
set -eu
out=$1 gen=$2 rootfs=$3 busybox=$4
shift 4

# Its list is words with blanks between them.
odd=$(find "$rootfs" -name '*[[:space:]]*' -print -quit)
if [ -n "$odd" ]; then
	echo "mkroot.sh: found blanks in the name of $odd, allowed: none in here; OVERLAY=folder takes any name" >&2
	exit 1
fi

# The files that are added, each with its name in the root.
added() {
	find "$rootfs" -type f -printf '/%P\n'
	printf '%s\n' "${@%%=*}"
}

# The folders that programs expect, on some of which rootfs/init mounts something, and those that files lie in: above first.
folders() {
	{
		printf '%s/.\n' /dev /proc /sys /tmp /run /root /bin /sbin /etc /home /mnt /opt /usr/bin /usr/sbin /usr/lib /lib /lib64 \
			/var/log /var/tmp /data
		added "$@"
	} | while IFS=/ read -r -a parts; do
		name=
		for part in "${parts[@]:1:${#parts[@]}-2}"; do
			name+=/$part
			echo "$name"
		done
	done | sort -u
}

{
	folders "$@" | while read -r dir; do
		case $dir in
		/tmp | /var/tmp) echo "dir $dir 1777 0 0" ;;
		/root) echo "dir $dir 700 0 0" ;;
		*) echo "dir $dir 755 0 0" ;;
		esac
	done
	echo "nod /dev/console 600 0 0 c 5 1"
	echo "nod /dev/null 666 0 0 c 1 3"
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
} >"$out.$$.list"
"$gen" -t 0 "$out.$$.list" >"$out.$$.tmp"
rm "$out.$$.list"
mv -f "$out.$$.tmp" "$out"
