/* SPDX-License-Identifier: MIT */
/*
 * The machine's own disks: one for each image of the host that the description names
 * (kernel/vm/vmdesc.h: vmdesc_host_image), read and written by requests on machine memory, many at a
 * time, from any node.
 *
 * A request's life, under its disk's lock but for IDLE:
 *
 *   state      what happens                                  becomes
 *   IDLE       host_disk_submit                              WAITING
 *              it is wrong, or the disk is dead              ENDED, -EIO
 *   WAITING    the queue has room for it and it is first     FLYING
 *              the queue is full of what was given up        ENDED, -EIO
 *              it changes the disk, a change was given up    ENDED, -EIO
 *              the disk dies                                 ENDED, -EIO
 *   FLYING     the device has done it                        ENDED, 0
 *              the device reports an error, tries are left   WAITING, as the first
 *              the device reports an error otherwise         ENDED, -EIO
 *              it takes longer than the limit                ENDED, -EIO; given up
 *              the device is reset                           WAITING, in the order of before
 *   ENDED      node 0 calls done                             IDLE, the caller's again
 *
 * The device reaches the driver's own pages only, from and to which the requests' memory is copied. So a
 * request can be given up without asking the device, whose reset waits as long as the request would:
 * what it holds of the queue comes back when, and if, the device returns it. A write or flush that was given up may
 * still be done: no other is let through until it has come back, or it could undo a later one.
 *
 * A read or write is tried HOST_TRIES times. A flush that failed is not tried again, since the second
 * may succeed although what the first should have kept is lost. A device is reset when it asks for
 * it or returns what it was not given; after HOST_RESETS times without having done anything between, or
 * if it does not start again, it is dead: every request ends with an error from then on. Impossible:
 * a request in no list but IDLE, or FLYING in a device that was reset.
 */
#ifndef DRIVERS_HOST_DISK_H
#define DRIVERS_HOST_DISK_H

#include "kernel/types.h"

struct host_disk;

#define HOST_SECTOR	512
#define HOST_PIECES_MAX 128
#define HOST_BYTES_MAX	0x40000 /* of a request */
#define HOST_TRIES	3
#define HOST_RESETS	3
#define HOST_LATE_MS	10000 /* disklate=MS on the command line has another */

enum host_op { HOST_READ, HOST_WRITE, HOST_FLUSH };

/* Memory of the machine, of any alignment. */
struct host_piece {
	maddr_t at;
	u32 bytes;
};

/*
 * One request: the caller fills in the first part, which stays as it is, like the memory it names,
 * until done is called. A FLUSH has no pieces, and keeps what was done before it was submitted.
 */
struct host_io {
	enum host_op op;
	u64 sector; /* of HOST_SECTOR bytes */
	const struct host_piece *pieces;
	u32 npieces; /* READ, WRITE: 1..HOST_PIECES_MAX, whole sectors and 1..HOST_BYTES_MAX in all */
	/* Once, on node 0 while it looks at its interrupts or in its tick, no lock held. err: 0 or -EIO.
	 * It may submit. */
	void (*done)(struct host_io *io, int err);
	void *owner; /* the caller's */

	/* drivers/host only */
	struct host_io *next, *prev; /* of the list that its state names */
	u64 late;		     /* FLYING: count64 */
	int err;		     /* ENDED */
	u16 head;		     /* FLYING: the first descriptor of its chain */
	u8 tries;		     /* left */
};

/* Sets the requests going; never waits. Any node; takes RANK_HOST_DISK. */
void host_disk_submit(struct host_disk *disk, struct host_io *io);
/* Image number n as "image<n>": for people. NULL: there is none. */
struct host_disk *host_disk_named(const char *name);
const char *host_disk_image(const struct host_disk *disk); /* as the description names it */

/* Of one disk since the start; a moment's numbers. */
struct host_disk_stats {
	u64 reads, writes, flushes; /* done without an error */
	u64 sectors_read, sectors_written;
	u64 retries, errors, resets;   /* errors: requests that ended with one */
	u32 flying, waiting, given_up; /* the last: not yet back */
};
struct host_disk_stats host_disk_stats(const struct host_disk *disk);

#endif /* DRIVERS_HOST_DISK_H */
