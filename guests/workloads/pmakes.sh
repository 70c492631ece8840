#!/bin/sh
# SPDX-License-Identifier: MIT
# pmakes FIRST COUNT [serve USERS [all] | nfs SERVER[,OPTIONS]]: the makes of so many of eight users, numbered from 0, at once, two jobs
# each, for `make bench-scaling`. Each user compiles the same part of Lua, from sources of its own, so that machines with one user each
# have as much to do. Machines that do this together begin when the time of day is a multiple of eight seconds. Then a line with the
# checksum of what was made. With `serve` the sources of all users, 0 to USERS - 1, lie here, and others, which have `nfs`, make theirs in
# them, mounted with these OPTIONS, and say what requests that took; all begin at the same multiple of eight seconds when the last has
# mounted them. Headers of the C library and of the compiler are no user's then, but with `all`: each machine has them on its root, as
# the paper's machines had their system.
set -eu
first=$1 count=$2 mode=${3:-} with=${4:-} all=${5:-}
last=$((first + count - 1)) folder=/tmp system=/usr/pmake

prepare() { # USER
	mkdir "$folder/$1"
	tar -C "$folder/$1" -xf /pmake.tar
	# shellcheck disable=SC2012
	(cd "$folder/$1/src" && ls l*.c) | grep -v luac.c | awk 'NR % 8 == 1 { sub(/\.c$/, ""); printf "%s ", $0 }' >"$folder/$1.names"
}

link_headers() { # USER: those of the system are what each machine has
	for headers in include tcc; do
		rm -r "${folder:?}/$1/$headers"
		ln -s "$system/$headers" "$folder/$1/$headers"
	done
}

install_system() {
	mkdir -p "$system"
	tar -C "$system" -xf /pmake.tar
	rm -r "$system/src"
}

prepare_all() { # FIRST LAST
	for user in $(seq "$1" "$2"); do
		prepare "$user"
	done
}

all_are() { # SUFFIX NUMBER: until so many files have it
	until [ "$(find "$folder" -maxdepth 1 -name "*.$1" | wc -l)" = "$2" ]; do
		sleep 1
	done
}

requests() { # how many of which kind this mount has made, as "NAME: NUMBER"
	awk -v folder="$folder" '$1 == "device" { mine = $5 == folder; list = 0 } mine && list { print $1, $2 } /per-op statistics/ { list = 1 }' \
		/proc/self/mountstats
}

say_requests() { # since they were written to /run/requests
	requests | awk 'NR == FNR { before[$1] = $2; next } $2 > before[$1] { print $2 - before[$1], $1 }' /run/requests - | sort -rn |
		awk '{ sub(/:/, ""); sum += $1; list = list ", " $0 } END { print sum ": " substr(list, 3) }'
}

case $mode in
serve)
	install_system
	prepare_all 0 $((with - 1))
	for user in $(seq 0 $((with - 1))); do
		[ -n "$all" ] || link_headers "$user"
	done
	: >"$folder/begin"
	nfs-export "$folder,vers=3"
	all_are ready $((with - count))
	mark wait 8
	echo now >"$folder/begin"
	;;
nfs)
	folder=/mnt
	install_system
	# What a user may do with a file its mode says; by itself NFSv3 asks for each, too.
	case $with in *,vers=3*) echo Y >/sys/module/nfs/parameters/access_by_mode ;; esac
	nfs-mount "$with" "$folder"
	for user in $(seq "$first" "$last"); do
		touch "$folder/$user.ready"
	done
	until [ -n "$(cat "$folder/begin")" ]; do
		sleep 1
	done
	;;
*) prepare_all "$first" "$last" ;;
esac
for user in $(seq "$first" "$last"); do
	cp "$folder/$user.names" "/run/$user.names"
done
[ "$mode" != nfs ] || requests >/run/requests
mark wait 8
mark begin 64
for user in $(seq "$first" "$last"); do
	make -s -j2 -C "$folder/$user" SETS=plain NAMES="$(cat "/run/$user.names")" &
done
wait
mark end 64
[ "$mode" != nfs ] || echo "pmakes: user $first requests $(say_requests)"
for user in $(seq "$first" "$last"); do
	echo "pmakes: user $user sum $(cat "$folder/$user"/plain/*.o | md5sum | cut -c1-32)"
	touch "$folder/$user.done"
done
# A server stays until all have what they need.
[ "$mode" != serve ] || all_are done "$with"
