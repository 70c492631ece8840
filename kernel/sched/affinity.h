/* SPDX-License-Identifier: MIT */
/*
 * A VCPU and its memory on two nodes: which of them goes to the other. Pure.
 *
 * Both are remedies for the same misses, and what they are worth is told by the same counters (numa/heat.h): the pages that a node keeps missing on. Each
 * tick in which a VCPU has run, the policy tells where those are; what the VCPU missed on at home counts against them.
 *
 *   the VCPU runs on n, and most of what it misses on     what is done
 *   is on n, or here and there                            the policy moves pages, one by one
 *   is on X, where it has no place: as many or more       the same: its memory follows the VCPU
 *     want that processor
 *   is on X, where it has a place, and fewer pages        the same: they are cheaper than the VCPU's move
 *     than AFFINITY_NS pays for
 *   is on X, where it has a place, and more pages, but    nothing: what it misses on until it may go costs less than either
 *     it has come less than SPREAD_STAY_MS ago
 *   the same, and it has been here for longer             the VCPU goes to X, and no page moves to n for it
 *
 * So never both for one reason. Nothing goes to and fro: the VCPU that has gone misses at home from then on, and where load has moved it away its memory
 * follows.
 *
 * Where most is needs no table: whoever is ahead of all others together is the one (Boyer and Moore's vote), so this is a few words for any number of nodes.
 */
#ifndef KERNEL_SCHED_AFFINITY_H
#define KERNEL_SCHED_AFFINITY_H

#include "kernel/sched/spread.h"
#include "kernel/types.h"

#define AFFINITY_FORGET 8 /* ticks: an eighth of the votes goes with each */
/* A VCPU's move: the way, an L2TLB that is empty, and what its cache had. */
#define AFFINITY_NS 1000000ul

struct affinity {
	u32 node;  /* that has most of what the VCPU has missed on lately, if ahead is not 0 */
	u32 ahead; /* by so many pages, of all others together */
};

/* So many pages of that node are missed on, or what is worth as much. */
void affinity_vote(struct affinity *a, u32 node, u32 pages);
/* A tick in which it has run, before its votes. */
void affinity_tick(struct affinity *a);

enum affinity_move { AFFINITY_PAGES, AFFINITY_NOTHING, AFFINITY_VCPU };

/* Its node is `here`, and its load and that node's are these; it came since_ms ago; a page costs page_ns to move. VCPU: it goes to a->node. */
enum affinity_move affinity_decide(const struct affinity *a, u32 here, struct spread_load mine,
				   struct spread_load there, u64 since_ms, u64 page_ns);

/*
 * Of two VCPUs of the node `here` that may be given to the node `to`, whose VMs have had so much, whether it is rather a than b: one that is further behind
 * by SPREAD_LAG, or else one whose memory is there, or not here.
 */
bool affinity_rather(const struct affinity *a, u64 had_a, const struct affinity *b, u64 had_b,
		     u32 here, u32 to);

#endif /* KERNEL_SCHED_AFFINITY_H */
