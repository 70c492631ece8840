/* SPDX-License-Identifier: MIT */
/* What is behind a disk of a VM, for drivers/disk only: disk.h says what it is. */
#ifndef DRIVERS_DISK_OWN_H
#define DRIVERS_DISK_OWN_H

#include "drivers/disk/blockmap.h"
#include "drivers/disk/disk.h"
#include "kernel/vm/vmdesc.h"

#define OWN_ZERO 1 /* a word of the map: no machine page has that number */

struct disk_stats {
	u64 requests, bytes_read, bytes_written; /* that have ended without an error */
	u64 blocks_read,
		hits; /* of the image that were wanted; of these, found without waiting for a transfer */
	u64 alike; /* blocks written as another one was already */
	u64 errors;
};

/* count64: since when it has found no memory or transfer, and when the last time. */
struct hunger {
	u64 since, last;
};

struct request_list {
	struct disk_request *first, **end;
};

struct vm_disk {
	struct cache_client client; /* the first field */
	struct vm *vm;		    /* fixed after boot, like the next six */
	const struct disk_desc *desc;
	struct image *image;
	struct vm_disk *next_disk; /* of the machine */
	void (*tell)(void *front);
	void *front;
	u64 limit; /* blocks */
	/* the device's lock */
	struct request_list ready, ended;
	struct disk_request *out; /* all requests */
	u32 nout;
	struct blockmap own;
	struct blockmap_pages own_pages; /* fixed after boot */
	struct hunger hunger[2];	 /* of reads, and of the rest */
	u64 modified, release_from;	 /* blocks with a page; disk_release has come that far */
	bool told;			 /* of the limit */
	struct disk_stats stats;
};

/*
 * The VM's page of the block, to be written by the caller: nobody else has it. If `whole`, its old content does
 * not matter. 1: it is *page; 0: the request waits; -ENOMEM: starved; -ENOSPC: the limit; -EIO.
 */
int own_page(struct vm_disk *disk, struct disk_request *r, u64 block, bool whole, mpn_t *page);
/*
 * The guest's pages become the blocks from this one on, so that both are in memory once. How many from the first on
 * did; 0: the first cannot now, and the caller copies; -ENOMEM: starved; -ENOSPC: the limit.
 */
int own_lend(struct vm_disk *disk, u64 block, struct share_at *at, u32 n);
int own_zero(struct vm_disk *disk, u64 block); /* it reads as zero; 1, or -ENOMEM: starved */
void own_init(struct vm_disk *disk);

/* The page of the image's block for the request, held: as cache_read, and -EIO. */
int disk_base_page(struct vm_disk *disk, struct disk_request *r, u64 block, mpn_t *page);

/* All disks of VMs; NULL: there are fewer. */
const struct vm_disk *disk_number(u32 n);

#endif /* DRIVERS_DISK_OWN_H */
