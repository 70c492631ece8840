/* SPDX-License-Identifier: MIT */
/* What a network device is, for net.c and net_receive.c alone; drivers/subnet/subnet.h is for the others. */
#ifndef DRIVERS_VIRTIO_NET_H
#define DRIVERS_VIRTIO_NET_H

#include "drivers/subnet/subnet.h"
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

struct net {
	struct virtio virtio; /* the first field: drivers/virtio/mmio.h */
	struct port port;
	u32 epoch; /* resets of the device; under its lock */
	/* home alone: the frame under way */
	bool sending;
	u32 begun; /* the epoch that it is of */
	struct frame frame;
	struct vqueue_chain out;
	u8 part[FRAME_PART];
	/* a frame that comes, under the device's lock: where its header goes, and the buffers that it takes */
	struct dma_range header[sizeof(struct net_header)];
	u32 nheader;
	struct vqueue_used used[NET_BUFFERS_MAX];
	/* for the device tree: the labels of the VMs on the subnet, and its number */
	char names[NAMES_BYTES];
	u8 cell[4]; /* the most significant byte first */
};

/* struct port's function of that name (net_receive.c). */
enum port_count net_receive(struct port *to, const struct frame *f);

#endif /* DRIVERS_VIRTIO_NET_H */
