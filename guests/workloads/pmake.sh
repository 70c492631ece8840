#!/bin/sh
# SPDX-License-Identifier: MIT
# pmake [JOBS [COUNT [FOLDER]]]: COUNT times Pmake at once, from pmake/ in the folder, or on the root disk, for `make bench-memory`. Then a line with the checksum of
# what was made, the same for all, and the free memory, and nothing more: the guest is looked at from outside.
jobs=${1:-2} count=${2:-1} name=pmake-$(hostname)
cd "${3:-/}" || exit

make_one() { # NUMBER
	mkdir "$name-$1"
	cd "$name-$1" || exit
	ln -s ../pmake/src ../pmake/tcc ../pmake/include ../pmake/Makefile .
	make -s -j"$jobs"
}

for i in $(seq "$count"); do
	(make_one "$i") &
done
wait
sync
# with -g the objects name the folder that they were made in
sums=$(for i in $(seq "$count"); do cat "$name-$i"/plain/*.o | md5sum | cut -c1-32; done | uniq)
echo "pmake: sum $sums, $(grep MemFree /proc/meminfo)"
sleep 99999
