#!/bin/bash
# SPDX-License-Identifier: MIT
# build-linux.sh SRC OUT FRAGMENT CROSS - a kernel from the tree SRC, in OUT, with the options in FRAGMENT and no others. What OUT
# holds from an earlier build is used again, but not when that build was killed (OUT/.unfinished): Linux's own makefiles take half a
# file for a whole one.
set -eu
src=$(realpath "$1") out=$(realpath -m "$2") fragment=$(realpath "$3") cross=$4
here=$(realpath "$(dirname "$0")")
if [ -e "$out/.unfinished" ]; then
	echo "build-linux.sh: the build before was killed: from the start"
	rm -rf "$out"
fi
mkdir -p "$out"
touch "$out/.unfinished"
trap 'rm -f "$out/.unfinished"' EXIT # an error, or a signal that make answers by tidying up, is no such case
trap 'exit 130' INT TERM HUP
set -- make -C "$src" O="$out" ARCH=mips CROSS_COMPILE="$cross" KBUILD_BUILD_USER=disco KBUILD_BUILD_HOST=disco -j"$(nproc)"
# For gdb lines, types and functions' arguments, but not where each variable of a function lies at each of its instructions: a sixth
# of the time that compilation takes.
if grep -q '^CONFIG_DEBUG_INFO_.*=y' "$fragment"; then
	set -- "$@" KCFLAGS=-fno-var-tracking
fi
# The same time stamp in every build: equal sources give equal kernels, and benchmarks count equal instructions.
export KBUILD_BUILD_TIMESTAMP='2020-01-01 00:00:00 UTC'
"$@" KCONFIG_ALLCONFIG="$fragment" allnoconfig
"$here/check-config.sh" "$fragment" "$out/.config"
"$@" vmlinux
