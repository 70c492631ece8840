/* SPDX-License-Identifier: MIT */
/*
 * TLB shootdown: before a machine page changes hands, no processor may hold a translation to it.
 * The one who asks waits; those asked flush when they next look at their mail, which a spinning
 * processor does too, and one that waits for its own shootdown. So any number of them go on at once,
 * and a pointer to guest memory outlives neither taking a lock, nor yielding, nor a shootdown.
 */
#ifndef KERNEL_MEM_SHOOTDOWN_H
#define KERNEL_MEM_SHOOTDOWN_H

#include "kernel/node.h"
#include "kernel/nodemask.h"

_Static_assert(MAX_NODES <= NODEMASK_BITS, "a set of nodes holds all");

/* What a node does to its own TLB and to those of its VCPUs. Takes no lock. */
typedef void (*shootdown_fn)(struct node *n, const void *what);

/*
 * Every processor of the set has done flush(itself, what) on return; the caller's asks.spent says how long the others
 * took, in Count ticks. pmaps are
 * changed by the caller before. Takes no lock, and may be called with any; not from a flush. Manual: MD00091, chapter 4; paper: section 4.2.
 */
void shootdown(struct nodemask targets, shootdown_fn flush, const void *what);
void shootdown_all(
	struct nodemask targets); /* the machine's whole TLB of each; L2TLBs are the caller's */

/* Flush if somebody asked this node to. */
void shootdown_answer(struct node *n);

/*
 * The one rule about what a processor has read from guest memory or from a pmap: it holds until the
 * processor answers a shootdown. Whoever unmaps a page, moves one, or lets a guest use a page table
 * again waits for that answer first. A processor answers only while it waits: for a lock, for its own
 * shootdown, for a page that is being copied or a block that is being zeroed. So code that may wait begins a reading before the first look, and asks
 * whether it holds before it follows a pointer, writes an entry, delivers a fault or makes a
 * translation; if it does not, it starts again. Asked are the nodes whose views showed the page: a node without a view of
 * the VM keeps no pointer beyond the lock of the page's range (kernel/vm/guest_memory.c).
 */
struct reading {
	u64 answered; /* shootdowns, by the processor, when the reading began */
};

static inline struct reading reading_begin(const struct node *n)
{
	return (struct reading){ n->answered };
}

static inline bool reading_holds(const struct node *n, struct reading r)
{
	return n->answered == r.answered;
}

#endif /* KERNEL_MEM_SHOOTDOWN_H */
