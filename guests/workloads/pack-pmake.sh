#!/bin/bash
# SPDX-License-Identifier: MIT
# pack-pmake.sh OUT.tar LUA TCC CROSS - what the workload Pmake works on: Lua's sources, the headers they include (the C library's
# for the guests, and tcc's own) and the makefile.
set -eu
out=$(realpath -m "$1") lua=$(realpath "$2") tcc=$(realpath "$3") cross=$4
here=$(realpath "$(dirname "$0")")
work=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/src" "$work/tcc" "$work/include"
cp "$lua"/src/*.[ch] "$work/src/"
: >"$work/src/lua5.4-deb-multiarch.h"
cp "$tcc"/include/*.h "$work/tcc/"
cp "$here/pmake.mk" "$work/Makefile"

system=/usr/${cross%-}/include
(cd "$work/src" && "${cross}gcc" -M -DLUA_USE_POSIX -DDEB_HOST_MULTIARCH='""' ./*.c) | tr ' \\' '\n\n' | sed -n "s|^$system/||p" |
	sort -u | while read -r header; do
	mkdir -p "$work/include/$(dirname "$header")"
	cp "$system/$header" "$work/include/$header"
done
tar -C "$work" --sort=name --owner=0 --group=0 --mtime='2020-01-01 UTC' --mode=u+rwX,go+rX -cf "$out.tmp" .
mv "$out.tmp" "$out"
