/* SPDX-License-Identifier: MIT */
/*
 * The machine's TLB, as QEMU has it: 16 entries, and up to 112 that TLBWR has replaced and that
 * stay usable (docs/machine.md). Or as the timing model makes it (docs/flash.md): so many entries, and nothing behind
 * them. Who maps what is mmu.c's.
 */
#include "arch/mips/cp0.h"
#include "arch/mips/mips.h"
#include "kernel/options.h"

#define QEMU_ENTRIES  16
#define SPECIAL_INDEX 0 /* wired: mmu_map_special */
#define RENEW_MS      1

/*
 * A TLB of another size is the model's, which keeps nothing. The model's of this size is taken for QEMU's: what is
 * dropped for the sake of what QEMU keeps is then dropped in vain, and missed once more.
 */
static bool keeps_replaced(void)
{
	u32 last = (cp0_read32(CP0_CONFIG(1)) & CONFIG1_MMUSIZE) >> CONFIG1_MMUSIZE_SHIFT;

	return last == QEMU_ENTRIES - 1;
}

/*
 * QEMU takes a pair that TLBWR replaces out of its own table by 4 KB, so that what pairs of 1 MB save in misses costs more there
 * than it is worth (docs/machine.md).
 */
u32 mmu_largest_pair(void) { return keeps_replaced() ? 128 : 512; }

/* Removes the entry of this EntryHi (VPN2 and machine ASID), wherever it may be; from QEMU's own TLB with the
 * rest of its address space, which is less work for QEMU than TLBWI (docs/machine.md). */
void tlb_drop(u64 hi)
{
	u32 index;

	cp0_write64(CP0_ENTRYHI, hi);
	tlbp(); /* a miss drops QEMU's shadow entries of the page, too */
	index = cp0_read32(CP0_INDEX);
	if ((index & INDEX_P) || index == SPECIAL_INDEX) /* which is the monitor's */
		return;
	if (keeps_replaced()) {
		tlbinv();
		return;
	}
	cp0_write64(CP0_ENTRYHI, hi | ENTRYHI_EHINV);
	tlbwi();
}

/* The same for neighbours; first: VPN2. */
void tlb_drop_range(u64 first, u64 pairs, u32 asid)
{
	if (keeps_replaced()) {
		cp0_write64(CP0_ENTRYHI, asid);
		tlbinv();
		return;
	}
	for (u64 i = 0; i < pairs; i++)
		tlb_drop(((first + (i << 13)) & ENTRYHI_VPN2) | asid);
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
 * runs from now on. ticks of Count: not sooner than that after the last time, since it costs a hundred refills; 0 for an address space that
 * has nothing there yet: what QEMU keeps is in its way only, since QEMU looks through all of it whenever its own table misses, which
 * was a seventh of the time of a fork and exit.
 */
void tlb_renew(struct node *n, u32 ticks)
{
	u32 now = cp0_read32(CP0_COUNT);

	if (now - n->cpu.renewed < ticks || !option_on(OPTION_RENEW) || !keeps_replaced())
		return;
	n->cpu.renewed = now;
	tlbinv();
}

u32 tlb_renew_after(void)
{
	return option_on(OPTION_RENEW) && keeps_replaced() ? RENEW_MS * COUNT_MS : ~0u;
}
