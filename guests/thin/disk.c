/* SPDX-License-Identifier: MIT */
/*
 * Disks. A request at a time and disk; who waits for it sleeps. Single blocks are kept, for those are what names and inodes take, again and
 * again, and go to the disk when their slot is wanted, at a flush (a file that was written is closed, fsync(), the end), and before anybody
 * reads or writes them past the cache, as longer transfers are: those go from and to the caller's memory, where the monitor maps whole pages
 * instead of copying them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ext2fs/ext2fs.h>

#include "guests/lib/blk.h"
#include "guests/thin/disk.h"
#include "guests/thin/thin.h"
#include "guests/thin/virtio.h"

#define SECTOR	     512u
#define CACHE_BLOCKS 32u
#define MOST_BYTES   (1u << 20) /* of one request */

struct disk {
	struct virtio_device device;
	bool started, has_flush, is_read_only;
	volatile u32 rings;
	u64 sectors;
	struct {
		u32 type, reserved;
		u64 sector;
	} header;
	volatile u8 status;
	u32 block_size;
	u8 *cache; /* CACHE_BLOCKS blocks of that size */
	u64 cached[CACHE_BLOCKS];
	u64 used[CACHE_BLOCKS];	  /* 0: nothing is there */
	bool newer[CACHE_BLOCKS]; /* than what is on the disk */
	u64 uses;
	volatile struct virtio_queue queue;
};

static struct disk disks[DISKS_MAX];

static void interrupt(void)
{
	for (u32 i = 0; i < DISKS_MAX; i++)
		if (disks[i].started)
			virtio_interrupt(&disks[i].device, &disks[i].rings);
}

bool disk_exists(u32 disk)
{
	struct virtio_device d;

	return disk < DISKS_MAX && virtio_nth(BLK_ID, disk, &d);
}

u64 disk_bytes(u32 disk) { return disks[disk].sectors * SECTOR; }

static bool start(struct disk *d, u32 n)
{
	u32 features;

	if (d->started)
		return true;
	if (!virtio_nth(BLK_ID, n, &d->device) || !virtio_begin(&d->device, BLK_F_FLUSH | BLK_F_RO))
		return false;
	virtio_put(&d->device, VIRTIO_FEATURES_SELECT, 0);
	features = virtio_get(&d->device, VIRTIO_FEATURES);
	d->has_flush = features & BLK_F_FLUSH;
	d->is_read_only = features & BLK_F_RO;
	d->sectors = virtio_get(&d->device, VIRTIO_CONFIG) |
		     (u64)virtio_get(&d->device, VIRTIO_CONFIG + 4) << 32;
	virtio_set_up(&d->device, 0, &d->queue);
	d->queue.available.flags = VIRTIO_NO_INTERRUPT;
	d->started = true;
	sched_on_line(DISCO_IRQ_DISK, interrupt);
	sched_on_line(DISCO_IRQ_DISK2, interrupt);
	virtio_go(&d->device);
	return true;
}

/* 0 or EIO. */
static errcode_t request(struct disk *d, u32 type, u64 sector, const void *buffer, u32 bytes)
{
	volatile struct virtio_queue *q = &d->queue;
	u16 seen = q->used.index;

	d->header.type = type;
	d->header.sector = sector;
	d->status = BLK_LOST;
	virtio_describe(q, 0, &d->header, sizeof(d->header), VIRTIO_NEXT, bytes ? 1 : 2);
	if (bytes)
		virtio_describe(q, 1, buffer, bytes,
				VIRTIO_NEXT | (type == BLK_IN ? VIRTIO_WRITE : 0), 2);
	virtio_describe(q, 2, &d->status, 1, VIRTIO_WRITE, 0);
	virtio_offer(q, 0);
	virtio_notify(&d->device, 0);
	virtio_sleep(q, seen, &d->rings);
	return d->status == BLK_OK ? 0 : EIO;
}

static errcode_t transfer(struct disk *d, u32 type, u64 at, void *buffer, u64 bytes)
{
	errcode_t error = 0;

	if (at % SECTOR || bytes % SECTOR)
		return EINVAL;
	if (at / SECTOR + bytes / SECTOR > d->sectors)
		return EXT2_ET_SHORT_READ; /* the file system says it is larger than the disk */
	for (u64 done = 0; done < bytes && !error; done += MOST_BYTES)
		error = request(d, type, (at + done) / SECTOR, (u8 *)buffer + done,
				(u32)MIN(bytes - done, MOST_BYTES));
	return error;
}

/* ---- the cache ---- */
static u8 *slot(struct disk *d, u32 i) { return d->cache + (u64)i * d->block_size; }

/* Where the block is, or else (*found false) the slot that was not used for the longest time. */
static u32 find(struct disk *d, u64 block, bool *found)
{
	u32 oldest = 0;

	*found = true;
	for (u32 i = 0; i < CACHE_BLOCKS; i++) {
		if (d->used[i] && d->cached[i] == block)
			return i;
		if (d->used[i] < d->used[oldest])
			oldest = i;
	}
	*found = false;
	return oldest;
}

static errcode_t write_back(struct disk *d, u32 i)
{
	errcode_t error = 0;

	if (d->used[i] && d->newer[i])
		error = transfer(d, BLK_OUT, d->cached[i] * d->block_size, slot(d, i),
				 d->block_size);
	if (!error)
		d->newer[i] = false;
	return error;
}

/* Those of the blocks that are newer here, before others read or write them on the disk; `forget`: none is here afterwards. */
static errcode_t write_back_some(struct disk *d, u64 block, u64 blocks, bool forget)
{
	errcode_t error = 0;

	for (u32 i = 0; i < CACHE_BLOCKS && !error; i++) {
		if (d->cached[i] - block >= blocks)
			continue;
		error = write_back(d, i);
		if (!error && forget)
			d->used[i] = 0;
	}
	return error;
}

