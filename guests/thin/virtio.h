/* SPDX-License-Identifier: MIT */
/*
 * The VM's virtio devices as the device tree names them. Registers, negotiation and the form of queues are guests/lib's; a queue here has
 * as many descriptors as the monitor takes.
 */
#ifndef GUESTS_THIN_VIRTIO_H
#define GUESTS_THIN_VIRTIO_H

#include "guests/lib/virtio.h"

#define VIRTIO_NO_INTERRUPT 1 /* in available.flags: used buffers need none */

/* The n-th device with that id; false: there are fewer. */
bool virtio_nth(u32 id, u32 n, struct virtio_device *d);
/* A buffer of the program's, wherever it lies, as descriptor i. */
void virtio_describe(volatile struct virtio_queue *q, u32 i, const volatile void *at, u32 bytes,
		     u16 flags, u16 next);
/* Gives the device the chain that begins with descriptor `first`; virtio_notify() tells it. */
void virtio_offer(volatile struct virtio_queue *q, u16 first);
void virtio_notify(const struct virtio_device *d, u32 n);

/* Waits for the device to have used more than `seen` buffers of q; *ring counts the interrupts of its line (sched_on_line()). */
void virtio_sleep(volatile struct virtio_queue *q, u16 seen, volatile u32 *rings);
/* The handler of a line: lets the device have it back, counts *rings on and wakes who waits. */
void virtio_interrupt(const struct virtio_device *d, volatile u32 *rings);

#endif /* GUESTS_THIN_VIRTIO_H */
