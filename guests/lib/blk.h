/* SPDX-License-Identifier: MIT */
/* A small driver of virtio block devices (virtio 1.2, section 5.2), one request at a time, polled. */
#ifndef GUESTS_LIB_BLK_H
#define GUESTS_LIB_BLK_H

#include "guests/lib/virtio.h"

#define BLK_ID	     2 /* of the device */
#define BLK_IN	     0
#define BLK_OUT	     1
#define BLK_FLUSH    4
#define BLK_GET_ID   8
#define BLK_DISCARD  11
#define BLK_ZEROES   13
#define BLK_OK	     0
#define BLK_IO_ERROR 1
#define BLK_UNKNOWN  2
#define BLK_LOST     0xff /* it does not come back; the device's own value never */
#define BLK_RANGES   300

#define BLK_F_RO      BIT(5)
#define BLK_F_FLUSH   BIT(9)
#define BLK_F_DISCARD BIT(13)
#define BLK_F_ZEROES  BIT(14)

struct blk_range {
	volatile void *at;
	u32 bytes;
};

/* Finds the VM's first disk and starts it with all features that both know. False: it refuses. */
bool blk_begin(struct virtio_device *d, volatile struct virtio_queue *q);
u64 blk_sectors(const struct virtio_device *d);

/*
 * A request of the type, by an indirect table: its header, n ranges that the device reads (OUT, DISCARD,
 * ZEROES) or writes, a status byte. blk_offer leaves it to the device, blk_wait says its status.
 */
void blk_offer(const struct virtio_device *d, volatile struct virtio_queue *q, u32 type, u64 sector,
	       const struct blk_range *ranges, u32 n);
u8 blk_wait(volatile struct virtio_queue *q);
u8 blk_request(const struct virtio_device *d, volatile struct virtio_queue *q, u32 type, u64 sector,
	       volatile void *buffer, u32 bytes);
u32 blk_written(const volatile struct virtio_queue *q); /* by the last one, its status counted */

#endif /* GUESTS_LIB_BLK_H */
