/* SPDX-License-Identifier: MIT */
/* A driver of virtio devices: registers, negotiation, one request at a time. */
#include <string.h>

#include "guests/lib/cp0.h"
#include "guests/lib/guest.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/virtio.h"
#include "kernel/abi/disco.h"

#define MAGIC	  0x74726976
#define VERSION_1 BIT(32)
#define LOOKS	  1000		    /* before it lets others run */
#define PATIENCE  (10 * 166666667u) /* Count ticks */

u32 virtio_get(const struct virtio_device *d, u32 reg)
{
	return *(volatile u32 *)(d->registers + reg);
}

void virtio_put(const struct virtio_device *d, u32 reg, u32 value)
{
	*(volatile u32 *)(d->registers + reg) = value;
}

void virtio_put64(const struct virtio_device *d, u32 reg, u64 value)
{
	virtio_put(d, reg, value);
	virtio_put(d, reg + 4, value >> 32);
}

struct virtio_device virtio_find(u32 id)
{
	struct virtio_device d = { (volatile u8 *)(DISCO_XSSEG_BASE + DISCO_DEVICE_BASE) };

	while (virtio_get(&d, VIRTIO_MAGIC) != MAGIC || virtio_get(&d, VIRTIO_DEVICE_ID) != id)
		d.registers += DISCO_DEVICE_BYTES;
	return d;
}

static u64 get_features(const struct virtio_device *d)
{
	u64 high;

	virtio_put(d, VIRTIO_FEATURES_SELECT, 1);
	high = virtio_get(d, VIRTIO_FEATURES);
	virtio_put(d, VIRTIO_FEATURES_SELECT, 0);
	return high << 32 | virtio_get(d, VIRTIO_FEATURES);
}

static void accept(const struct virtio_device *d, u64 features)
{
	virtio_put(d, VIRTIO_ACCEPTED_SELECT, 0);
	virtio_put(d, VIRTIO_ACCEPTED, features);
	virtio_put(d, VIRTIO_ACCEPTED_SELECT, 1);
	virtio_put(d, VIRTIO_ACCEPTED, features >> 32);
}

bool virtio_begin(const struct virtio_device *d, u64 features)
{
	virtio_put(d, VIRTIO_STATUS, 0);
	virtio_put(d, VIRTIO_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	accept(d, get_features(d) & (features | VERSION_1));
	virtio_put(d, VIRTIO_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
	return virtio_get(d, VIRTIO_STATUS) & VIRTIO_FEATURES_OK;
}

void virtio_set_up(const struct virtio_device *d, u32 n, volatile struct virtio_queue *q)
{
	memset((void *)q, 0, sizeof(*q));
	virtio_put(d, VIRTIO_QUEUE_SELECT, n);
	virtio_put(d, VIRTIO_QUEUE_SIZE, VIRTIO_SIZE);
	virtio_put64(d, VIRTIO_DESCRIPTORS, guest_pa(q->descriptor));
	virtio_put64(d, VIRTIO_AVAILABLE, guest_pa(&q->available));
	virtio_put64(d, VIRTIO_USED, guest_pa(&q->used));
	virtio_put(d, VIRTIO_QUEUE_READY, 1);
}

void virtio_go(const struct virtio_device *d)
{
	virtio_put(d, VIRTIO_STATUS, virtio_get(d, VIRTIO_STATUS) | VIRTIO_DRIVER_OK);
}

bool virtio_wait(const volatile struct virtio_queue *q, u16 index)
{
	u32 start = 0;

	for (u32 i = 0; q->used.index == index; i++) {
		if (i < LOOKS)
			continue;
		if (i == LOOKS)
			start = cp0_read_count();
		if (cp0_read_count() - start > PATIENCE)
			return false;
		hypercall(DISCO_HC_YIELD, 0, 0);
	}
	return true;
}

s64 virtio_request(const struct virtio_device *d, u32 n, volatile struct virtio_queue *q,
		   const volatile void *buffer, u32 bytes, u16 flags)
{
	u16 before = q->used.index;

	q->descriptor[0].address = guest_pa(buffer);
	q->descriptor[0].bytes = bytes;
	q->descriptor[0].flags = flags;
	q->available.ring[q->available.index % VIRTIO_SIZE] = 0;
	__sync_synchronize();
	q->available.index++;
	__sync_synchronize();
	virtio_put(d, VIRTIO_NOTIFY, n);
	return virtio_wait(q, before) ? (s64)q->used.ring[before % VIRTIO_SIZE].bytes : -1;
}

s64 virtio_read(const struct virtio_device *d, u32 n, volatile struct virtio_queue *q,
		volatile void *to, u32 bytes)
{
	return virtio_request(d, n, q, to, bytes, VIRTIO_WRITE);
}
