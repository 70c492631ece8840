/* SPDX-License-Identifier: MIT */
/*
 * Subnets: a switch for the network ports of VMs. Ports that name one subnet see each other. Nothing is
 * learnt: the monitor knows whose address is whose. Not here: how a guest's queues are driven
 * (drivers/virtio/net.c), which calls port_send and is called by way of struct port.
 *
 * A frame on its way. It stays in the sender's buffers until everybody has it: the monitor keeps nothing of
 * it but its header and where it lies. Nothing waits for a receiver. A whole page of the sender's memory in a frame
 * for one port becomes the receiver's, too (kernel/mem/pass.h), if a whole page of a receive buffer is free for it;
 * all else is copied. Both are as the page was at one moment between queued and sent, and the receiver's
 * stays so, whatever the sender writes afterwards.
 *
 *   state     where                         what holds it                      becomes
 *   queued    the sender's transmit queue   the guest's available ring         taken: home of the sender, one at a time
 *   taken     the sender's buffers          struct port's frame: home alone    sent to port after port (`next`), a
 *                                                                              bounded number of bytes at a time
 *   sent      the same                      nobody                             back to the sender, if its driver is
 *                                                                              still the one that queued it
 *   dropped   the same                      nobody; counted                    the same: the sender is not told
 *
 * A buffer of a receiver:
 *
 *   available   the guest's available ring                    taken: a sender's home, under the receiver's lock
 *   taken       being filled: the receiver's lock is held     used, all buffers of a frame at once; available
 *               for all pages that are passed, then for one   again, by who took it and before the lock is given
 *               page's bytes at a time, given up in between   up, if there are too few for the whole frame;
 *                                                             forgotten, if the receiver is reset in between
 *   used        the guest's used ring; pages in it may be     available, by the guest: the next frame's pages or bytes
 *               shared with the sender's                      take their place, which the sender does not notice
 *
 * Who ends in the middle:
 *
 *   the sender is reset or ends       its home drops the frame; a reset waits while home is at a part of it, so that
 *                                     nobody gets what is written there afterwards, and then the frame goes back to
 *                                     nobody; its memory stays until its home has seen the end (device.h)
 *   the receiver is reset or ends     by the same lock: before a piece of the frame, which is then dropped with what
 *                                     is left of it, or behind the last; pages that it got already are as all of its memory
 *   the receiver does not run, or     it has no buffers: each frame for it is dropped and counted, for the
 *   does not look                     sender as `no buffer`; nobody waits
 *
 * Locks: a port's receiving side is under its device's lock (RANK_DEVICE), which a sender takes one at a
 * time and holds none of its own meanwhile but that of its work (RANK_WORK). To pass a frame's pages is RANK_PMAP and up, and two shootdowns for
 * those of a MB with the receiver's lock held: a node that waits for that lock answers them (kernel/lock.h), and no
 * flush takes a lock, so that nobody waits for the sender who waits for him. The list of ports is fixed after boot.
 */
#ifndef DRIVERS_SUBNET_SUBNET_H
#define DRIVERS_SUBNET_SUBNET_H

#include "drivers/dma.h"
#include "drivers/subnet/habit.h"
#include "kernel/vm/vmdesc.h"

struct vm;
struct port;

#define FRAME_HEADER 14 /* bytes: destination, source, protocol */
#define FRAME_PART   2048
#define FRAME_HEAD   256 /* bytes that are copied by way of a part at a time: small frames whole */
#define PORTS_MAX    (VMDESC_MAX_VMS * VMDESC_NETS_MAX + 1)

/* Why a frame was dropped, or part of one; and what went well. The sender's home and receivers' senders count, in a line each. */
enum port_count {
	PORT_SENT, /* frames that somebody got */
	PORT_SENT_BYTES,
	PORT_SENT_PASSED, /* of the bytes, those of whole pages that were passed; the others were copied */
	/* drops of the sender, one for each port that should have got the frame */
	PORT_BAD,	/* shorter than its header, or its checksum's place outside of it */
	PORT_TOO_LONG,	/* for the MTU of the sender or of the receiver */
	PORT_FALSE,	/* from an address that is not the port's */
	PORT_NOBODY,	/* to an address that nobody has, or whose guest has no driver now */
	PORT_NO_BUFFER, /* the receiver had too few */
	PORT_SHARE,	/* the receiver's last ones are for others, who have had less (fair.h) */
	/* under the receiver's lock */
	PORT_RECEIVED = LINE_BYTES / sizeof(u64),
	PORT_RECEIVED_BYTES,
	PORT_RECEIVED_PASSED,
	PORT_COUNTS
};

/* A whole page of the sender's that is bytes [at, at + PAGE_SIZE) of a frame. */
struct frame_page {
	u32 at;
	gpn_t gpn;
};

