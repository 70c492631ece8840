#!/bin/sh
# SPDX-License-Identifier: MIT
# workload NAME [NUMBER [SIZE]]: one of the measured workloads (pmake, pmake_disk, engineering, raytrace, database), inside a guest. Preparation is not
# measured; what lies between "begin" and "end" is, also by marker instructions (mark.c). The last line is a checksum that is the
# same on every machine. NUMBER: pmake_disk's us of a request of the bare machine's disk; simulations of engineering; threads of raytrace. SIZE: blocks of
# data of each simulation, 1 where their number is given; pixels of raytrace's rows, 400.
set -eu
tree=/workload

measured() { # UNIT COMMAND...
	unit=$1
	shift
	echo "workload: $name begin"
	mark begin "$unit"
	"$@"
	mark end "$unit"
	echo "workload: $name end"
}

sum() { # FILES: of their contents
	echo "workload: $name sum $(cat "$@" | md5sum | cut -c1-32)"
}

# Two sets of compiler options over Lua's sources, two jobs at a time.
pmake() {
	mkdir /tmp/pmake
	tar -C /tmp/pmake -xf $tree-pmake.tar
	cd /tmp/pmake
	measured 64 make -s -j2
	sum plain/*.o debug/*.o
}

# A disk of the bare kernel's own, with the image in it, each request of which takes so many us: what the monitor's modelled disk is to a guest.
timed_disk() { # IMAGE US
	disk=/sys/kernel/config/nullb/timed
	mount -t configfs none /sys/kernel/config
	mkdir $disk
	echo 1 >$disk/memory_backed
	echo $(($(stat -c %s "$1") >> 20)) >$disk/size
	echo 4096 >$disk/blocksize
	echo 1 >$disk/hw_queue_depth
	echo 2 >$disk/irqmode # a timer's
	echo "${2}000" >$disk/completion_nsec
	echo 1 >$disk/power
	dd if="$1" of=/dev/timed bs=1M 2>/dev/null
	rm "$1"
	sync
	echo 3 >/proc/sys/vm/drop_caches
}

# The same with its sources on a disk that nothing was read of yet.
pmake_disk() {
	[ ! -f $tree.img ] || timed_disk $tree.img "$number"
	mkdir /tmp/pmake /tmp/disk
	mount -r -t ext4 "$([ -e /dev/timed ] && echo /dev/timed || echo /dev/vda)" /tmp/disk
	cd /tmp/pmake
	ln -s ../disk/pmake/src ../disk/pmake/tcc ../disk/pmake/include ../disk/pmake/Makefile .
	measured 64 make -s -j2
	sum plain/*.o debug/*.o
}

simulations() {
	jobs=
	for seed in $(seq "$1"); do
		vvp -n $tree-soc.vvp +seed="$seed" +blocks="$2" >"/tmp/soc.$seed" &
		jobs="$jobs $!"
	done
	for job in $jobs; do
		wait "$job"
	done
}

engineering() {
	if [ "$number" = 0 ]; then
		measured 65 simulations 3 2
	else
		measured 65 simulations "$number" "${size:-1}"
	fi
	sum /tmp/soc.*
}

images() {
	raytrace "${size:-400}" "$1" >/tmp/image
}

raytracing() {
	measured 66 images "$((number ? number : 1))"
	sum /tmp/image
}

queries() {
	database query /tmp/set >/tmp/answers
}

databases() {
	database load /tmp/set 40000
	measured 67 queries
	sum /tmp/answers
}

name=${1-} number=${2-0} size=${3-}
case $name in
pmake | pmake_disk | engineering) $name ;;
raytrace) raytracing ;;
database) databases ;;
*)
	echo "workload: found '$name', allowed pmake, pmake_disk, engineering, raytrace, database" >&2
	exit 2
	;;
esac
