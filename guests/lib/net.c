/* SPDX-License-Identifier: MIT */
/* Frames by virtio network devices. */
#include <string.h>

#include "guests/lib/cp0.h"
#include "guests/lib/guest.h"
#include "guests/lib/net.h"

#define PATIENCE 10000000

void net_offer(struct net *n, u32 buffer)
{
	volatile struct virtio_queue *q = &n->receive;

	q->descriptor[buffer].address = guest_pa(n->buffer[buffer]);
	q->descriptor[buffer].bytes = sizeof(n->buffer[buffer]);
	q->descriptor[buffer].flags = VIRTIO_WRITE;
	q->available.ring[q->available.index % VIRTIO_SIZE] = buffer;
	__sync_synchronize();
	q->available.index++;
}

bool net_begin(struct net *n, u64 features)
{
	n->d = virtio_find(NET_ID);
	if (!virtio_begin(&n->d, features | NET_MERGEABLE))
		return false;
	for (u32 i = 0; i < NET_ADDRESS; i++)
		n->address[i] = n->d.registers[VIRTIO_CONFIG + i];
	n->mtu = *(volatile u16 *)(n->d.registers + VIRTIO_CONFIG + 10);
	virtio_set_up(&n->d, NET_RECEIVE, &n->receive);
	virtio_set_up(&n->d, NET_TRANSMIT, &n->transmit);
	n->seen = 0;
	for (u32 i = 0; i < NET_BUFFERS; i++)
		net_offer(n, i);
	virtio_go(&n->d);
	return true;
}

void net_queue(struct net *n, const struct net_header *h, const void *frame, u32 bytes, u32 parts)
{
	volatile struct virtio_queue *q = &n->transmit;
	u32 total = sizeof(*h) + bytes, done = 0;

	memcpy((void *)n->out, h, sizeof(*h));
	memcpy((void *)n->out + sizeof(*h), frame, bytes);
	for (u32 i = 0; i < parts; i++) {
		u32 part = i + 1 == parts ? total - done : total / parts;

		q->descriptor[i].address = guest_pa(n->out + done);
		q->descriptor[i].bytes = part;
		q->descriptor[i].flags = i + 1 == parts ? 0 : VIRTIO_NEXT;
		q->descriptor[i].next = i + 1;
		done += part;
	}
	q->available.ring[q->available.index % VIRTIO_SIZE] = 0;
	__sync_synchronize();
	q->available.index++;
	__sync_synchronize();
	virtio_put(&n->d, VIRTIO_NOTIFY, NET_TRANSMIT);
}

bool net_send(struct net *n, const struct net_header *h, const void *frame, u32 bytes, u32 parts)
{
	volatile struct virtio_queue *q = &n->transmit;
	u16 before = q->used.index;

	net_queue(n, h, frame, bytes, parts);
	for (u32 i = 0; i < PATIENCE; i++)
		if (q->used.index != before)
			return true;
	return false;
}

s64 net_receive(struct net *n, struct net_header *h, void *frame, u32 ticks, bool offer)
{
	volatile struct virtio_queue *q = &n->receive;
	u32 left = 1, bytes = 0, start = cp0_read_count();

	while (q->used.index == n->seen)
		if (cp0_read_count() - start > ticks)
			return -1;
	__sync_synchronize();
	for (bool first = true; left; left--, first = false, n->seen++) {
		u32 id = q->used.ring[n->seen % VIRTIO_SIZE].id;
		u32 got = q->used.ring[n->seen % VIRTIO_SIZE].bytes;
		const u8 *from = (const u8 *)n->buffer[id];

		if (first) {
			memcpy(h, from, sizeof(*h));
			left = h->buffers;
			from += sizeof(*h);
			got -= sizeof(*h);
		}
		memcpy((u8 *)frame + bytes, from, got);
		bytes += got;
		if (offer)
			net_offer(n, id);
	}
	return bytes;
}
