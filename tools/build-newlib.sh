#!/bin/bash
# SPDX-License-Identifier: MIT
# build-newlib.sh OUT CROSS [thin] - Debian's newlib-source, built for bare MIPS64 R6 (n64, little endian), installed in OUT. Without floating
# point registers: the monitor takes its string functions from it, the bare-metal guests the whole C library. `thin`: with them,
# with locks and an errno for each thread, for the programs of guests/thin, whose pointers are of 64 bits (its strcmp adds to them
# in 32 otherwise).
set -eu
out=$(realpath -m "$1") cross=$2 kind=${3-}
work=$out.build
flags="-O2 -g0 -mabi=64 -march=mips64r6 -EL -msym32 -mno-abicalls -fno-pic -G0 -fno-stack-protector
	-mcompact-branches=never -ffunction-sections -fdata-sections -U__linux__ -Wno-error -w"
if [ "$kind" = thin ]; then
	flags+=" -mhard-float -ffp-contract=off -D__DYNAMIC_REENT__ -DPTR_ADDIU=daddiu"
	options="--enable-newlib-retargetable-locking --enable-newlib-global-stdio-streams --enable-newlib-global-atexit
		--enable-newlib-io-c99-formats --enable-newlib-io-long-long --enable-newlib-io-long-double"
else
	flags+=" -msoft-float"
	options=--enable-newlib-nano-formatted-io
fi

rm -rf "$work" "$out"
mkdir -p "$work/obj"
tar -C "$work" --strip-components=1 -xf /usr/src/newlib/newlib-*.tar.xz
cd "$work/obj"
../configure --target=mips64el-elf --prefix="$out" \
	--disable-multilib --disable-libgloss --disable-newlib-supplied-syscalls $options \
	CC_FOR_TARGET="${cross}gcc" AS_FOR_TARGET="${cross}as" LD_FOR_TARGET="${cross}ld" AR_FOR_TARGET="${cross}ar" \
	RANLIB_FOR_TARGET="${cross}ranlib" NM_FOR_TARGET="${cross}nm" STRIP_FOR_TARGET="${cross}strip" \
	OBJCOPY_FOR_TARGET="${cross}objcopy" OBJDUMP_FOR_TARGET="${cross}objdump" READELF_FOR_TARGET="${cross}readelf" \
	CFLAGS_FOR_TARGET="$(echo $flags)"
make -j"$(nproc)" MAKEINFO=true all-target-newlib
make MAKEINFO=true install-target-newlib
cd /
rm -rf "$work"
