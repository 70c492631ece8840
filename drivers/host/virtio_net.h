/* SPDX-License-Identifier: MIT */
/*
 * The machine's virtio network device (virtio 1.2, section 5.1): frames into one virtqueue and out of
 * another. Each queue has buffers of the driver's own, one a descriptor, so that the device reaches
 * nothing else. What the device returns is checked as if it were a stranger's.
 *
 * A buffer's life:
 *
 *   of the receive queue    the device's -> vnet_take: the caller reads it -> vnet_give_back: the device's
 *   of the transmit queue   free -> vnet_room: the caller's, who fills it -> vnet_put: the device's -> free, when
 *                           the driver looks for room and the device has returned it
 *
 * The two queues know nothing of each other: each may be under a lock of its own, which who fills a buffer need not hold.
 */
#ifndef DRIVERS_HOST_VIRTIO_NET_H
#define DRIVERS_HOST_VIRTIO_NET_H

#include "drivers/host/virtio_pci.h"

#define VNET_QUEUE  64	 /* descriptors, and buffers, of a queue */
#define VNET_BUFFER 2048 /* bytes */
#define VNET_HEADER 12	 /* of them, before a frame */
#define VNET_FRAME  (VNET_BUFFER - VNET_HEADER)
#define VNET_ALIGN  4096

enum { VNET_RECEIVE, VNET_TRANSMIT, VNET_QUEUES };

struct vnet {
	struct virtio_port port;
	struct vring ring[VNET_QUEUES];
	u8 (*buffer[VNET_QUEUES])[VNET_BUFFER];
	u16 avail[VNET_QUEUES], used[VNET_QUEUES]; /* index of the next entry of that ring */
	u32 size;
	u32 taken; /* RECEIVE: the buffer that the caller reads */
	/* TRANSMIT: numbers of the free buffers, and how many; whether the device has a buffer */
	u32 nfree;
	u8 free[VNET_QUEUE];
	bool flying[VNET_QUEUE];
};

/* Memory that the device and its driver share, which vnet_init takes: zeroed, VNET_ALIGN-aligned. */
size_t vnet_bytes(void);
void vnet_init(struct vnet *v, void *memory);
/* Resets the device and starts it, with all receive buffers. False: it does not start. */
bool vnet_start(struct vnet *v);

/*
 * A frame that came, and its length. 0: there is none; negative: the device returned what it was not
 * given, or is no network device that we know.
 */
int vnet_take(struct vnet *v, const u8 **frame, u32 *bytes);
void vnet_give_back(struct vnet *v); /* the frame that was taken */

/* The number of a buffer for a frame to send, the caller's from now on; negative: all are under way. */
int vnet_room(struct vnet *v);
u8 *vnet_frame(const struct vnet *v, u32 buffer);     /* its VNET_FRAME bytes */
void vnet_put(struct vnet *v, u32 buffer, u32 bytes); /* sends what is there */

#endif /* DRIVERS_HOST_VIRTIO_NET_H */
