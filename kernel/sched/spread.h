/* SPDX-License-Identifier: MIT */
/*
 * Which node fetches a VCPU from which. Pure: what a node knows is passed in.
 *
 * A node's load is how many VCPUs there want its processor. Each node publishes its own, and looks at few others, however
 * many the machine has:
 *
 *   when                               it looks at
 *   it idles, at most each ms          the SPREAD_NEAR nearest nodes, nearest first, and SPREAD_FAR of all
 *   each tick                          SPREAD_FAR of all
 *
 * Those of all are drawn anew each time, so that each node is looked at by all in time. A node asks the first that it finds
 * with at least SPREAD_MORE more than it has: after that the two are as far apart as before or nearer, so that nothing goes
 * to and fro. Who is asked gives one away that waits for the processor, may be anywhere, and has been there for
 * SPREAD_STAY_MS.
 */
#ifndef KERNEL_SCHED_SPREAD_H
#define KERNEL_SCHED_SPREAD_H

#include "kernel/types.h"

#define SPREAD_NEAR    4
#define SPREAD_FAR     2
#define SPREAD_MORE    2
#define SPREAD_STAY_MS 50

struct spread_load {
	u32 wanting; /* VCPUs that want the processor, who has it among them */
	u32 movable; /* of these, that may go elsewhere */
};

/* What a node that looks around has drawn so far. */
struct spread {
	u64 seed;
};

static inline u32 spread_looks(bool idle) { return (idle ? SPREAD_NEAR : 0) + SPREAD_FAR; }

/* The place of the i-th node to look at in the order of nearness, from 1; of n nodes, 2 at least. */
u32 spread_place(struct spread *s, bool idle, u32 i, u32 n);
/* A node with so many that want its processor asks that one. */
bool spread_asks(u32 wanting, struct spread_load other);

#endif /* KERNEL_SCHED_SPREAD_H */
