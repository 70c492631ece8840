/* SPDX-License-Identifier: MIT */
/*
 * One virtio block device of the machine (virtio 1.2, section 5.2): requests into its virtqueue and
 * out of it. All under the lock of the disk that it serves (disk.c).
 */
#ifndef DRIVERS_HOST_VIRTIO_BLK_H
#define DRIVERS_HOST_VIRTIO_BLK_H

#include "drivers/host/disk.h"
#include "drivers/host/virtio_pci.h"

#define VBLK_QUEUE 256 /* descriptors */
#define VBLK_PAGES 64  /* of the driver's own, for data */
#define VBLK_ID	   20  /* bytes of a serial number */
#define VBLK_ALIGN 4096
/* What the device does beside read, write and flush: its serial number, VBLK_ID bytes. */
#define VBLK_OP_GET_ID ((enum host_op)3)

struct vblk_header;

struct vblk {
	struct virtio_port port;
	struct vring ring;
	struct vblk_header *header; /* of the request whose first descriptor has this number */
	volatile u8 *status;	    /* the same */
	/* The same; NULL: no request starts there. Of a request that was given up: a mark. */
	const struct host_io *flying[VBLK_QUEUE];
	u64 features;
	u8 (*page)[PAGE_SIZE];	/* what the device reads and writes */
	u8 page_of[VBLK_QUEUE]; /* the page of a descriptor of data */
	u32 size, nfree, npages;
	u16 free;	      /* the first free descriptor; they are linked by next */
	u8 pages[VBLK_PAGES]; /* numbers of the free pages, npages of them */
	u16 avail;	      /* index of the next entry of that ring; of the used ring */
	u16 used;
	u32 given_up,
		changes_given_up; /* chains in the device whose requests were; of them not reads */
};

/* Memory that the device and its driver share, which vblk_init takes: zeroed, VBLK_ALIGN-aligned. */
size_t vblk_bytes(void);
void vblk_init(struct vblk *v, void *memory);
/* Resets the device and starts it with an empty queue: requests that flew are forgotten, and it does
 * not touch their memory any more. False: it does not start. */
bool vblk_start(struct vblk *v);
u64 vblk_sectors(struct vblk *v);
bool vblk_read_only(const struct vblk *v);

/* Puts a request into the queue, with what it writes. False: there is no room for it now. */
bool vblk_put(struct vblk *v, struct host_io *io);
void vblk_kick(struct vblk *v); /* tells the device of what was put */
/* Forgets a request that flies: its memory is not touched any more. */
void vblk_give_up(struct vblk *v, struct host_io *io);
/*
 * Takes a request that the device is done with, and what it read: *io, NULL if it was given up, and *ok.
 * 0: there is none; negative: the device returned what it was not given, and must be started anew.
 */
int vblk_take(struct vblk *v, struct host_io **io, bool *ok);

#endif /* DRIVERS_HOST_VIRTIO_BLK_H */
