/* SPDX-License-Identifier: MIT */
/*
 * The L2TLB: per VCPU, a direct-mapped cache of V -> M page pairs, looked up by the refill handler
 * (arch/mips/vectors.S) before anything else is asked. The hash below and the one in vectors.S are
 * the same. Only the VCPU's node uses it. C and assembly.
 */
#ifndef KERNEL_MEM_L2TLB_H
#define KERNEL_MEM_L2TLB_H

#define L2TLB_SHIFT	  12
#define L2TLB_ENTRIES	  (1 << L2TLB_SHIFT)
#define L2TLB_ENTRY_SHIFT 4 /* 16 bytes: eight in a line of the second-level cache */
#define L2TLB_VPN2_SHIFT  13
#define L2TLB_PART_SHIFT  6	 /* entries of a part: there are 64, a bit for each in a word */
#define L2TLB_NO_TAG	  0x1000 /* no tag has this bit */

/*
 * EntryLo in 32 bits, as MTC0 takes it: RI and XI are bits 31 and 30, and 24 are the page's number. Machine memory ends below that
 * (kernel/main.c).
 */
#define L2TLB_RIGHTS_SHIFT 30
#define L2TLB_NAMES	   (1ul << (L2TLB_RIGHTS_SHIFT - 6))

#ifndef __ASSEMBLER__
#include "kernel/types.h"

/*
 * tag: EntryHi as the machine sets it on a miss, R and VPN2 with the machine ASID; in the
 * supervisor segments (R != 0), where only translations that hold in every address space of the
 * VCPU are kept, with ASID 0. A word with L2TLB_NO_TAG set matches nothing.
 */
struct l2tlb_entry {
	u64 tag;
	u32 lo[2];
};

static inline u32 l2tlb_pack(u64 lo) { return (u32)(lo | lo >> 32); }

static inline u64 l2tlb_lo(const struct l2tlb_entry *e, u32 half)
{
	u64 lo = e->lo[half];

	return (lo & ((1ul << L2TLB_RIGHTS_SHIFT) - 1)) | lo >> L2TLB_RIGHTS_SHIFT << 62;
}

#define L2TLB_NOTHING (~0ul)

/* Aligned to its size: the handler inserts the index into the address. */
struct l2tlb {
	struct l2tlb_entry entry[L2TLB_ENTRIES];
} __attribute__((aligned(L2TLB_ENTRIES << L2TLB_ENTRY_SHIFT)));

static inline u32 l2tlb_index(u64 tag)
{
	return (tag >> L2TLB_VPN2_SHIFT ^ tag) & (L2TLB_ENTRIES - 1);
}

static inline u32 l2tlb_part(u64 tag) { return l2tlb_index(tag) >> L2TLB_PART_SHIFT; }

void l2tlb_flush(struct l2tlb *l);
void l2tlb_insert(struct l2tlb *l, u64 tag, u64 lo0, u64 lo1);
void l2tlb_drop(struct l2tlb *l, u64 tag);

/* Machine pages, and now and then one that was not added: few enough that a batch of pages takes little else. */
#define PAGE_FILTER_BITS 1024u
struct page_filter {
	u64 word[PAGE_FILTER_BITS / 64];
};

static inline void page_filter_add(struct page_filter *f, mpn_t mpn)
{
	f->word[mpn.v % PAGE_FILTER_BITS / 64] |= 1ul << mpn.v % 64;
}

static inline bool page_filter_has(const struct page_filter *f, mpn_t mpn)
{
	return f->word[mpn.v % PAGE_FILTER_BITS / 64] >> mpn.v % 64 & 1;
}

/* Drops at least those of the parts, a bit for each, that map one of the pages. 1,400 instructions a part. */
void l2tlb_drop_machine(struct l2tlb *l, const struct page_filter *pages, u64 parts);
const struct l2tlb_entry *l2tlb_find(const struct l2tlb *l, u64 tag); /* NULL: not there */
unsigned l2tlb_used(const struct l2tlb *l);
#endif

#endif /* KERNEL_MEM_L2TLB_H */
