/* SPDX-License-Identifier: MIT */
/* The L2TLB's slow operations; its lookup on a miss is in arch/mips/vectors.S. Pure. */
#include "arch/mips/arch.h"
#include "kernel/mem/l2tlb.h"

_Static_assert(sizeof(struct l2tlb_entry) == 1 << L2TLB_ENTRY_SHIFT, "vectors.S shifts by it");

/* Unrolled: a VCPU's start takes three of these. */
void l2tlb_flush(struct l2tlb *l)
{
#pragma GCC unroll 16
	for (unsigned i = 0; i < L2TLB_ENTRIES; i++)
		l->entry[i].tag = L2TLB_NOTHING;
}

void l2tlb_insert(struct l2tlb *l, u64 tag, u64 lo0, u64 lo1)
{
	struct l2tlb_entry *e = &l->entry[l2tlb_index(tag)];

	e->lo[0] = l2tlb_pack(lo0);
	e->lo[1] = l2tlb_pack(lo1);
	e->tag = tag;
}

void l2tlb_drop(struct l2tlb *l, u64 tag)
{
	struct l2tlb_entry *e = &l->entry[l2tlb_index(tag)];

	if (e->tag == tag)
		e->tag = L2TLB_NOTHING;
}

#define PART (1u << L2TLB_PART_SHIFT)
_Static_assert(L2TLB_ENTRIES / PART == 64, "parts have a bit each in a word");

static void drop_of_part(struct l2tlb_entry *first, const struct page_filter *pages)
{
	for (struct l2tlb_entry *e = first; e < first + PART; e++) {
		if (e->tag == L2TLB_NOTHING)
			continue;
		if (page_filter_has(pages, arch_entry_page(l2tlb_lo(e, 0))) ||
		    page_filter_has(pages, arch_entry_page(l2tlb_lo(e, 1))))
			e->tag = L2TLB_NOTHING;
	}
}

void l2tlb_drop_machine(struct l2tlb *l, const struct page_filter *pages, u64 parts)
{
	for (u64 left = parts; left; left &= left - 1)
		drop_of_part(&l->entry[__builtin_ctzl(left) * PART], pages);
}

const struct l2tlb_entry *l2tlb_find(const struct l2tlb *l, u64 tag)
{
	const struct l2tlb_entry *e = &l->entry[l2tlb_index(tag)];

	return e->tag == tag ? e : NULL;
}

unsigned l2tlb_used(const struct l2tlb *l)
{
	unsigned n = 0;

	for (unsigned i = 0; i < L2TLB_ENTRIES; i++)
		n += l->entry[i].tag != L2TLB_NOTHING;
	return n;
}
