#!/bin/sh
# SPDX-License-Identifier: MIT
# workload NAME: one of the measured workloads (pmake, engineering, raytrace, database), inside a guest. Preparation is not
# measured; what lies between "begin" and "end" is, also by marker instructions (mark.c). The last line is a checksum that is the
# same on every machine.
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

simulations() {
	jobs=
	for seed in 1 2 3; do
		vvp -n $tree-soc.vvp +seed=$seed +blocks=2 >/tmp/soc.$seed &
		jobs="$jobs $!"
	done
	for job in $jobs; do
		wait "$job"
	done
}

engineering() {
	measured 65 simulations
	sum /tmp/soc.1 /tmp/soc.2 /tmp/soc.3
}

images() {
	raytrace 400 >/tmp/image
}

raytracing() {
	measured 66 images
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

name=${1-}
case $name in
pmake | engineering) $name ;;
raytrace) raytracing ;;
database) databases ;;
*)
	echo "workload: found '$name', allowed pmake, engineering, raytrace, database" >&2
	exit 2
	;;
esac
