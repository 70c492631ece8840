#!/bin/bash
# SPDX-License-Identifier: MIT
# build-make.sh SRC OUT CROSS - OUT/make, GNU make for the guests from Debian's source tree SRC, static.
set -eu
src=$(realpath "$1") out=$(realpath -m "$2") cross=$3
rm -rf "$out"
cp -r "$src" "$out.src"
trap 'rm -rf "$out.src"' EXIT
cd "$out.src"
autoreconf -fi
./configure --host="${cross%-}" --build="$(gcc -dumpmachine)" --disable-nls --without-guile --disable-load \
	--disable-dependency-tracking CFLAGS="-O2 -mcompact-branches=never" LDFLAGS="-static -Wl,-z,noexecstack"
make -j"$(nproc)" MAKEINFO=true
mkdir -p "$out"
"${cross}strip" -o "$out/make.tmp" make
mv "$out/make.tmp" "$out/make"
