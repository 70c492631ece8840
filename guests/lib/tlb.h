/* SPDX-License-Identifier: MIT */
/*
 * The TLB of a guest kernel, entry by entry. Knows nothing of page tables. EntryHi.ASID of the
 * running program is kept by all of these; Index, EntryLo0/1 and PageMask are not (PageMask is left
 * 0).
 */
#ifndef GUESTS_LIB_TLB_H
#define GUESTS_LIB_TLB_H

#include "kernel/types.h"

/* Values as in the registers: hi holds VPN2 and ASID, lo0 the even page, lo1 the odd one. */
struct tlb_entry {
	u64 hi;
	u64 lo0;
	u64 lo1;
	u32 mask;
};

unsigned tlb_entries(void);			       /* Config1.MMUSize + 1 */
void tlb_write_at(unsigned index, struct tlb_entry e); /* tlbwi */
void tlb_write_random(struct tlb_entry e);	       /* tlbwr */
struct tlb_entry tlb_read_at(unsigned index);	       /* tlbr */
int tlb_probe(u64 va, unsigned asid);		       /* tlbp: the index, or -1 */
void tlb_clear(void); /* tlbinvf: nothing is left, wired entries included */

/* A 4 KB pair at va by index: shorthand for tests. */
void tlb_map_at(unsigned index, u64 va, unsigned asid, u64 lo0, u64 lo1);

#endif /* GUESTS_LIB_TLB_H */
