/* SPDX-License-Identifier: MIT */
/*
 * Which node fetches a VCPU from which, so that each VM has of the machine what its weight says, wherever its VCPUs are, and no processor is
 * free while somebody waits for another. Pure: what a node knows is passed in.
 *
 * Each node publishes its load: who wants its processor, what they weigh, and what their VMs have had of the machine so far (virtual
 * time, account.h). It looks at few others, however many the machine has:
 *
 *   when                               it looks at
 *   it idles, at most each ms          the SPREAD_NEAR nearest nodes, nearest first, and SPREAD_FAR of all
 *   each tick                          SPREAD_FAR of all
 *
 * Those of all are drawn anew each time, so that each node is looked at by all in time. A node asks the first that it finds
 *
 *   that has a VCPU waiting, if it idles itself;
 *   that weighs so much more that both are as far apart as before or nearer, after the move of a VCPU;
 *   that weighs no less, and has a VCPU waiting whose VM is SPREAD_LAG behind all of the node's own: those of the heavier node have
 *   less of it, so they take turns on the lighter ones.
 *
 * Who is asked gives away the one that is furthest behind, waits for the processor, may be anywhere, and has been there for
 * SPREAD_STAY_MS. A floor that is SPREAD_FORGET behind another's follows it: what happened between nodes longer ago is forgotten.
 */
#ifndef KERNEL_SCHED_SPREAD_H
#define KERNEL_SCHED_SPREAD_H

#include "kernel/sched/account.h"
#include "kernel/types.h"

#define SPREAD_NEAR    4
#define SPREAD_FAR     2
#define SPREAD_MORE    2
#define SPREAD_STAY_MS 50
#define SPREAD_LAG     (20 * ACCOUNT_TICKS_MS)
#define SPREAD_FORGET  (1000 * ACCOUNT_TICKS_MS)

struct spread_load {
	u32 wanting; /* VCPUs that want the processor, who has it among them */
	u32 movable; /* of these, that may go elsewhere */
	u32 weight;  /* of those that want it, in all */
	u32 light;   /* of the one that it would give away */
	u64 floor;   /* of its queue of VMs (account.h) */
	u64 least; /* what the VM of those that want it has had that has had least, of the whole machine */
	u64 behind; /* the same of those that may go; SPREAD_NOBODY: there is none */
};
#define SPREAD_NOBODY (~0ul)

/* What a node that looks around has drawn so far. */
struct spread {
	u64 seed;
};

static inline u32 spread_looks(bool idle) { return (idle ? SPREAD_NEAR : 0) + SPREAD_FAR; }

/* The place of the i-th node to look at in the order of nearness, from 1; of n nodes, 2 at least. */
u32 spread_place(struct spread *s, bool idle, u32 i, u32 n);
/* A node asks that one. */
bool spread_asks(struct spread_load mine, struct spread_load other);
/* A node's floor after a look at another's. */
u64 spread_floor(u64 mine, u64 other);

#endif /* KERNEL_SCHED_SPREAD_H */
