#!/bin/bash
# SPDX-License-Identifier: MIT
# build-uboot.sh SRC OUT FRAGMENT CROSS - U-Boot for the Malta from the Debian source tree SRC, with what FRAGMENT changes in its
# configuration; leaves OUT/u-boot.bin as QEMU's -bios wants it on a little-endian Malta, each word's bytes turned, and OUT/u-boot
# with its symbols. OUT/guest is the same for KSEG0, as a guest's kernel: what knows its address is compiled again.
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
mv "$out/u-boot.swapped" "$out/rom.bin"
cp "$out/u-boot" "$out/rom"

base=0xffffffff80100000
sed -i "s/^\(CONFIG_TEXT_BASE\|CONFIG_SYS_MONITOR_BASE\)=.*/\1=$base/" "$out/.config"
"$@" u-boot.bin
# Its device tree lies behind the program, which the file u-boot has not.
printf '.text\n.globl _start\n_start: .incbin "%s"\n' "$out/u-boot.bin" >"$out/guest.S"
printf 'ENTRY(_start) SECTIONS { . = %s; .text : { *(.text) } /DISCARD/ : { *(*) } }\n' $base >"$out/guest.ld"
"${cross}gcc" -mabi=64 -march=mips64r6 -nostdlib -static -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack \
	-T "$out/guest.ld" -o "$out/guest" "$out/guest.S"
mv "$out/rom.bin" "$out/u-boot.bin"
mv "$out/rom" "$out/u-boot"
rm -rf "$whole"
mv "$out" "$whole"
