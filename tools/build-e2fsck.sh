#!/bin/bash
# SPDX-License-Identifier: MIT
# build-e2fsck.sh SRC OUT CROSS - e2fsck from the Debian source tree SRC of e2fsprogs, static, MIPS64 R6: OUT/e2fsck. Only the files that
# it consists of are compiled, without configure, which takes longer than they do: what the machine has is known, and listed here.
set -eu
src=$(realpath "$1") out=$(realpath -m "$2") cross=$3
work=$out.tmp

have="DIRENT_H ERRNO_H EXT2_IOCTLS FALLOCATE FALLOCATE64 FCHOWN FCNTL FDATASYNC FSTAT64 FSYNC FTRUNCATE64 GETOPT_H GETPWUID_R GETRANDOM
	GETRLIMIT GETRUSAGE INTPTR_T INTTYPES_H JRAND48 LINUX_FALLOC_H LINUX_FD_H LINUX_LOOP_H LINUX_MAJOR_H LINUX_TYPES_H LSEEK64
	LSEEK64_PROTOTYPE MALLINFO2 MALLOC_H MBSTOWCS MMAP MNTENT_H NANOSLEEP NETINET_IN_H OPEN64 PATHS_H POSIX_FADVISE
	POSIX_MEMALIGN PRCTL PREAD PREAD64 PWRITE PWRITE64 SECURE_GETENV SETJMP_H SETMNTENT SETRESGID SETRESUID SIGNAL_H SNPRINTF
	SRANDOM STDARG_H STDINT_H STDIO_H STDLIB_H STPCPY STRCASECMP STRDUP STRINGS_H STRING_H STRNLEN STRPTIME STRTOULL
	STRUCT_STAT_ST_ATIM SYSCONF SYS_FILE_H SYS_IOCTL_H SYS_MMAN_H SYS_MOUNT_H SYS_PRCTL_H SYS_RANDOM_H SYS_RESOURCE_H
	SYS_SELECT_H SYS_SOCKET_H SYS_STAT_H SYS_SYSCALL_H SYS_SYSMACROS_H SYS_TIME_H SYS_TYPES_H SYS_UN_H SYS_WAIT_H TERMIOS_H
	TERMIO_H TYPE_SSIZE_T UNISTD_H UTIME_H VPRINTF WCHAR_H"
# Of each folder: those that e2fsck is linked with.
files="e2fsck: badblocks dirinfo dx_dirinfo e2fsck ea_refcount ehandler encrypted_files extents journal logfile message pass1 pass1b
	pass2 pass3 pass4 pass5 problem quota readahead recovery region rehash revoke sigcatcher super unix util
	lib/et: com_err error_message et_name
	lib/e2p: feature uuid
	lib/uuid: gen_uuid isnull pack unpack unparse
	lib/blkid: cache dev devname devno getsize llseek probe read resolve save tag
	lib/support: devname dict mkquota plausible profile quotaio quotaio_tree quotaio_v2
	lib/ext2fs: alloc alloc_sb alloc_stats atexit badblocks bb_inode bitmaps bitops blkmap64_ba blkmap64_rb blknum block bmap check_desc
	closefs crc16 crc32c csum dblist dblist_dir dir_iterate dirblock dirhash expanddir ext_attr extent fallocate fileio flushb
	freefs gen_bitmap gen_bitmap64 get_num_dirs get_pathname getsectsize getsize hashmap i_block icount ind_block initialize inline
	inline_data inode io_manager ismounted link llseek lookup mkjournal mmp newdir nls_utf8 openfs orphan punch rbtree read_bb
	read_bb_file res_gdt rw_bitmaps sha512 symlink undo_io unix_io unlink valid_blk version"

rm -rf "$work"
mkdir -p "$work"/{ext2fs,blkid,uuid,support}
cd "$work"

{
	printf '#define HAVE_%s 1\n' $have
	printf '#define SIZEOF_%s\n' "INT 4" "LONG 8" "LONG_LONG 8" "OFF_T 8" "SHORT 2" "TIME_T 8"
	printf '#define TLS __thread\n#define __force\n#define __bitwise\n#define _FILE_OFFSET_BITS 64\n#define _GNU_SOURCE 1\n'
	printf '#define ROOT_SYSCONFDIR "/etc"\n'
} >config.h
cp config.h dirpaths.h
# What configure would find out about integers is what the kernel's header says.
for header in ext2fs/ext2_types blkid/blkid_types uuid/uuid_types; do
	echo '#include <linux/types.h>' >$header.h
done
cp "$src/lib/uuid/uuid.h.in" uuid/uuid.h
cp "$src/lib/blkid/blkid.h.in" blkid/blkid.h

# Error codes: a header and a table each.
sed 's/@E2FSPROGS_VERSION@/of Debian/; /^@/d' "$src/lib/ext2fs/ext2_err.et.in" >ext2_err.et
cp "$src/lib/support/prof_err.et" .
for codes in ext2fs/ext2_err support/prof_err; do
	name=${codes#*/}
	awk -f "$src/lib/et/et_h.awk" "outfile=$codes.h" "outfn=$name.h" $name.et
	awk -f "$src/lib/et/et_c.awk" "outfile=$name.c" "outfn=$name.c" $name.et
done
gcc -I. -Iext2fs -I"$src/lib" -o gen_crc32ctable "$src/lib/ext2fs/gen_crc32ctable.c"
./gen_crc32ctable >ext2fs/crc32c_table.h

sources="ext2_err.c prof_err.c"
for word in $files; do
	case $word in
	*:) folder=${word%:} ;;
	*) sources+=" $src/$folder/$word.c" ;;
	esac
done
"${cross}gcc" -O1 -g0 -w -static -s -mcompact-branches=never -DHAVE_CONFIG_H -I. -Iext2fs -Isupport -I"$src/lib" -I"$src/lib/ext2fs" -I"$src/lib/support" \
	-I"$src/e2fsck" -o e2fsck $sources -lpthread
cd /
rm -rf "$out"
mkdir -p "$out"
mv "$work/e2fsck" "$out/e2fsck"
rm -rf "$work"
