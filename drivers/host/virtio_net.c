/* SPDX-License-Identifier: MIT */
/* The queues of the machine's network device: descriptor i is buffer i, header and frame in one. */
#include <string.h>
#include "arch/mips/arch.h"
#include "drivers/host/virtio_net.h"
#include "kernel/errno.h"

#define NO_INTERRUPT 1 /* in the flags of an available ring */

/* Where what lies in the shared memory: for each queue buffers, descriptors and rings. */
#define BUFFER_BYTES (VNET_QUEUE * VNET_BUFFER)
#define DESC_BYTES   (VNET_QUEUE * sizeof(struct vring_desc))
#define AVAIL_BYTES  ROUND_UP(sizeof(struct vring_avail) + VNET_QUEUE * 2 + 2, 64ul)
#define USED_BYTES   ROUND_UP(sizeof(struct vring_used) + VNET_QUEUE * 8 + 2, 64ul)
#define QUEUE_BYTES  ROUND_UP(BUFFER_BYTES + DESC_BYTES + AVAIL_BYTES + USED_BYTES, 4096ul)

size_t vnet_bytes(void) { return VNET_QUEUES * QUEUE_BYTES; }

void vnet_init(struct vnet *v, void *memory)
{
	for (u32 q = 0; q < VNET_QUEUES; q++) {
		u8 *at = (u8 *)memory + q * QUEUE_BYTES;

		v->buffer[q] = (void *)at;
		v->ring[q].desc = (void *)(at += BUFFER_BYTES);
		v->ring[q].avail = (void *)(at += DESC_BYTES);
		v->ring[q].used = (void *)(at + AVAIL_BYTES);
	}
}

/* The buffer is the device's, with that many bytes to read or to write. */
static void make_available(struct vnet *v, u32 queue, u32 buffer, u32 bytes)
{
	struct vring *ring = &v->ring[queue];

	ring->desc[buffer] = (struct vring_desc){ ptr_maddr(v->buffer[queue][buffer]).v, bytes,
						  queue == VNET_RECEIVE ? VRING_WRITE : 0, 0 };
	ring->avail->ring[v->avail[queue] % v->size] = (u16)buffer;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the entry before the index */
	ring->avail->idx = ++v->avail[queue];
}

bool vnet_start(struct vnet *v)
{
	if (!virtio_pci_reset(&v->port))
		return false;
	for (u32 q = 0; q < VNET_QUEUES; q++) {
		v->avail[q] = v->used[q] = 0;
		v->ring[q].avail->idx = v->ring[q].used->idx = 0;
	}
	/* room is looked for when there is something to send */
	v->ring[VNET_TRANSMIT].avail->flags = NO_INTERRUPT;
	v->size = VNET_QUEUE;
	if (!virtio_pci_start(&v->port, 0, v->ring, VNET_QUEUES, &v->size))
		return false;
	v->nfree = v->size;
	for (u32 i = 0; i < v->size; i++) {
		v->free[i] = (u8)i;
		v->flying[i] = false;
		make_available(v, VNET_RECEIVE, i, VNET_BUFFER);
	}
	virtio_pci_notify(&v->port, VNET_RECEIVE);
	return true;
}

/* The next buffer that the device has returned, and what it wrote: 0: none; negative: nonsense. */
static int next_used(struct vnet *v, u32 queue, u32 *buffer, u32 *bytes)
{
	const struct vring *ring = &v->ring[queue];

	if (ring->used->idx == v->used[queue])
		return 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the index before the entry */
	*buffer = ring->used->ring[v->used[queue] % v->size].id;
	*bytes = ring->used->ring[v->used[queue] % v->size].bytes;
	v->used[queue]++;
	return *buffer < v->size ? 1 : -EINVAL;
}

int vnet_take(struct vnet *v, const u8 **frame, u32 *bytes)
{
	u32 written;
	int found = next_used(v, VNET_RECEIVE, &v->taken, &written);

	if (found <= 0)
		return found;
	if (written < VNET_HEADER || written > VNET_BUFFER)
		return -EINVAL;
	*frame = v->buffer[VNET_RECEIVE][v->taken] + VNET_HEADER;
	*bytes = written - VNET_HEADER;
	return 1;
}

void vnet_give_back(struct vnet *v)
{
	make_available(v, VNET_RECEIVE, v->taken, VNET_BUFFER);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	virtio_pci_notify(&v->port, VNET_RECEIVE);
}

/* Buffers that the device has sent are free again; one that it did not have is nobody's business. */
static void collect_sent(struct vnet *v)
{
	u32 buffer, written;

	for (int found; (found = next_used(v, VNET_TRANSMIT, &buffer, &written));)
		if (found > 0 && v->flying[buffer]) {
			v->flying[buffer] = false;
			v->free[v->nfree++] = (u8)buffer;
		}
}

int vnet_room(struct vnet *v)
{
	collect_sent(v);
	return v->nfree ? v->free[--v->nfree] : -EBUSY;
}

u8 *vnet_frame(const struct vnet *v, u32 buffer)
{
	return v->buffer[VNET_TRANSMIT][buffer] + VNET_HEADER;
}

void vnet_put(struct vnet *v, u32 buffer, u32 bytes)
{
	v->flying[buffer] = true;
	memset(v->buffer[VNET_TRANSMIT][buffer], 0, VNET_HEADER);
	make_available(v, VNET_TRANSMIT, buffer, VNET_HEADER + bytes);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	virtio_pci_notify(&v->port, VNET_TRANSMIT);
}
