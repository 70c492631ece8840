#!/bin/bash -p
# SPDX-License-Identifier: MIT
# start-again.sh PID - the make that runs as PID once more, in this folder, with the words of its command line and without the
# options and makefiles that its environment gave it (tools/start.mk). Its options -C were followed already.
set -eu
mapfile -d '' -t old <"/proc/$1/cmdline"
new=() drop=''
for word in "${old[@]}"; do
	case $drop$word in
	next*) drop='' ;;
	-C | --directory) drop=next ;;
	-C* | --directory=*) ;;
	*) new+=("$word") ;;
	esac
done
exec env -u MAKEFLAGS -u GNUMAKEFLAGS -u MFLAGS -u MAKEFILES -u MAKELEVEL "${new[@]}"
