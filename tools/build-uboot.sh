#!/bin/bash
# SPDX-License-Identifier: MIT
# build-uboot.sh SRC OUT FRAGMENT CROSS - U-Boot for the Malta from the Debian source tree SRC, with what FRAGMENT changes in its
# configuration; leaves OUT/u-boot.bin as QEMU's -bios wants it on a little-endian Malta, each word's bytes turned, and OUT/u-boot
# with its symbols.
set -eu
src=$(realpath "$1") whole=$(realpath -m "$2") fragment=$(realpath "$3") cross=$4
here=$(realpath "$(dirname "$0")")
# Under another name until it is whole.
out=$whole.tmp
rm -rf "$out"
mkdir -p "$out"
set -- make -C "$src" O="$out" CROSS_COMPILE="$cross" -j"$(nproc)"

"$@" malta64el_defconfig
"$src/scripts/kconfig/merge_config.sh" -m -O "$out" "$out/.config" "$fragment"
"$@" olddefconfig
"$here/check-config.sh" "$fragment" "$out/.config"
"$@" u-boot.bin
"${cross}objcopy" -I binary -O binary --reverse-bytes=4 "$out/u-boot.bin" "$out/u-boot.swapped"
mv "$out/u-boot.swapped" "$out/u-boot.bin"
rm -rf "$whole"
mv "$out" "$whole"
