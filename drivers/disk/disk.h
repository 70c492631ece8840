/* SPDX-License-Identifier: MIT */
/*
 * Disks of VMs: what a VM's block device asks for, and what becomes of it. The front end (drivers/virtio)
 * submits requests and takes them back when they have ended.
 *
 *   a request is  who has it                            becomes          by
 *   IDLE          the front end                         READY            disk_submit
 *   READY         the disk, for the next step           READY            a step: it has had its share of blocks
 *                                                       WAITS            a step: a block is being read or written
 *                                                       STARVED          a step: no memory or transfer is free
 *                                                       ENDED            a step: all is done, or an error
 *   WAITS         a transfer of the cache (cache.h)     READY            the transfer ends
 *   STARVED       the disk, before all READY ones       READY            some transfer ends; node 0's tick
 *                                                       ENDED            the disk has starved for DISK_STARVED_MS
 *   ENDED         the disk's list of ended ones         IDLE             disk_next_ended
 *   any           -                                     IDLE             disk_abort
 *
 * Guest memory is touched in steps only: the machine's disk reads and writes pages of the cache, never
 * those of a guest. So nothing of a guest is pinned, and an abort waits for no device.
 *
 * A copy-on-write disk keeps what its VM has modified in pages of its own, a block each: the map `own`,
 * whose words are 0 (the image's), OWN_ZERO (all zero) or a machine page. They are shared pages that the disk
 * holds, so that the guest reads its own blocks without a copy as well. A whole page that the guest writes
 * becomes the block's where it is (dma_lend), and is the guest's as well until that changes it; parts of blocks,
 * and pages that cannot be lent now, are copied. They go when the VM ends.
 *
 * Locks: the caller serializes all calls for one disk (its device's lock, below RANK_CACHE).
 */
#ifndef DRIVERS_DISK_DISK_H
#define DRIVERS_DISK_DISK_H

#include "drivers/disk/cache.h"
#include "drivers/dma.h"
#include "kernel/types.h"

struct vm;
struct vm_disk; /* one disk of one VM: an image with a mode */

#define DISK_SECTOR	 512
#define DISK_STARVED_MS	 10000
#define DISK_FED_MS	 1000 /* who did not starve for so long begins anew */
#define DISK_STEP_BLOCKS 32   /* a step's share */

enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH, DISK_DISCARD, DISK_ZERO };

/* DISK_NO_SPACE: the limit of modified data, or the machine's memory, is reached; told once in the log. */
enum disk_status { DISK_OK, DISK_IO_ERROR, DISK_NO_SPACE };

/* Ranges of guest memory, of any alignment, dma_valid; in pieces, so that small requests take little. */
#define DISK_RANGES 8
struct disk_ranges {
	struct dma_range range[DISK_RANGES];
	u32 n;
	struct disk_ranges *next;
};

/* A byte of ranges; behind the last one ranges is NULL. */
struct disk_cursor {
	const struct disk_ranges *ranges;
	u32 range, offset; /* which of ranges, and where in it */
};

struct disk_request {
	/* The front end's, who leaves them alone until it has the request back. */
	enum disk_op op;
	bool lasts; /* DISK_WRITE, DISK_ZERO: it is on the medium when it has ended */
	u64 sector; /* of DISK_SECTOR bytes */
	u64 bytes;  /* whole sectors; READ, WRITE: the sum of the ranges; FLUSH: 0 */
	const struct disk_ranges *ranges; /* READ, WRITE */
	/* Its result, valid once it has ended. */
	enum disk_status status;

	/* drivers/disk only */
	struct cache_waiter waiter;
	struct disk_request *next;	      /* READY, STARVED, ENDED */
	struct disk_request *out, **out_link; /* of all that the disk has or has ended */
	u64 done;			      /* bytes */
	struct disk_cursor at;		      /* READ, WRITE: the next byte */
	bool single, flushing, failed, starved;
	int error;
};

/*
 * Makes disk i of the VM, in the order of its description, in DISK_BYTES of memory. tell(front): there is
 * something to do for disk_service; any node, with RANK_CACHE held. Boot only.
 */
#define DISK_BYTES 512 /* for a struct vm_disk */
void disk_init(struct vm_disk *disk, struct vm *vm, u32 i, void (*tell)(void *front), void *front);
u64 disk_sectors(const struct vm_disk *disk);
const struct disk_desc *disk_desc(const struct vm_disk *disk);

/*
 * Reads the block at a sector into a whole page of the guest without a request, at once, if the block is whole and in
 * memory and the page can be shared now. False: nothing has changed, and it takes a request to read it or to say what
 * is wrong.
 */
bool disk_read_page(struct vm_disk *disk, u64 sector, gpn_t gpn);
/* Takes the request, for the next disk_service. */
void disk_submit(struct vm_disk *disk, struct disk_request *r);
/*
 * Goes on with what is READY, for at most *budget blocks, which it counts down. True: there is more to do
 * at once.
 */
bool disk_service(struct vm_disk *disk, u32 *budget);
bool disk_is_idle(const struct vm_disk
			  *disk); /* no request is READY, woken or STARVED: nothing to go on with */
/* A request that has ended, which is the caller's again; NULL: none. */
struct disk_request *disk_next_ended(struct vm_disk *disk);
/*
 * The device was reset, or its VM ends: every request is the caller's on return, ended or not, and no guest
 * memory is touched for it. What was given to the image before may still reach it.
 */
void disk_abort(struct vm_disk *disk);
/* The VM has ended: a bounded part of what it had modified goes. True: that was all. */
bool disk_release(struct vm_disk *disk);

#endif /* DRIVERS_DISK_DISK_H */
