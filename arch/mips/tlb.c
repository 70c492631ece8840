/* SPDX-License-Identifier: MIT */
/*
 * The machine's TLB, as QEMU has it: 16 entries, and up to 112 that TLBWR has replaced and that
 * stay usable (docs/machine.md). Who maps what is mmu.c's.
 */
#include "arch/mips/cp0.h"
#include "arch/mips/mips.h"
#include "kernel/options.h"

/* Removes the entry of this EntryHi (VPN2 and machine ASID), wherever it may be, and with it the
 * rest of its address space: for QEMU that is less work than TLBWI (docs/machine.md). */
void tlb_drop(u64 hi)
{
	cp0_write64(CP0_ENTRYHI, hi);
	tlbp(); /* a miss drops QEMU's shadow entries of the page, too */
	if (!(cp0_read32(CP0_INDEX) & INDEX_P))
		tlbinv();
}

void tlb_write(u64 hi, u64 lo0, u64 lo1, u32 mask)
{
	cp0_write64(CP0_ENTRYHI, hi);
	cp0_write64(CP0_ENTRYLO0, lo0);
	cp0_write64(CP0_ENTRYLO1, lo1);
	tlbp();
	cp0_write32(CP0_PAGEMASK, mask);
	if (cp0_read32(CP0_INDEX) & INDEX_P)
		tlbwr();
	else
		tlbwi();
	cp0_write32(CP0_PAGEMASK, 0);
}

/*
 * For a translation that is not to live long: TLBWI of another page discards QEMU's shadow entries,
 * which TLBWR would fill up with pages that then do not miss until the next tick. Entry 0 is the
 * special page's.
 */
void tlb_write_brief(struct vcpu *v, u64 hi, u64 lo0, u64 lo1)
{
	cp0_write64(CP0_ENTRYHI, hi);
	tlbp();
	if (cp0_read32(CP0_INDEX) & INDEX_P)
		cp0_write32(CP0_INDEX, 1 + v->arch.brief_next++ % 15);
	cp0_write64(CP0_ENTRYLO0, lo0);
	cp0_write64(CP0_ENTRYLO1, lo1);
	tlbwi();
}

/*
 * Entries that TLBWR replaces stay usable until there are 112 of them; from then on whoever came
 * first has those for good, and all others 15 (docs/machine.md). TLBINV drops them, for whoever
 * runs from now on. ms: not sooner than that after the last time, since it costs a hundred refills.
 */
void tlb_renew(struct node *n, u32 ms)
{
	u32 now = cp0_read32(CP0_COUNT);

	if (now - n->cpu.renewed < ms * COUNT_MS || !option_on(OPTION_RENEW))
		return;
	n->cpu.renewed = now;
	tlbinv();
}
