/* SPDX-License-Identifier: MIT */
/*
 * Disks. A request at a time and disk; who waits for it sleeps. Single blocks are kept, for those are what names and inodes take, again and
 * again; longer reads go past the cache into the caller's memory, where the monitor maps whole pages instead of copying them. Writes go
 * through to the disk, so that the cache is never what is newer.
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
	u64 used[CACHE_BLOCKS]; /* 0: nothing is there */
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

static errcode_t read_cached(struct disk *d, u64 block, void *to)
{
	errcode_t error;
	bool found;
	u32 i = find(d, block, &found);

	if (!found) {
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

static void forget(struct disk *d, u64 block, u64 blocks)
{
	for (u32 i = 0; i < CACHE_BLOCKS; i++)
		if (d->cached[i] - block < blocks)
			d->used[i] = 0;
}

/* ---- what libext2fs calls. A count below 0 is of bytes ---- */
static errcode_t io_set_block_size(io_channel channel, int bytes)
{
	struct disk *d = channel->private_data;

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

	if (--channel->refcount > 0)
		return 0;
	free(d->cache);
	d->cache = NULL;
	free(channel);
	return 0;
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

static errcode_t io_read64(io_channel channel, unsigned long long block, int count, void *to)
{
	struct disk *d = channel->private_data;

	if (count == 1)
		return read_cached(d, block, to);
	return transfer(d, BLK_IN, block * d->block_size, to,
			count < 0 ? (u64)-count : (u64)count * d->block_size);
}

static errcode_t io_write64(io_channel channel, unsigned long long block, int count,
			    const void *from)
{
	struct disk *d = channel->private_data;
	u64 bytes = count < 0 ? (u64)-count : (u64)count * d->block_size;

	forget(d, block, ROUND_UP(bytes, d->block_size) / d->block_size);
	return transfer(d, BLK_OUT, block * d->block_size, (void *)from, bytes);
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
