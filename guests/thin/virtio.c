/* SPDX-License-Identifier: MIT */
/* virtio devices, by interrupts: what guests/lib/virtio.c, which waits in a loop, has not. */
#include "guests/thin/virtio.h"

#include "guests/lib/guest.h"
#include "guests/thin/thin.h"

#define SPIN_POLLS 256 /* what another node does at once is done by then */

const u64 platform_window = DISCO_CSSEG_BASE; /* where queues lie, as guests/lib sees it */

bool virtio_nth(u32 id, u32 n, struct virtio_device *d)
{
	for (u32 i = 0; i < tree.devices; i++) {
		d->registers = window(tree.device[i].address);
		if (virtio_get(d, VIRTIO_DEVICE_ID) == id && n-- == 0)
			return true;
	}
	return false;
}

void virtio_describe(volatile struct virtio_queue *q, u32 i, const volatile void *at, u32 bytes,
		     u16 flags, u16 next)
{
	q->descriptor[i].address = pa_of(at);
	q->descriptor[i].bytes = bytes;
	q->descriptor[i].flags = flags;
	q->descriptor[i].next = next;
}

void virtio_offer(volatile struct virtio_queue *q, u16 first)
{
	q->available.ring[q->available.index % VIRTIO_SIZE] = first;
	barrier_sync();
	q->available.index++;
}

void virtio_notify(const struct virtio_device *d, u32 n)
{
	barrier_sync();
	virtio_put(d, VIRTIO_NOTIFY, n);
}

void virtio_sleep(volatile struct virtio_queue *q, u16 seen, volatile u32 *rings)
{
	for (u32 i = 0; i < SPIN_POLLS && q->used.index == seen; i++)
		if (i % 16 == 15)
			spin_pause();
	while (q->used.index == seen) {
		u32 before = *rings;

		q->available.flags = 0;
		barrier_sync();
		if (q->used.index == seen)
			futex_wait_outside(rings, before, THIN_FOREVER);
		q->available.flags = VIRTIO_NO_INTERRUPT;
	}
	barrier_sync();
}

void virtio_interrupt(const struct virtio_device *d, volatile u32 *rings)
{
	u32 status = virtio_get(d, VIRTIO_INTERRUPT_STATUS);

	if (!status)
		return;
	virtio_put(d, VIRTIO_INTERRUPT_ACK, status);
	__atomic_fetch_add(rings, 1, __ATOMIC_RELEASE);
	futex_wake(rings, ~0u);
}
