/* SPDX-License-Identifier: MIT */
/* What is in the files of disks: see extdata.c. All under ext_lock. */
#ifndef GUESTS_THIN_EXTDATA_H
#define GUESTS_THIN_EXTDATA_H

#include <sys/types.h>

#include "kernel/types.h"

struct struct_ext2_filsys;
struct ext2_file;

/* An open file: see ext.h. */
struct ext_node {
	struct ext_node *next;
	struct struct_ext2_filsys *fs;
	u32 ino;
	struct ext2_file *file; /* the inode, and a block that is read or written in part */
	u32 refs;
	bool written;  /* the inode on the disk is older */
	bool buffered; /* there may be such a block */
};

/*
 * Some of the bytes from there on, of which *done is how many: at least one, if there are any (reading), or room (writing). Errors are
 * libext2fs's.
 */
long ext_data_read(struct ext_node *n, u64 at, u8 *to, size_t bytes, size_t *done);
long ext_data_write(struct ext_node *n, u64 at, const u8 *from, size_t bytes, size_t *done);
int ext_data_truncate(struct ext_node *n, off_t size); /* an errno */

#endif /* GUESTS_THIN_EXTDATA_H */
