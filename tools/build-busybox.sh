#!/bin/bash
# SPDX-License-Identifier: MIT
# build-busybox.sh SRC OUT FRAGMENT CROSS - busybox from the Debian source tree SRC, static, MIPS64 R6, with the applets named in
# FRAGMENT and no others; leaves OUT/busybox and OUT/busybox.links.
set -eu
src=$(realpath "$1") whole=$(realpath -m "$2") fragment=$(realpath "$3") cross=$4
here=$(realpath "$(dirname "$0")")
# Under another name until it is whole.
out=$whole.tmp
rm -rf "$out"
mkdir -p "$out"
set -- make -C "$src" O="$out" ARCH=mips CROSS_COMPILE="$cross" -j"$(nproc)"

# Busybox's Kconfig is too old for KCONFIG_ALLCONFIG. So: start with nothing, switch on what FRAGMENT names, let Kconfig
# fill in what that makes visible, and switch off again what FRAGMENT does not name.
"$@" allnoconfig
{ grep '^CONFIG_' "$fragment"; cat "$out/.config"; } >"$out/.config.named"	# the first mention of a symbol counts
mv "$out/.config.named" "$out/.config"
yes '' | "$@" oldconfig
awk -F= 'NR == FNR { named[$1] = 1; next }
	$2 == "y" && !($1 in named) { print "# " $1 " is not set"; next }
	{ print }' "$fragment" "$out/.config" >"$out/.config.named"
mv "$out/.config.named" "$out/.config"
yes '' | "$@" oldconfig
"$here/check-config.sh" "$fragment" "$out/.config"
"$@" busybox busybox.links
rm -rf "$whole"
mv "$out" "$whole"
