/* SPDX-License-Identifier: MIT */
/*
 * Disks of VMs: what a VM's block device asks for, and what becomes of it. The front end (drivers/virtio)
 * submits requests, and takes them back from the disk when they have ended: nothing here calls it
 * but to say that there is something to take.
 *
 *   a request is  who has it                            becomes          by
 *   IDLE          the front end                         READY            disk_submit
 *   READY         its VM's list, for the next step      STEPS            disk_submit, disk_service
 *   STEPS         the node that holds the disk's lock   READY            it has had its share of blocks
 *                                                       WAITS            it needs a block that is being read,
 *                                                                        written, or has no memory yet
 *                                                       ENDED            all done, or an error
 *   WAITS         the transfer (cache.h) it waits for,  READY            the transfer is over; the next tick
 *                 or the list of those without memory
 *   ENDED         the disk's list of ended ones         IDLE             disk_next_ended
 *   any                                                 IDLE             disk_abort
 *
 * Guest memory is touched in STEPS only: the machine's disk reads and writes pages of the cache, never
 * those of a guest. So nothing of a guest is pinned, and an abort waits for no device.
 */
#ifndef DRIVERS_DISK_DISK_H
#define DRIVERS_DISK_DISK_H

#include "drivers/dma.h"
#include "kernel/types.h"

struct vm;
struct vm_disk; /* one disk of one VM: an image with a mode */

#define DISK_SECTOR	512
#define DISK_RANGES_MAX 256

enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH, DISK_DISCARD, DISK_ZERO };

/* DISK_NO_SPACE: the limit of modified data, or the machine's memory, is reached; told once in the log. */
enum disk_status { DISK_OK, DISK_IO_ERROR, DISK_NO_SPACE, DISK_UNSUPPORTED };

struct disk_request {
	/* The front end's, who leaves them alone until it has the request back. */
	enum disk_op op;
	bool fua;    /* DISK_WRITE: it is on the medium when it has ended */
	u64 sector;  /* of DISK_SECTOR bytes */
	u64 bytes;   /* whole sectors; READ, WRITE: the sum of the ranges; FLUSH: 0 */
	u32 nranges; /* READ, WRITE: 1..DISK_RANGES_MAX */
	struct dma_range range[DISK_RANGES_MAX]; /* of guest memory, any alignment, dma_valid */
	void *owner;
	/* Its result, valid once it has ended. */
	enum disk_status status;

	/* drivers/disk only */
	struct disk_work {
		struct vm_disk *disk;
		struct disk_request *next, **link; /* the list that has it; link NULL: none */
		struct disk_request *next_out;	   /* of all that the disk has */
		u64 done;			   /* bytes */
		u32 range, offset;		   /* where the next byte is, in READ and WRITE */
		u32 writes;			   /* transfers to the image under way for it */
		bool single, failed, flushed, hit;
		u64 starved; /* count64 since when it has no memory; 0: it has */
	} work;
};

/* Disk i of the VM, in the order of its description; NULL: it has no more. */
struct vm_disk *disk_of(const struct vm *vm, u32 i);
u64 disk_sectors(const struct vm_disk *disk); /* of DISK_SECTOR bytes */
bool disk_read_only(const struct vm_disk *disk);
bool disk_can_discard(const struct vm_disk *disk); /* DISK_DISCARD; DISK_ZERO always works */
const char *disk_serial(const struct vm_disk *disk);

/*
 * Who is told that requests have ended while no call of the front end was under way: on the VM's home
 * node, no lock held, now and then for nothing. Boot only.
 */
void disk_on_ended(struct vm_disk *disk, void (*ended)(void *front), void *front);

/*
 * Takes the request and does what can be done at once, some DISK_STEP_BLOCKS blocks at most: look at
 * disk_next_ended after it. A node of the VM's; the caller may hold locks below RANK_DISK.
 */
void disk_submit(struct vm_disk *disk, struct disk_request *r);
#define DISK_STEP_BLOCKS 32
/* A request that has ended, which is the caller's again; NULL: none. */
struct disk_request *disk_next_ended(struct vm_disk *disk);
/*
 * The device was reset, or its VM ends: on return every request is the caller's, ended or not, and no guest
 * memory is touched for any of them. What was given to the image before may still reach it.
 */
void disk_abort(struct vm_disk *disk);

#endif /* DRIVERS_DISK_DISK_H */
