/* SPDX-License-Identifier: MIT */
/*
 * The guest's TLB: 64 dual entries, as TLBP, TLBR, TLBWI, TLBWR, TLBINV and TLBINVF see them
 * (MD00087). What an entry means in machine pages is mmu.c's.
 */
#include "arch/mips/mips.h"

static bool entry_global(const struct vtlb_entry *e) { return e->lo[0] & e->lo[1] & ENTRYLO_G; }

static bool entry_matches(const struct vtlb_entry *e, u64 va, u32 asid)
{
	u64 significant = ENTRYHI_VPN2 & ~(e->mask | 0x1fff);

	if ((e->hi & ENTRYHI_EHINV) || ((e->hi ^ va) & significant))
		return false;
	return entry_global(e) || (e->hi & ENTRYHI_ASID) == asid;
}

struct vtlb_entry *vtlb_find(struct vcpu *v, u64 va, u32 guest_asid)
{
	for (unsigned i = 0; i < VTLB_ENTRIES; i++)
		if (entry_matches(&v->arch.vtlb[i], va, guest_asid))
			return &v->arch.vtlb[i];
	return NULL;
}

void vtlb_reset(struct vcpu *v)
{
	for (unsigned i = 0; i < VTLB_ENTRIES; i++)
		v->arch.vtlb[i] = (struct vtlb_entry){ .hi = ENTRYHI_EHINV };
	v->arch.vtlb_next = 0;
}

/*
 * A miss also forgets what the L2TLB or the machine's TLB may still hold of the page from an entry
 * that TLBWR has replaced: a guest that changes a page's mapping looks for it first.
 */
void vtlb_probe(struct vcpu *v)
{
	u64 hi = vcp0(v, EntryHi);
	struct vtlb_entry *e = vtlb_find(v, hi, hi & ENTRYHI_ASID);

	if (e) {
		vcp0(v, Index) = (u64)(e - v->arch.vtlb);
		return;
	}
	vcp0(v, Index) |= (u64)(s64)(s32)INDEX_P; /* the rest stays, as on the machine */
	mmu_forget_replaced(v, hi);
}

void vtlb_read(struct vcpu *v)
{
	const struct vtlb_entry *e = &v->arch.vtlb[vcp0(v, Index) & (VTLB_ENTRIES - 1)];
	bool invalid = e->hi & ENTRYHI_EHINV;

	vcp0(v, PageMask) = invalid ? 0 : e->mask;
	vcp0(v, EntryLo0) = invalid ? 0 : e->lo[0];
	vcp0(v, EntryLo1) = invalid ? 0 : e->lo[1];
	/* through the register's own write: the current ASID changes */
	vcp0_write(v, 10, 0, invalid ? ENTRYHI_EHINV : e->hi);
}

static u32 random_index(struct vcpu *v)
{
	u32 wired = vcp0(v, Wired), n = v->arch.vtlb_next;

	if (n < wired)
		n = VTLB_ENTRIES - 1;
	v->arch.vtlb_next = n ? n - 1 : VTLB_ENTRIES - 1;
	return n;
}

void vtlb_write(struct vcpu *v, bool random)
{
	u32 index = random ? random_index(v) : vcp0(v, Index) & (VTLB_ENTRIES - 1);
	struct vtlb_entry *e = &v->arch.vtlb[index];
	u64 mask = vcp0(v, PageMask), hi = vcp0(v, EntryHi);
	u64 g = vcp0(v, EntryLo0) & vcp0(v, EntryLo1) & ENTRYLO_G;
	u64 within = mask >> 13 << ENTRYLO_PFN_SHIFT | ENTRYLO_G;

	/* What TLBWR evicts may live on in the L2TLB, as the machine's TLB keeps what it evicts
	 * itself. */
	if (!random && !(e->hi & ENTRYHI_EHINV))
		mmu_forget(v, e->hi, e->mask, entry_global(e));
	/* as the machine: the VPN2 as it is, the PFNs without the bits within a large page */
	*e = (struct vtlb_entry){
		.hi = hi,
		.lo = { (vcp0(v, EntryLo0) & ~within) | g, (vcp0(v, EntryLo1) & ~within) | g },
		.mask = mask,
	};
	if (!(hi & ENTRYHI_EHINV))
		mmu_replace(v, e);
}

void vtlb_invalidate(struct vcpu *v, bool all)
{
	u32 asid = vcp0(v, EntryHi) & ENTRYHI_ASID;

	for (unsigned i = 0; i < VTLB_ENTRIES; i++) {
		struct vtlb_entry *e = &v->arch.vtlb[i];

		if (all || (!entry_global(e) && (e->hi & ENTRYHI_ASID) == asid))
			e->hi = ENTRYHI_EHINV;
	}
	if (all)
		mmu_flush_vcpu(v);
	else
		mmu_drop_asid(v, asid);
}