static errcode_t write_cached(struct disk *d, u64 block, const void *from)
{
	bool found;
	u32 i = find(d, block, &found);
	errcode_t error = found ? 0 : write_back(d, i);

	if (error)
		return error;
	memcpy(slot(d, i), from, d->block_size);
	d->cached[i] = block;
	d->used[i] = ++d->uses;
	d->newer[i] = true;
	return 0;
}

static errcode_t read_cached(struct disk *d, u64 block, void *to)
{
	errcode_t error;
	bool found;
	u32 i = find(d, block, &found);

	if (!found) {
		error = write_back(d, i);
		if (error)
			return error;
		d->used[i] = 0;
		error = transfer(d, BLK_IN, block * d->block_size, slot(d, i), d->block_size);
		if (error)
			return error;
		d->cached[i] = block;
	}
	d->used[i] = ++d->uses;
	memcpy(to, slot(d, i), d->block_size);
	return 0;
}

/* ---- what libext2fs calls. A count below 0 is of bytes ---- */
static errcode_t io_set_block_size(io_channel channel, int bytes)
{
	struct disk *d = channel->private_data;
	errcode_t error = d->cache ? write_back_some(d, 0, ~0ul, true) : 0;

	if (error)
		return error;
	free(d->cache);
	memset(d->used, 0, sizeof(d->used));
	d->block_size = (u32)bytes;
	d->cache = aligned_alloc(4096, (size_t)CACHE_BLOCKS * d->block_size);
	channel->block_size = bytes;
	return d->cache ? 0 : EXT2_ET_NO_MEMORY;
}

static errcode_t io_close(io_channel channel)
{
	struct disk *d = channel->private_data;
	errcode_t error;

	if (--channel->refcount > 0)
		return 0;
	error = d->cache ? write_back_some(d, 0, ~0ul, true) : 0;
	free(d->cache);
	d->cache = NULL;
	free(channel);
	return error;
}

static errcode_t io_open(const char *name, int flags, io_channel *opened)
{
	u32 n = (u32)(*name - '0');
	struct disk *d = &disks[n];
	io_channel channel;
	errcode_t error;

	if (!start(d, n))
		return EXT2_ET_BAD_DEVICE_NAME;
	if ((flags & IO_FLAG_RW) && d->is_read_only)
		return EROFS;
	channel = calloc(1, sizeof(*channel));
	if (!channel)
		return EXT2_ET_NO_MEMORY;
	*channel = (struct struct_io_channel){ .magic = EXT2_ET_MAGIC_IO_CHANNEL,
					       .manager = &disk_io,
					       .refcount = 1,
					       .flags = CHANNEL_FLAGS_BLOCK_DEVICE,
					       .private_data = d };
	error = io_set_block_size(channel, 1024);
	if (error)
		io_close(channel);
	else
		*opened = channel;
	return error;
}

static u64 bytes_of(const struct disk *d, int count)
{
	return count < 0 ? (u64)-count : (u64)count * d->block_size;
}

static errcode_t io_read64(io_channel channel, unsigned long long block, int count, void *to)
{
	struct disk *d = channel->private_data;
	u64 bytes = bytes_of(d, count);
	errcode_t error;

	if (count == 1)
		return read_cached(d, block, to);
	error = write_back_some(d, block, ROUND_UP(bytes, d->block_size) / d->block_size, false);
	return error ? error : transfer(d, BLK_IN, block * d->block_size, to, bytes);
}

static errcode_t io_write64(io_channel channel, unsigned long long block, int count,
			    const void *from)
{
	struct disk *d = channel->private_data;
	u64 bytes = bytes_of(d, count);
	errcode_t error;

	if (count == 1)
		return write_cached(d, block, from);
	error = write_back_some(d, block, ROUND_UP(bytes, d->block_size) / d->block_size, true);
	return error ? error : transfer(d, BLK_OUT, block * d->block_size, (void *)from, bytes);
}

static errcode_t io_read(io_channel channel, unsigned long block, int count, void *to)
{
	return io_read64(channel, block, count, to);
}

static errcode_t io_write(io_channel channel, unsigned long block, int count, const void *from)
{
	return io_write64(channel, block, count, from);
}

static errcode_t io_flush(io_channel channel)
{
	struct disk *d = channel->private_data;
	errcode_t error = write_back_some(d, 0, ~0ul, false);

	if (error)
		return error;
	return d->has_flush ? request(d, BLK_FLUSH, 0, NULL, 0) : 0;
}

struct struct_io_manager disk_io = {
	.magic = EXT2_ET_MAGIC_IO_MANAGER,
	.name = "virtio disk",
	.open = io_open,
	.close = io_close,
	.set_blksize = io_set_block_size,
	.read_blk = io_read,
	.write_blk = io_write,
	.read_blk64 = io_read64,
	.write_blk64 = io_write64,
	.flush = io_flush,
};

/* libext2fs's, whose own lies in its journals' file: zeroes blocks of the disk. Called without a file system it has nothing to free. */
errcode_t ext2fs_zero_blocks2(ext2_filsys fs, blk64_t block, int count, blk64_t *failed_at,
			      int *left)
{
	errcode_t error = 0;
	void *zeroes;

	if (!fs)
		return 0;
	zeroes = calloc(1, fs->blocksize);
	if (!zeroes)
		return EXT2_ET_NO_MEMORY;
	for (; count > 0 && !error; count--, block++)
		error = io_write64(fs->io, block, 1, zeroes);
	free(zeroes);
	if (error && failed_at)
		*failed_at = block - 1;
	if (error && left)
		*left = count + 1;
	return error;
}
