/* SPDX-License-Identifier: MIT */
/*
 * TLB shootdown: before a machine page changes hands, no processor may hold a translation to it.
 * The one who asks waits; those asked flush when they next look at their mail, which a spinning
 * processor does too. So a pointer to guest memory does not outlive taking a lock or yielding.
 */
#ifndef KERNEL_MEM_SHOOTDOWN_H
#define KERNEL_MEM_SHOOTDOWN_H

#include "kernel/node.h"
#include "kernel/nodemask.h"

_Static_assert(MAX_NODES <= NODEMASK_BITS, "a set of nodes holds all");

/* What a node does to its own TLB and to those of its VCPUs. Takes no lock. */
typedef void (*shootdown_fn)(struct node *n, const void *what);

/*
 * Every processor of the set has done flush(itself, what) on return. pmaps are
 * changed by the caller before. Takes RANK_SHOOTDOWN; a processor that waits for that lock answers
 * meanwhile. Manual: MD00091, chapter 4; paper: section 4.2.
 */
void shootdown(struct nodemask targets, shootdown_fn flush, const void *what);
void shootdown_all(
	struct nodemask targets); /* the machine's whole TLB of each; L2TLBs are the caller's */

/* Flush if somebody asked this node to. */
void shootdown_answer(struct node *n);

#endif /* KERNEL_MEM_SHOOTDOWN_H */
