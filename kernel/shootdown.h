/* SPDX-License-Identifier: MIT */
/*
 * TLB shootdown: before a machine page changes hands, no processor may hold a translation to it.
 * The one who asks waits; those asked flush when they next look at their mail, which a spinning
 * processor does too.
 */
#ifndef KERNEL_SHOOTDOWN_H
#define KERNEL_SHOOTDOWN_H

#include "kernel/node.h"

/*
 * Every processor of the mask (bit = node) has flushed its TLB on return. L2TLBs and pmaps are
 * changed by the caller before. Takes RANK_SHOOTDOWN; a processor that waits for that lock answers
 * meanwhile. Manual: MD00091, chapter 4; paper: section 4.2.
 */
void shootdown(u32 node_mask);

/* Flush if somebody asked this node to. */
void shootdown_answer(struct node *n);

#endif /* KERNEL_SHOOTDOWN_H */