#define FRAME_PAGES ((VMDESC_MTU_MAX + FRAME_HEADER) / PAGE_SIZE)

/* Where bytes of a frame were found last: its range, and the bytes of those before. */
struct frame_place {
	u32 range;
	u64 before;
};

struct net_delivery; /* drivers/virtio/net.h */

/*
 * A frame in the sender's memory. Its first bytes are read once, and everybody gets what was read. A frame of
 * the uplink lies in the monitor's memory instead, at own, from where it is copied once for each receiver: it has
 * no vm, no ranges, no part and no checksum to put.
 */
struct frame {
	const u8 *own;
	struct vm *vm;
	const struct dma_range *range; /* valid */
	u32 nranges;
	struct frame_place *place; /* home's alone; zeroes at first */
	u32 sender;		   /* its port's index, from port_send */
	u64 skip;		   /* bytes of the ranges before the frame */
	u32 bytes;		   /* FRAME_HEADER or more */
	u8 header[FRAME_HEADER];
	u8 *part; /* FRAME_PART bytes for copies out of a guest's memory, home's alone */
	/* the Internet checksum of [checksum_start, bytes) is to be put at checksum_at, 2 bytes */
	bool checksum;
	u32 checksum_start, checksum_at;
	/* what may be passed, in order: nothing of it is looked at but by who gets it */
	u32 npages;
	struct frame_page page[FRAME_PAGES];
	struct net_delivery *delivery; /* for the receiver that it is on its way to: home's alone */
	/* of the last receiver: bytes of these pages that it got so; pieces that the frame was for it */
	const u32 *passed, *pieces;
};

/* What came of a frame at one receiver: what the sender counts. */
enum port_count;

struct port {
	/* fixed after boot */
	const struct net_desc *desc;
	struct vm *vm; /* NULL: the uplink */
	u32 index;     /* among all ports, from 0; by port_add */
	/*
	 * The frame goes to the guest: PORT_SENT, or why not. On the sender's home, no device's lock
	 * held.
	 */
	enum port_count (*receive)(struct port *to, const struct frame *frame);
	/* home of the port's VM alone, node 0 for the uplink */
	u32 next __attribute__((
		aligned(LINE_BYTES))); /* port to which the frame under way goes next */
	bool tried, got;	       /* the frame under way was for somebody; who has got it */
	u32 passed;		       /* bytes of it that were passed */
	struct habit habit;
	/* the sender's by its home, the receiver's under the device's lock; anybody reads them */
	u64 count[PORT_COUNTS] __attribute__((aligned(LINE_BYTES)));
};

/* The port is on its subnet from now on; boot only. desc, vm and receive are filled in. */
void port_add(struct port *port);
struct port *port_number(u32 n); /* NULL: there are fewer */
/* The labels of the VMs on the port's subnet, by number, each ended by a 0: bytes, at most NAMES_BYTES. */
#define NAMES_BYTES (VMDESC_MAX_VMS * sizeof(((struct vm_desc *)0)->label))
u32 port_names(const struct port *port, char names[NAMES_BYTES]);

/*
 * A part of sending the frame: to ports from port->next on (0: a frame is new, and looked at first), for
 * budget bytes, of which what was used is taken away. True: it is done. On home.
 */
bool port_send(struct port *port, struct frame *frame, u32 *budget);

/* ---- transfer.c: the bytes of frames ---- */

/* Bytes [at, at + bytes) of a guest's frame; within it. */
void frame_read(const struct frame *frame, u32 at, void *to, u32 bytes);
/* Finds the pages that are to be passed: whole ones, without what receivers get another way, by the sender's habit. */
void frame_find_pages(struct frame *frame, struct habit *habit);
/* The checksum that belongs at checksum_at: two bytes. */
void frame_sum(const struct frame *frame, u8 sum[2]);
/*
 * Bytes of a receiver's buffer, of which so many more are there behind gpa: a page that is all of the buffer's has nothing that its guest
 * wants to keep (virtio 1.2, 2.7.8: the driver makes no assumptions about what is behind the bytes that were used).
 */
struct frame_target {
	struct vm *vm;
	u64 gpa;
	u32 room;
};
void frame_put(const struct frame_target *to, const void *from, u32 bytes); /* within a page */
/* Bytes [at, at + bytes) of the frame, with sum as frame_copy, up to FRAME_HEAD of them. */
void frame_take(const struct frame *frame, u32 at, void *to, u32 bytes, const u8 *sum);
/*
 * Copies bytes [at, at + bytes) of the frame to a valid range of a receiver's memory. sum: what stands at
 * checksum_at instead; NULL: what the frame has there.
 */
void frame_copy(const struct frame *frame, u32 at, u32 bytes, struct frame_target to,
		const u8 *sum);

#endif /* DRIVERS_SUBNET_SUBNET_H */
