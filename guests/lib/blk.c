/* SPDX-License-Identifier: MIT */
/* Requests to virtio block devices. */
#include "guests/lib/blk.h"
#include "guests/lib/guest.h"

static volatile struct {
	u32 type, reserved;
	u64 sector;
} header __attribute__((aligned(16)));
static volatile u8 status;
static volatile struct virtio_descriptor table[BLK_RANGES + 2] __attribute__((aligned(16)));
static u16 waits_for; /* the used index before the request under way */

bool blk_begin(struct virtio_device *d, volatile struct virtio_queue *q)
{
	*d = virtio_find(BLK_ID);
	if (!virtio_begin(d, ~0ul))
		return false;
	virtio_set_up(d, 0, q);
	virtio_go(d);
	return true;
}

u64 blk_sectors(const struct virtio_device *d)
{
	return virtio_get(d, VIRTIO_CONFIG) | (u64)virtio_get(d, VIRTIO_CONFIG + 4) << 32;
}

static void describe(u32 i, const volatile void *at, u32 bytes, u16 flags)
{
	table[i].address = guest_pa(at);
	table[i].bytes = bytes;
	table[i].flags = flags;
	table[i].next = i + 1;
}

void blk_offer(const struct virtio_device *d, volatile struct virtio_queue *q, u32 type, u64 sector,
	       const struct blk_range *ranges, u32 n)
{
	u16 to_device = type == BLK_IN || type == BLK_GET_ID ? VIRTIO_WRITE : 0;

	header.type = type;
	header.sector = sector;
	status = BLK_LOST;
	describe(0, &header, sizeof(header), VIRTIO_NEXT);
	for (u32 i = 0; i < n; i++)
		describe(1 + i, ranges[i].at, ranges[i].bytes, VIRTIO_NEXT | to_device);
	describe(1 + n, &status, 1, VIRTIO_WRITE);
	q->descriptor[0].address = guest_pa(table);
	q->descriptor[0].bytes = (n + 2) * sizeof(table[0]);
	q->descriptor[0].flags = VIRTIO_INDIRECT;
	q->available.ring[q->available.index % VIRTIO_SIZE] = 0;
	waits_for = q->used.index;
	__sync_synchronize();
	q->available.index++;
	__sync_synchronize();
	virtio_put(d, VIRTIO_NOTIFY, 0);
}

u8 blk_wait(volatile struct virtio_queue *q)
{
	return virtio_wait(q, waits_for) ? status : BLK_LOST;
}

u8 blk_request(const struct virtio_device *d, volatile struct virtio_queue *q, u32 type, u64 sector,
	       volatile void *buffer, u32 bytes)
{
	struct blk_range range = { buffer, bytes };

	blk_offer(d, q, type, sector, &range, bytes ? 1 : 0);
	return blk_wait(q);
}

u32 blk_written(const volatile struct virtio_queue *q)
{
	return q->used.ring[(u16)(q->used.index - 1) % VIRTIO_SIZE].bytes;
}
