/* SPDX-License-Identifier: MIT */
/*
 * A small driver of virtio network devices (virtio 1.2, section 5.1): frames one at a time, receive buffers of
 * a page, no interrupts.
 */
#ifndef GUESTS_LIB_NET_H
#define GUESTS_LIB_NET_H

#include "guests/lib/virtio.h"

#define NET_ID	       1
#define NET_CSUM       BIT(0)
#define NET_GUEST_CSUM BIT(1)
#define NET_MERGEABLE  BIT(15)
#define NET_NEEDS_CSUM 1
#define NET_ADDRESS    6
#define NET_HEADER     14 /* bytes of a frame: destination, source, protocol */
#define NET_FRAME_MAX  16384
#define NET_BUFFERS    VIRTIO_SIZE

enum { NET_RECEIVE, NET_TRANSMIT };

struct net_header {
	u8 flags, gso_type;
	u16 header_bytes, gso_bytes, checksum_start, checksum_offset, buffers;
};

struct net {
	struct virtio_device d;
	struct virtio_queue receive, transmit;
	u16 seen; /* of the used receive buffers */
	u32 skip; /* bytes at the beginning of each receive buffer that are not offered; 0 until somebody says so */
	u8 address[NET_ADDRESS];
	u16 mtu;
	volatile u8 buffer[NET_BUFFERS][4096] __attribute__((aligned(4096)));
	volatile u8 out[sizeof(struct net_header) + NET_FRAME_MAX];
};

/* Resets the device, negotiates MRG_RXBUF and those features, and offers all buffers. False: it refuses. */
bool net_begin(struct net *n, u64 features);
void net_offer(struct net *n, u32 buffer); /* one receive buffer, of a page */
/* Queues header and frame, parted into so many descriptors (1..VIRTIO_SIZE), and notifies. */
void net_queue(struct net *n, const struct net_header *h, const void *frame, u32 bytes, u32 parts);
/* Bytes of a frame, where they are: whole pages are passed to who gets them (docs/guest-abi.md). */
struct net_part {
	volatile void *at;
	u32 bytes;
};
/* The same of a header and a frame in so many parts, which stay as they are until the device has given them back. */
void net_queue_parts(struct net *n, const struct net_part *part, u32 parts);
/* Until it has given back all; false: it does not. */
bool net_is_sent(const struct net *n);
/* Queues and waits. */
bool net_send(struct net *n, const struct net_header *h, const void *frame, u32 bytes, u32 parts);
/*
 * The buffers of the next frame, each with the bytes that it got, the first of them with the header; how many, 0: none
 * comes within so many ticks of Count. They are the caller's until net_offer(net_buffer()).
 */
u32 net_receive_parts(struct net *n, struct net_part part[NET_BUFFERS], u32 ticks);
u32 net_buffer(const struct net *n, const struct net_part *part); /* its number */
/*
 * The next frame, if it comes within so many ticks of Count: its bytes; -1: none. Its buffers are offered again if
 * `offer`.
 */
s64 net_receive(struct net *n, struct net_header *h, void *frame, u32 ticks, bool offer);

#endif /* GUESTS_LIB_NET_H */
