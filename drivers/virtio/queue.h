/* SPDX-License-Identifier: MIT */
/*
 * A split virtqueue as its device sees it (virtio 1.2, section 2.7). All of it but this struct lies in
 * guest memory, where a hostile guest writes what it likes whenever it likes: every index, address and
 * length is read once, then checked, and only the copy is used.
 *
 *   state   the guest                                 becomes  by
 *   OFF     writes size and addresses                 READY    vqueue_start: they are right
 *                                                     BROKEN   vqueue_start: they are not
 *   READY   makes buffers available                   BROKEN   any function that finds what cannot be
 *                                                     OFF      vqueue_reset
 *   BROKEN  nothing is read or written any more       OFF      vqueue_reset
 *
 * Locks: the device's; one caller at a time.
 */
#ifndef DRIVERS_VIRTIO_QUEUE_H
#define DRIVERS_VIRTIO_QUEUE_H

#include "drivers/dma.h"
#include "kernel/types.h"

#define VQUEUE_SIZE_MAX	  128
#define VQUEUE_RANGES_MAX 258 /* 256 of data, a header and a status byte */

#define VQUEUE_HEADS 16 /* read at a time, as many as there are */
#define VQUEUE_AHEAD \
	32 /* descriptors that are read with them, on a node whose view does not show the table */

enum vqueue_state { VQUEUE_OFF, VQUEUE_READY, VQUEUE_BROKEN };

struct vqueue_descriptor {
	u64 address;
	u32 bytes;
	u16 flags, next;
};

struct vqueue {
	struct vm *vm; /* fixed after boot */
	enum vqueue_state state;
	/* the guest's, changed while OFF only */
	u32 size; /* descriptors: a power of two up to VQUEUE_SIZE_MAX */
	u64 descriptors, available, used;
	bool event_index; /* VIRTIO_F_EVENT_IDX was negotiated */
	bool indirect;	  /* VIRTIO_F_INDIRECT_DESC was */
	/* the device's */
	u16 next_available; /* entry of the available ring */
	u16 waiting;	    /* chains from there on, as far as was looked */
	u16 next_used;
	u16 heads_from, nheads; /* entries of the available ring that were read already */
	u16 head[VQUEUE_HEADS];
	u16 ahead_from,
		nahead; /* descriptors of the table, theirs among them, that were read with the heads; or none */
	struct vqueue_descriptor ahead[VQUEUE_AHEAD];
	u16 told; /* next_used when the guest was last asked whether it wants an interrupt */
	const char *error; /* BROKEN: what was found, for the log */
	struct dma_spot table_spot, indirect_spot, available_spot, used_spot;
} __attribute__((aligned(LINE_BYTES))); /* those of one device are in different hands */

/* What the guest made available as one chain: ranges that the device reads, then those it writes. */
struct vqueue_chain {
	u16 head;
	u32 nread, nwritten;
	u64 read_bytes, written_bytes;
	struct dma_range range[VQUEUE_RANGES_MAX]; /* all dma_valid */
};

void vqueue_reset(struct vqueue *q); /* OFF, as after power on */
/* READY: true; BROKEN: false. */
bool vqueue_start(struct vqueue *q);

/*
 * The next chain. 1: it is in *chain, 0: there is none, -EINVAL: the queue is BROKEN. Takes at most as
 * many descriptors as the chain may have ranges.
 */
int vqueue_next(struct vqueue *q, struct vqueue_chain *chain);
/*
 * What almost every read of a disk is: an indirect table of three, a header that the device reads, a whole aligned page
 * and a byte of status that it writes.
 */
#define VQUEUE_HEADER 16 /* bytes */
struct vqueue_page {
	u64 header, page, status; /* gpa; all dma_valid */
	u16 head;
};
/*
 * Whether the next chain is one of these, made of descriptors that this node's view shows. It is not taken yet: that
 * is vqueue_took_page. False: nothing is known, not even that anything is wrong, and vqueue_next says what there is.
 */
bool vqueue_sees_page(struct vqueue *q, struct vqueue_page *c);
static inline void vqueue_took_page(struct vqueue *q)
{
	q->next_available++;
	q->waiting--;
}
/* Chains are left of those that were seen: the next one is there without another look at the ring. */
static inline bool vqueue_has_seen_more(const struct vqueue *q) { return q->waiting; }
/*
 * The guest is to notify from now on of chains behind those that were taken. True: more are there
 * already, which it need not tell of.
 */
bool vqueue_ask_to_notify(struct vqueue *q);
u32 vqueue_available(struct vqueue *q); /* how many chains there are now, as the guest says */
/* The last n chains that were taken are available again, as if nobody had looked. */
void vqueue_put_back(struct vqueue *q, u32 n);
/* The chain goes back, bytes of it written. False: the queue is BROKEN. */
bool vqueue_give_back(struct vqueue *q, u16 head, u32 bytes);
/* The same for n chains, which the guest sees all at once; at most the queue's size. */
struct vqueue_used {
	u32 head, bytes; /* as the specification lays them out */
};
bool vqueue_give_back_all(struct vqueue *q, const struct vqueue_used *used, u32 n);
/* Does the guest want an interrupt for what was given back since the last time? */
bool vqueue_wants_interrupt(struct vqueue *q);

#endif /* DRIVERS_VIRTIO_QUEUE_H */
