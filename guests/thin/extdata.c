/* SPDX-License-Identifier: MIT */
/*
 * What is in the files of disks. Whole blocks go between the disk and the caller's memory, a request for each run of them on the disk; what
 * begins or ends within a block goes through libext2fs's own file, which keeps that block.
 */
#include <errno.h>
#include <string.h>

#include <ext2fs/ext2fs.h>

#include "guests/thin/ext.h"
#include "guests/thin/extdata.h"
#include "guests/thin/thin.h"

#define MOST (1u << 20)

/* libext2fs's view of the file begins anew, without the block that it keeps. */
static errcode_t begin_anew(struct ext_node *n)
{
	ext2_file_t again;
	errcode_t error = ext2fs_file_open2(n->fs, n->ino, ext2fs_file_get_inode(n->file),
					    EXT2_FILE_WRITE, &again);

	if (error)
		return error;
	ext2fs_file_close(n->file);
	n->file = again;
	n->buffered = false;
	return 0;
}

/* libext2fs keeps a block also if others write it, or cut it off, on the disk. */
static errcode_t forget_buffer(struct ext_node *n)
{
	errcode_t error = ext2fs_file_flush(n->file);

	return error || !n->buffered ? error : begin_anew(n);
}

/*
 * The run of blocks on the disk that the file's blocks from `block` on lie in, at most `most`: how many, and the first; 0: they are a hole
 * or not written yet. `allocate` fills holes with blocks that hold anything: whoever says so writes them, also the one behind the run, if it lies elsewhere.
 */
static errcode_t run_at(struct ext_node *n, u64 block, u64 most, bool allocate, u64 *blocks,
			blk64_t *first)
{
	struct ext2_inode *inode = ext2fs_file_get_inode(n->file);
	int flags;

	*blocks = 0;
	for (u64 i = 0; i < most; i++) {
		blk64_t at = 0;
		errcode_t error = ext2fs_bmap2(n->fs, n->ino, inode, NULL,
					       allocate ? BMAP_ALLOC : 0, block + i, &flags, &at);

		if (error)
			return error;
		if (flags & BMAP_RET_UNINIT)
			at = 0;
		if (!i)
			*first = at;
		else if (at != (*first ? *first + i : 0))
			break;
		++*blocks;
	}
	return 0;
}

/* Whole blocks, from the disk into the caller's memory. */
static errcode_t read_blocks(struct ext_node *n, u64 at, u8 *to, u64 bytes)
{
	u64 size = n->fs->blocksize, blocks;
	errcode_t error = ext2fs_file_flush(n->file);

	for (u64 done = 0; done < bytes && !error; done += blocks * size) {
		blk64_t first = 0;

		error = run_at(n, (at + done) / size, (bytes - done) / size, false, &blocks,
			       &first);
		if (error)
			break;
		if (first) /* a count of bytes: not by the cache, also if it is one block */
			error = io_channel_read_blk64(n->fs->io, first, -(int)(blocks * size),
						      to + done);
		else
			memset(to + done, 0, blocks * size);
	}
	return error;
}

long ext_data_read(struct ext_node *n, u64 at, u8 *to, size_t bytes, size_t *done)
{
	u64 end = EXT2_I_SIZE(ext2fs_file_get_inode(n->file)), size = n->fs->blocksize;
	bool is_inline = ext2fs_file_get_inode(n->file)->i_flags & EXT4_INLINE_DATA_FL;
	unsigned got = 0;
	errcode_t error;

	bytes = at < end ? MIN(bytes, end - at) : 0;
	bytes = MIN(bytes, MOST);
	*done = 0;
	if (!bytes)
		return 0;
	if (at % size == 0 && bytes >= size && !is_inline) {
		bytes = ROUND_DOWN(bytes, size);
		error = read_blocks(n, at, to, bytes);
		*done = error ? 0 : bytes;
		return error;
	}
	if (bytes > size - at % size)
		bytes = size - at % size; /* the rest are whole blocks */
	n->buffered = true;
	error = ext2fs_file_llseek(n->file, at, EXT2_SEEK_SET, NULL);
	if (!error)
		error = ext2fs_file_read(n->file, to, (unsigned)bytes, &got);
	*done = got;
	return error;
}

/*
 * Whole blocks from the caller's memory. It ends, with less done, at a block that is allocated as not written yet, and where there is no room:
 * libext2fs knows what to do with those.
 */
static errcode_t write_blocks(struct ext_node *n, u64 at, const u8 *from, u64 bytes, u64 *done)
{
	u64 size = n->fs->blocksize, blocks;
	errcode_t error = forget_buffer(n);
	struct ext2_inode *inode = ext2fs_file_get_inode(n->file);

	for (*done = 0; *done < bytes && !error; *done += blocks * size) {
		blk64_t first = 0;

		error = run_at(n, (at + *done) / size, (bytes - *done) / size, true, &blocks,
			       &first);
		if (error && blocks)
			error = 0; /* these are there */
		if (error || !first)
			break;
		error = io_channel_write_blk64(n->fs->io, first, -(int)(blocks * size),
					       from + *done);
	}
	if (!*done)
		return error;
	return at + *done <= EXT2_I_SIZE(inode)
		       ? 0
		       : ext2fs_inode_size_set(n->fs, inode, (ext2_off64_t)(at + *done));
}

long ext_data_write(struct ext_node *n, u64 at, const u8 *from, size_t bytes, size_t *done)
{
	bool is_inline = ext2fs_file_get_inode(n->file)->i_flags & EXT4_INLINE_DATA_FL;
	u64 size = n->fs->blocksize;
	unsigned part = 0;
	errcode_t error;

	bytes = MIN(bytes, MOST);
	*done = 0;
	if (at % size == 0 && bytes >= size && !is_inline) {
		error = write_blocks(n, at, from, ROUND_DOWN(bytes, size), done);
		if (error || *done)
			return error;
	}
	if (bytes > size - at % size)
		bytes = size - at % size; /* the rest are whole blocks */
	n->buffered = true;
	error = ext2fs_file_llseek(n->file, at, EXT2_SEEK_SET, NULL);
	if (!error)
		error = ext2fs_file_write(n->file, from, (unsigned)bytes, &part);
	*done = part;
	if (error)
		begin_anew(
			n); /* it keeps what it found no block for, and would try again when the file is closed */
	return error;
}

int ext_data_truncate(struct ext_node *n, off_t size)
{
	int error = ext_writable(n->fs);
	errcode_t cut;

	if (error)
		return error;
	n->written = n->buffered = true;
	cut = ext2fs_file_flush(n->file);
	if (!cut) {
		ext_lengthen(n->fs, true);
		cut = ext2fs_file_set_size2(n->file, size);
		ext_lengthen(n->fs, false);
	}
	if (cut)
		return ext_errno(cut);
	return forget_buffer(n) ? ENOMEM : 0;
}
