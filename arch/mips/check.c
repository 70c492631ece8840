/* SPDX-License-Identifier: MIT */
/*
 * check=1: every translation that the L2TLB or the machine's TLB holds of a VCPU must be what a
 * fresh walk - guest's tables, then pmap - gives now. A difference is reported in a log line, which
 * tests look for; nothing is mended. Reading the TLB drops QEMU's shadow entries, so that timing
 * changes: for tests only.
 */
#include "arch/mips/asid.h"
#include "arch/mips/cp0.h"
#include "arch/mips/mips.h"
#include "kernel/mem/l2tlb.h"
#include "kernel/log.h"
#include "kernel/options.h"
#include "kernel/vm/vm.h"

#define MACHINE_TLB_ENTRIES 16
#define FIRST_ENTRY	    1 /* behind the special page's */

static u64 address_of(u64 hi)
{
	u64 vpn2 = hi & ENTRYHI_VPN2;

	return vpn2 >> 62 == 3 ? vpn2 | (BIT(62) - BIT(SEGBITS)) : vpn2;
}

static u64 expected(struct vcpu *v, struct reading r, u64 va)
{
	u64 gpa;

	if (!is_supervisor(va) || !mmu_window(v, va, &gpa))
		return walk_expected(v, r, va);
	return mmu_look(v, gpa_gpn((gpa_t){ gpa }));
}

/* A cached half may lack D that the tables have by now, nothing else may differ. */
static bool is_wrong(u64 lo, u64 want)
{
	return ((lo ^ want) & ~(u64)(ENTRYLO_D | ENTRYLO_G)) || (lo & ~want & ENTRYLO_D);
}

/*
 * A kernel may take back a page of its own from its tables and flush it later, with others, as Linux does with what
 * vmalloc() gave: until then the page may be reached or not.
 */
static bool may_be_flushed_later(struct vcpu *v, struct reading r, u64 va)
{
	u64 gpa;

	return is_supervisor(va) && !mmu_window(v, va, &gpa) && !walk_is_mapped(v, r, va);
}

#define LOOKS 3

/*
 * A node that moves a page or replicates it changes the pmap first, and then takes back by a
 * shootdown what is cached: that is no difference. r: begun when lo was read.
 */
static void check_half(struct vcpu *v, const char *where, struct reading r, u64 va, u64 lo)
{
	u64 want;

	if (!(lo & ENTRYLO_V))
		return;
	for (unsigned i = 0; i < LOOKS; i++) {
		want = expected(v, r, va);
		if (!is_wrong(lo, want) || may_be_flushed_later(v, r, va) ||
		    !reading_holds(v->node, r))
			return;
		pmap_settle(&v->vm->pmap, r);
	}
	log_line("check", "%s/%u: %s maps %lx by %lx, tables say %lx", v->vm->name, v->id, where,
		 va, lo, want);
}

/* Two pages of size bytes each, every 4 KB of them. */
static void check_pair(struct vcpu *v, const char *where, u64 va, u64 size, u64 lo0, u64 lo1)
{
	struct reading r = reading_begin(v->node);

	for (u64 at = 0; at < size; at += PAGE_SIZE) {
		check_half(v, where, r, va + at, lo0 + (at >> 6));
		check_half(v, where, r, va + size + at, lo1 + (at >> 6));
	}
}

static void check_l2tlb_entry(struct vcpu *v, const struct l2tlb_entry *e)
{
	u32 asid = e->tag & ENTRYHI_ASID;
	u64 va = address_of(e->tag);

	if (e->tag == L2TLB_NOTHING || (!is_supervisor(va) && asid != v->arch.asid))
		return; /* another address space: its tables are not known here */
	check_pair(v, "L2TLB", va, PAGE_SIZE, l2tlb_lo(e, 0), l2tlb_lo(e, 1));
}

static void check_machine_entry(struct vcpu *v, u32 index)
{
	u64 hi, mask, va;

	cp0_write32(CP0_INDEX, index);
	tlbr();
	hi = cp0_read64(CP0_ENTRYHI);
	mask = cp0_read32(CP0_PAGEMASK);
	if ((hi & ENTRYHI_EHINV) || (hi & ENTRYHI_ASID) != v->arch.asid)
		return;
	va = address_of(hi & ~mask); /* QEMU keeps bits that do not count */
	check_pair(v, "TLB", va, (mask + 0x2000) >> 1, cp0_read64(CP0_ENTRYLO0),
		   cp0_read64(CP0_ENTRYLO1));
}

/*
 * Between a change of its tables and the flush that follows a guest's kernel may be anywhere, so
 * that only a lone VCPU on its way back to user mode can be held to its tables.
 */
void check_translations(struct vcpu *v)
{
	if (!option_check() || !v->arch.walker.on || vcpu_kernel_mode(v) || v->vm->live != 1)
		return;
	for (u32 i = 0; i < L2TLB_ENTRIES; i++)
		check_l2tlb_entry(v, &v->arch.l2tlb->entry[i]);
	for (u32 i = FIRST_ENTRY; i < MACHINE_TLB_ENTRIES; i++)
		check_machine_entry(v, i);
	cp0_write32(CP0_PAGEMASK, 0);
	cp0_write64(CP0_ENTRYHI, v->arch.asid);
}

static bool is_left(const struct vcpu *v, u64 tag, const struct mmu_flush *f)
{
	u64 vpn2 = tag & ENTRYHI_VPN2, pairs = flush_pairs(f);

	if (tag == L2TLB_NOTHING || (pairs && vpn2 - (f->va & ENTRYHI_VPN2) >= pairs << 13))
		return false;
	if (f->asid == DISCO_ALL_ASIDS)
		return true;
	/* those of the supervisor segments are global: this flush does not name them */
	return !is_supervisor(vpn2) &&
	       (tag & ENTRYHI_ASID) == asid_peek(&v->node->cpu.asids, v->arch.asid_map[f->asid]);
}

u64 check_flushed(const struct vcpu *v, const struct mmu_flush *f)
{
	if (!option_check())
		return 0;
	for (u32 i = 0; i < L2TLB_ENTRIES; i++)
		if (is_left(v, v->arch.l2tlb->entry[i].tag, f))
			return v->arch.l2tlb->entry[i].tag & ENTRYHI_VPN2;
	return 0;
}

void check_report_flush(const struct vm *vm, u64 va, u64 vcpu)
{
	log_line("check", "%s/%lu: L2TLB maps %lx after its flush", vm->name, vcpu, address_of(va));
}
