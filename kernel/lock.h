/* SPDX-License-Identifier: MIT */
/*
 * Spin locks. A spinning processor lets the others run (arch_yield) and answers shootdowns, so that
 * who holds the lock may wait for one. Interrupts are never taken inside the monitor, so there is
 * no irq-saving variant. A lock may not be held across guest_enter (checked); LL/SC inside a lock breaks a
 * guest's reservation, so trap paths that emulate one instruction take none.
 */
#ifndef KERNEL_LOCK_H
#define KERNEL_LOCK_H

#include "kernel/node.h"

/*
 * THE lock order: a processor may only take a lock of higher rank than any it holds. Checked at
 * every lock_take.
 */
enum lock_rank {
	RANK_VM = 1,	/* one VM's life: start, stop, teardown */
	RANK_WORK,	/* a device's work on a guest's memory, which a reset waits for */
	RANK_DEVICE,	/* a device of a VM */
	RANK_CACHE,	/* blocks of disks in memory, and their transfers */
	RANK_ALIKE,	/* which blocks several disks have alike */
	RANK_PMAP,	/* a range of one VM's pages: giving, moving, sharing them */
	RANK_SHARE,	/* shared pages: who holds and uses them */
	RANK_NODEMEM,	/* one node's free pages */
	RANK_SEED,	/* the key that guests' seeds are drawn from */
	RANK_CLOCK,	/* the time of day and the chip that it is read from */
	RANK_HOST_DISK, /* one disk of the machine: its queue and requests */
	RANK_UPLINK,	/* what the machine's network device is to send */
	RANK_CONSOLE,	/* the serial line and the rings of guest output */
	RANKS
};

/* Tickets: in the order of asking, so that a guest that floods the console cannot keep it. */
struct lock {
	u32 next;    /* ticket of who asks next */
	u32 serving; /* ticket of who has it */
	u32 rank;
	u32 unread;		/* line_take */
} __attribute__((aligned(16))); /* in one line */

#define LOCK_INIT(r)        \
	{                   \
		.rank = (r) \
	}

void lock_take(struct lock *l);
void lock_release(struct lock *l);
void lock_assert(const struct lock *l); /* who calls this holds it, or it is a panic */
/* After a fatal error: take it if it can be had soon, never wait for good. False: go on without. */
bool lock_take_impatient(struct lock *l);

_Noreturn void lock_left_held(const struct node *n);

/* This node holds no lock: it is about to enter a guest. On the way of every trap, so it is short. */
static inline void lock_assert_none(const struct node *n)
{
	if (n->lock_depth)
		lock_left_held(n);
}

#endif /* KERNEL_LOCK_H */
