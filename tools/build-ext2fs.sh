#!/bin/bash
# SPDX-License-Identifier: MIT
# build-ext2fs.sh SRC OUT CC AR - libext2fs from the Debian source tree SRC of e2fsprogs, for thin programs (guests/thin): OUT/libext2fs.a and
# its headers in OUT/include. CC: the compiler with its options. Only what opening, reading and writing files takes is compiled, without configure:
# what newlib has is known, and listed here. There is no Linux, no journal that is played, no names without case.
set -eu
src=$(realpath "$1") out=$(realpath -m "$2") cc=$3 ar=$4
work=$out.tmp top=$(realpath "$(dirname "$0")/..")

have="ERRNO_H INTTYPES_H INTPTR_T STDARG_H STDINT_H STDLIB_H STRDUP STRINGS_H STRING_H STRNLEN SYS_STAT_H SYS_TIME_H SYS_TYPES_H
	UNISTD_H POSIX_MEMALIGN STDIO_H SNPRINTF"
files="alloc alloc_sb alloc_stats alloc_tables badblocks bitmaps bitops blkmap64_ba blkmap64_rb blknum block bmap check_desc closefs
	crc16 crc32c csum dir_iterate dirblock dirhash expanddir ext_attr extent fallocate fileio freefs gen_bitmap gen_bitmap64 get_num_dirs
	hashmap i_block ind_block initialize inline inline_data inode io_manager link lookup mkdir mmp namei newdir openfs punch rbtree
	read_bb res_gdt rw_bitmaps sha512 symlink unlink valid_blk"

rm -rf "$work"
mkdir -p "$work"/{include/ext2fs,include/et,obj}
cd "$work"

{
	printf '#define HAVE_%s 1\n' $have
	printf '#define SIZEOF_%s\n' "INT 4" "LONG 8" "LONG_LONG 8" "OFF_T 8" "SHORT 2" "TIME_T 8"
	printf '#define TLS __thread\n'
} >config.h
cat >include/ext2fs/ext2_types.h <<'END'
#ifndef EXT2_TYPES_H
#define EXT2_TYPES_H
#include <stdint.h>
#define __force
#define __bitwise
typedef uint8_t __u8;
typedef int8_t __s8;
typedef uint16_t __u16, __le16, __be16;
typedef int16_t __s16;
typedef uint32_t __u32, __le32, __be32;
typedef int32_t __s32;
typedef uint64_t __u64, __le64, __be64;
typedef int64_t __s64;
#endif
END
cp "$src"/lib/et/com_err.h include/et/
cp "$src"/lib/ext2fs/{ext2fs,ext2_fs,ext2_io,ext3_extents,ext2_ext_attr,hashmap,bitops}.h include/ext2fs/

# Error codes: a header and a table.
sed 's/@E2FSPROGS_VERSION@/of Debian/; /^@/d' "$src/lib/ext2fs/ext2_err.et.in" >ext2_err.et
awk -f "$src/lib/et/et_h.awk" outfile=include/ext2fs/ext2_err.h outfn=ext2_err.h ext2_err.et
awk -f "$src/lib/et/et_c.awk" outfile=ext2_err.c outfn=ext2_err.c ext2_err.et
gcc -I. -Iinclude -Iinclude/ext2fs -I"$src/lib" -o gen_crc32ctable "$src/lib/ext2fs/gen_crc32ctable.c"
./gen_crc32ctable >include/ext2fs/crc32c_table.h

cd "$top"
for file in "$work"/ext2_err.c $(printf "$src/lib/ext2fs/%s.c " $files); do
	$cc -w -DHAVE_CONFIG_H -I"$work" -I"$work/include" -I"$work/include/ext2fs" -I"$src/lib" -I"$src/lib/ext2fs" -c \
		-o "$work/obj/$(basename "$file" .c).o" "$file"
done
$ar rcs "$work/libext2fs.a" "$work"/obj/*.o
rm -rf "$out"
mkdir -p "$out"
mv "$work"/{libext2fs.a,include} "$out/"
rm -rf "$work"
