/* SPDX-License-Identifier: MIT */
/*
 * Accounts of processor time: who has had how much, and who is next. Pure: times are passed in, in
 * Count ticks; nothing here knows a processor, a VM or a VCPU.
 *
 * A node shares itself out twice: among the VMs that have VCPUs there, and what a VM gets among its
 * VCPUs there. Each VM has an account on the node, each VCPU one within its VM; a *queue* is a set
 * of accounts among which one choice is made. An account's virtual time is the time that was charged
 * to it, divided by its weight; whoever has the least is next. So nothing is gained by when one
 * starts or stops, only by having had less:
 *
 *   what happens                   what follows
 *   it runs, whoever's slice       its virtual time grows by exactly that time, by its weight
 *   it sleeps and wakes            its virtual time is raised to the queue's floor less
 *                                  ACCOUNT_CREDIT: it may come first, and has that much to spend
 *   it leaves before its slice     it has paid for what it used; nothing is kept for it beyond
 *     is over, or gives way        ACCOUNT_CREDIT, since the floor goes on without it
 *   its slice is over              it goes on only if it is behind by more than ACCOUNT_SLICE_OVER
 *   another wakes meanwhile        it goes on unless it is ahead by more than ACCOUNT_GRAIN
 *   it gives way                   it is taken only if nobody else wants to run; and again soon (direct.h)
 *   it has used up its cap         it is not taken until its use is within the cap again
 *
 * The floor of a queue is the least virtual time of those that were in its last choice, and never
 * falls. Hence, for accounts of equal weight that want to run all the time: at no time has one had
 * more than ACCOUNT_CREDIT + ACCOUNT_SLICE_OVER + two slices more than another, since they began.
 */
#ifndef KERNEL_SCHED_ACCOUNT_H
#define KERNEL_SCHED_ACCOUNT_H

#include "kernel/types.h"

#define ACCOUNT_TICKS_MS 166666 /* Count ticks in a millisecond; that it is so: sched.c */

#define ACCOUNT_CREDIT	   (5 * ACCOUNT_TICKS_MS)
#define ACCOUNT_SLICE_OVER (5 * ACCOUNT_TICKS_MS)
#define ACCOUNT_GRAIN	   (1 * ACCOUNT_TICKS_MS)
/* A cap is held over time: it may be passed for so long, and so much is made up for. Slices end with ticks, not when a cap would have it. */
#define ACCOUNT_CAP_AHEAD (5 * ACCOUNT_TICKS_MS)

#define ACCOUNT_WEIGHT	   1024 /* of an account that is worth as much as most */
#define ACCOUNT_WEIGHT_MIN 1
#define ACCOUNT_WEIGHT_MAX 65536

struct account {
	u64 virtual_time;
	u64 within_cap; /* the time from which on its use so far is within its cap */
	u32 weight;	/* ACCOUNT_WEIGHT_MIN .. _MAX */
	u32 cap;	/* percent of the processor that it may use at most; 0: all of it */
};

struct account_queue {
	u64 floor;
	u64 patience; /* one that is behind the floor by more keeps so much of that; 0: ACCOUNT_CREDIT */
};

/*
 * One that leaves a queue for another takes along what it is ahead of those there, or behind, within
 * ACCOUNT_CREDIT + ACCOUNT_SLICE_OVER: so it neither gains by that nor pays twice. Between the two its
 * virtual time is that lead, plus ACCOUNT_CARRY.
 */
#define ACCOUNT_CARRY (ACCOUNT_CREDIT + ACCOUNT_SLICE_OVER)
void account_part(struct account *a, const struct account_queue *from);
void account_join(struct account *a, const struct account_queue *to);

#define ACCOUNT_INIT                      \
	{                                 \
		.weight = ACCOUNT_WEIGHT, \
	}

/* It has used the processor for ticks, until now. */
void account_charge(struct account *a, u64 ticks, u64 now);
bool account_within_cap(const struct account *a, u64 now);

/* What is to be said about an account that is offered to a choice. */
enum account_role {
	ACCOUNT_OTHER,	     /* it has not run just now, or has come to wait meanwhile */
	ACCOUNT_SLICE_ENDS,  /* it has run until its slice was over */
	ACCOUNT_INTERRUPTED, /* it has run, and somebody else has become able to */
	ACCOUNT_GIVES_WAY,   /* it has run, and lets the others go first */
};

/* One choice among the accounts of a queue. */
struct account_choice {
	struct account_queue *queue;
	struct account *best; /* NULL: none was offered */
	s64 best_lead;	      /* of the best, ahead of the floor */
	u64 least;	      /* virtual time of those offered that do not give way */
	bool gives_way;	      /* the best does */
};

struct account_choice account_choose(struct account_queue *q);
/* This one wants to run. True: it is the best so far; of equals, the first that was offered. */
bool account_offer(struct account_choice *c, struct account *a, enum account_role role);
/* It has slept, and wants to run again: where patience is more than ACCOUNT_CREDIT, it has no more than that either. */
void account_wake(const struct account_queue *q, struct account *a);
/* All have been offered: the floor follows. */
void account_chosen(const struct account_choice *c);

#endif /* KERNEL_SCHED_ACCOUNT_H */
