/* SPDX-License-Identifier: MIT */
/*
 * Machine ASIDs: each (VCPU, guest ASID) gets one of its own on the node it runs on, so that
 * address spaces of different VMs stay in the TLB side by side. When a node runs out it starts a
 * new generation: the whole TLB is flushed and every older assignment is void. Pure; the caller
 * flushes.
 */
#ifndef ARCH_MIPS_ASID_H
#define ARCH_MIPS_ASID_H

#include "kernel/types.h"

#define ASID_BITS  10
#define ASID_COUNT (1u << ASID_BITS)
#define ASID_GLOBAL \
	0 /* never handed out: tags what holds in all of a VCPU's address spaces (l2tlb.h) */

struct asid_pool {
	u64 generation; /* from 1; 0 in a slot means never assigned */
	u32 next;	/* first free ASID of this generation */
};

void asid_pool_init(struct asid_pool *p);

/*
 * The machine ASID (1..1023) of a slot, a word that starts as 0. Assigns one if the slot's is of an
 * older generation. Sets *flush when a new generation had to start: then flush the machine TLB
 * before the ASID is used.
 */
u32 asid_get(struct asid_pool *p, u64 *slot, bool *flush);

/* The machine ASID if the slot has a live one, else 0. */
u32 asid_peek(const struct asid_pool *p, u64 slot);

#endif /* ARCH_MIPS_ASID_H */
