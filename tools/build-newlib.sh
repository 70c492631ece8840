#!/bin/bash
# SPDX-License-Identifier: MIT
# build-newlib.sh OUT CROSS - Debian's newlib-source, built for bare MIPS64 R6 (soft float, n64, little endian), installed
# in OUT. The monitor takes its string functions from it, the bare-metal guests the whole C library.
set -eu
out=$(realpath -m "$1") cross=$2
work=$out.build
flags="-O2 -g0 -mabi=64 -march=mips64r6 -EL -msoft-float -msym32 -mno-abicalls -fno-pic -G0 -fno-stack-protector
	-mcompact-branches=never -ffunction-sections -fdata-sections -U__linux__ -Wno-error -w"

rm -rf "$work" "$out"
mkdir -p "$work/obj"
tar -C "$work" --strip-components=1 -xf /usr/src/newlib/newlib-*.tar.xz
cd "$work/obj"
../configure --target=mips64el-elf --prefix="$out" \
	--disable-multilib --disable-libgloss --enable-newlib-nano-formatted-io --disable-newlib-supplied-syscalls \
	CC_FOR_TARGET="${cross}gcc" AS_FOR_TARGET="${cross}as" LD_FOR_TARGET="${cross}ld" AR_FOR_TARGET="${cross}ar" \
	RANLIB_FOR_TARGET="${cross}ranlib" NM_FOR_TARGET="${cross}nm" STRIP_FOR_TARGET="${cross}strip" \
	OBJCOPY_FOR_TARGET="${cross}objcopy" OBJDUMP_FOR_TARGET="${cross}objdump" READELF_FOR_TARGET="${cross}readelf" \
	CFLAGS_FOR_TARGET="$(echo $flags)"
make -j"$(nproc)" MAKEINFO=true all-target-newlib
make MAKEINFO=true install-target-newlib
cd /
rm -rf "$work"
