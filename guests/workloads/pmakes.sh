#!/bin/sh
# SPDX-License-Identifier: MIT
# pmakes FIRST COUNT: the makes of so many of eight users, numbered from 0, at once, two jobs each, for `make bench-scaling`. Each user
# compiles the same part of Lua, from sources of its own, so that machines with one user each have as much to do. Machines that do this
# together begin when the time of day is a multiple of eight seconds. Then a line with the checksum of what was made.
set -eu
first=$1 count=$2

prepare() { # USER
	mkdir "/tmp/$1"
	tar -C "/tmp/$1" -xf /pmake.tar
	# shellcheck disable=SC2012
	(cd "/tmp/$1/src" && ls l*.c) | grep -v luac.c | awk 'NR % 8 == 1 { sub(/\.c$/, ""); printf "%s ", $0 }' >"/tmp/$1.names"
}

last=$((first + count - 1))
for user in $(seq "$first" "$last"); do
	prepare "$user"
done
mark wait 8
mark begin 64
for user in $(seq "$first" "$last"); do
	make -s -j2 -C "/tmp/$user" SETS=plain NAMES="$(cat "/tmp/$user.names")" &
done
wait
mark end 64
for user in $(seq "$first" "$last"); do
	echo "pmakes: user $user sum $(cat "/tmp/$user"/plain/*.o | md5sum | cut -c1-32)"
done
