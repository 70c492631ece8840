/* SPDX-License-Identifier: MIT */
/* Images and transfers, for drivers/disk only: cache.h says what they are. All under RANK_CACHE. */
#ifndef DRIVERS_DISK_IMAGE_H
#define DRIVERS_DISK_IMAGE_H

#include "drivers/disk/blockmap.h"
#include "drivers/disk/cache.h"
#include "drivers/host/disk.h"
#include "kernel/lock.h"
#include "kernel/vm/vmdesc.h"

#define IMAGES_MAX    (VMDESC_MAX_VMS * VMDESC_DISKS_MAX)
#define BLOCK_SECTORS (BLOCK_BYTES / HOST_SECTOR)

extern struct lock cache_lock;

struct image {
	const struct disk_desc
		*desc;		/* the first that named it; fixed after boot, like the next five */
	struct host_disk *host; /* NULL: it is in the archive, at data */
	const u8 *data;
	u64 sectors, blocks;
	u32 id;
	struct blockmap map; /* of descriptors, 0: absent */
	u64 arm_free;	     /* count64: when the modelled disk has done what it was asked */
	struct image_stats stats;
};

struct image *image_with(u32 id);
/* The image's own page of the archive that is the block; MPN_NONE: it has none that can be shared. */
mpn_t image_archive_page(const struct image *im, u64 block);
/* No time passes for what is read of it. */
bool image_is_instant(const struct image *im);
u32 image_block_bytes(const struct image *im, u64 block); /* the last one's may be fewer */

struct cache_transfer {
	struct host_io io;
	struct host_piece pieces[CACHE_RUN];
	u32 block[CACHE_RUN]; /* descriptors */
	u32 n;
	u32 number; /* of the transfer */
	bool busy;
	struct image *image;
	struct cache_client *client;
	struct cache_waiter *waiting, **waiting_end;
	struct cache_waiter *writer; /* whose writes it is one of; NULL: nobody's any more */
	u64 due;		     /* count64; of an image in the archive */
};

struct cache_transfer *transfer_with(u32 number);
/* One that is free, for the client; NULL: it is starved. */
struct cache_transfer *transfer_begin_locked(struct image *im, struct cache_client *c,
					     enum host_op op);
void transfer_cancel_locked(struct cache_transfer *t); /* that was not started */
void transfer_start_locked(struct cache_transfer *t);
void transfer_wait_locked(struct cache_transfer *t, struct cache_waiter *w);
/* What becomes of its blocks, when it ends; cache.c's. */
void transfer_ended_locked(struct cache_transfer *t, bool ok);
void cache_starve_locked(struct cache_client *c);
void cache_map_init(struct blockmap *m, u64 nblocks); /* an image's */

#endif /* DRIVERS_DISK_IMAGE_H */
