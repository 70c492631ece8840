/* SPDX-License-Identifier: MIT */
/* Frames by virtio network devices. */
#include <string.h>

#include "guests/lib/cp0.h"
#include "guests/lib/guest.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/net.h"

void net_offer(struct net *n, u32 buffer)
{
	volatile struct virtio_queue *q = &n->receive;

	q->descriptor[buffer].address = guest_pa(n->buffer[buffer] + n->skip);
	q->descriptor[buffer].bytes = sizeof(n->buffer[buffer]) - n->skip;
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

void net_queue_parts(struct net *n, const struct net_part *part, u32 parts)
{
	volatile struct virtio_queue *q = &n->transmit;

	for (u32 i = 0; i < parts; i++) {
		q->descriptor[i].address = guest_pa(part[i].at);
		q->descriptor[i].bytes = part[i].bytes;
		q->descriptor[i].flags = i + 1 == parts ? 0 : VIRTIO_NEXT;
		q->descriptor[i].next = i + 1;
	}
	q->available.ring[q->available.index % VIRTIO_SIZE] = 0;
	__sync_synchronize();
	q->available.index++;
	__sync_synchronize();
	virtio_put(&n->d, VIRTIO_NOTIFY, NET_TRANSMIT);
}

void net_queue(struct net *n, const struct net_header *h, const void *frame, u32 bytes, u32 parts)
{
	struct net_part part[VIRTIO_SIZE];
	u32 total = sizeof(*h) + bytes, done = 0;

	memcpy((void *)n->out, h, sizeof(*h));
	memcpy((void *)n->out + sizeof(*h), frame, bytes);
	for (u32 i = 0; i < parts; i++, done += total / parts)
		part[i] = (struct net_part){ n->out + done,
					     i + 1 == parts ? total - done : total / parts };
	net_queue_parts(n, part, parts);
}

bool net_is_sent(const struct net *n)
{
	const volatile struct virtio_queue *q = &n->transmit;

	for (u16 used = q->used.index; used != q->available.index; used = q->used.index)
		if (!virtio_wait(q, used))
			return false;
	return true;
}

bool net_send(struct net *n, const struct net_header *h, const void *frame, u32 bytes, u32 parts)
{
	net_queue(n, h, frame, bytes, parts);
	return net_is_sent(n);
}

u32 net_receive_parts(struct net *n, struct net_part part[NET_BUFFERS], u32 ticks)
{
	volatile struct virtio_queue *q = &n->receive;
	u32 left = 1, parts = 0, start = cp0_read_count();

	while (q->used.index == n->seen) {
		if (cp0_read_count() - start > ticks)
			return 0;
		hypercall(DISCO_HC_YIELD, 0, 0); /* to who sends it */
	}
	__sync_synchronize();
	for (; left && parts < NET_BUFFERS; left--, n->seen++, parts++) {
		u32 id = q->used.ring[n->seen % VIRTIO_SIZE].id;

		part[parts].at = n->buffer[id] + n->skip;
		part[parts].bytes = q->used.ring[n->seen % VIRTIO_SIZE].bytes;
		if (!parts)
			left = ((volatile struct net_header *)part[0].at)->buffers;
	}
	return parts;
}

u32 net_buffer(const struct net *n, const struct net_part *part)
{
	return ((u64)part->at - (u64)n->buffer) / sizeof(n->buffer[0]);
}

s64 net_receive(struct net *n, struct net_header *h, void *frame, u32 ticks, bool offer)
{
	struct net_part part[NET_BUFFERS];
	u32 parts = net_receive_parts(n, part, ticks), bytes = 0;

	for (u32 i = 0; i < parts; i++) {
		u32 skip = i ? 0 : sizeof(*h);

		if (!i)
			memcpy(h, (void *)part[0].at, sizeof(*h));
		memcpy((u8 *)frame + bytes, (u8 *)part[i].at + skip, part[i].bytes - skip);
		bytes += part[i].bytes - skip;
		if (offer)
			net_offer(n, net_buffer(n, &part[i]));
	}
	return parts ? (s64)bytes : -1;
}
