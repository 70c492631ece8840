/* SPDX-License-Identifier: MIT */
/*
 * What a network device is, for net.c and net_receive.c, and what a frame on its way to one needs, for the
 * uplink. drivers/subnet/subnet.h is for all others.
 */
#ifndef DRIVERS_VIRTIO_NET_H
#define DRIVERS_VIRTIO_NET_H

#include "drivers/subnet/fair.h"
#include "drivers/virtio/mmio.h"

#define NET_F_CSUM	 BIT(0)
#define NET_F_GUEST_CSUM BIT(1)
#define NET_F_MTU	 BIT(3)
#define NET_F_MAC	 BIT(5)
#define NET_F_MERGEABLE	 BIT(15)
#define NET_F_STATUS	 BIT(16)

#define NET_BUFFERS_MAX 64 /* for one frame: Linux has 44 of the smallest for the longest */

enum { NET_RECEIVE, NET_TRANSMIT, NET_QUEUES };

/* Before each frame, in both directions; the layout is the specification's. */
struct net_header {
	u8 flags, gso_type;
	u16 header_bytes, gso_bytes, checksum_start, checksum_offset, buffers;
};

#define NET_NEEDS_CSUM 1 /* flags */
#define NET_CHECKSUM   2 /* bytes */

_Static_assert(sizeof(struct net_header) == 12, "the layout is the specification's");

/* Some bytes of what a receiver gets, header and frame, in one of its buffers. */
struct net_piece {
	u64 gpa; /* where they go: a valid range */
	u32 at, bytes;
	u32 room;		       /* bytes of the buffer's range from gpa on */
	const struct frame_page *page; /* they are that page, and gpa is one; or NULL */
};

/*
 * A frame on its way to one receiver: in the sender's hands, of its home alone. The buffers are those of the
 * receiver's epoch of that queue.
 */
#define NET_PIECES_MAX 320
_Static_assert(NET_PIECES_MAX > VQUEUE_RANGES_MAX + sizeof(struct net_header),
	       "one buffer of as many ranges as there may be");

struct net_delivery {
	u32 npieces, nbuffers;
	struct net_piece piece[NET_PIECES_MAX];
	struct vqueue_used used[NET_BUFFERS_MAX];
	struct net_header header;
	u8 head[sizeof(struct net_header) + FRAME_HEAD]; /* what begins with the header */
	bool has_sum;
	u8 sum[NET_CHECKSUM]; /* if has_sum: what stands at the frame's checksum_at */
	u32 passed;	      /* bytes */
};

struct net {
	struct virtio virtio; /* the first field: drivers/virtio/mmio.h */
	struct port port;
	u32 epoch[NET_QUEUES]; /* how often each was taken away; under the device's lock */
	/* home alone: the frame under way */
	bool sending;
	u32 begun; /* the epoch of its queue that it is of */
	struct frame frame;
	struct frame_place place;
	struct vqueue_chain out;
	u8 part[FRAME_PART];
	struct net_delivery delivery;
	/* a frame that comes, under the device's lock: a buffer that may be too early to be filled */
	struct vqueue_chain ahead;
	struct fair fair; /* its buffers; the same lock */
	/* for the device tree: the labels of the VMs on the subnet, and its number */
	char names[NAMES_BYTES];
	u8 cell[4]; /* the most significant byte first */
};

/* struct port's function of that name (net_receive.c). */
enum port_count net_receive(struct port *to, const struct frame *f);

#endif /* DRIVERS_VIRTIO_NET_H */
