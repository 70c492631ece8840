#!/bin/bash
# SPDX-License-Identifier: MIT
# build-regex.sh OUT CC AR - regular expressions and fnmatch() of Debian's newlib-source, which newlib builds for some systems only, for thin
# programs: OUT/libregex.a. CC: the compiler with its options.
set -eu
out=$(realpath -m "$1") cc=$2 ar=$3
work=$out.tmp top=$(realpath "$(dirname "$0")/..")

rm -rf "$work" "$out"
mkdir -p "$work/obj"
tar -C "$work" --strip-components=4 --wildcards -xf /usr/src/newlib/newlib-*.tar.xz '*/newlib/libc/posix/*'
cd "$top"
for name in collate collcmp fnmatch regcomp regerror regexec regfree; do
	$cc -w -D_GNU_SOURCE -I"$work" -c -o "$work/obj/$name.o" "$work/$name.c"
done
mkdir -p "$out"
$ar rcs "$out/libregex.a" "$work"/obj/*.o
rm -rf "$work"
