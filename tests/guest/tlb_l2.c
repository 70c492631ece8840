/* SPDX-License-Identifier: MIT */
/*
 * Rule: any number of pages can be used; those that fall on one place of the monitor's L2TLB (4096
 * pairs) replace each other and nobody sees another's page. kernel/mem/l2tlb.h.
 *
 * Method: 12288 pages over 1000 pages of memory, read and written in several orders, by the
 * monitor's walker, in user addresses and in csseg, under two ASIDs.
 */
#include "tests/guest/walk.h"

#define TABLES 24
#define PAGES  (TABLES * 512u)
#define FRAMES 1000u

static table_t lasts[TABLES] __attribute__((aligned(PAGE_SIZE)));
static table_t kernel_root[2] __attribute__((aligned(PAGE_SIZE)));

static unsigned frame_of(unsigned i) { return (i * 7u + i / 512u) % FRAMES; }

static void visit(u64 base, unsigned step)
{
	unsigned bad = 0;

	for (unsigned n = 0, i = 0; n < PAGES; n++, i = (i + step) % PAGES) {
		volatile u64 *p = (volatile u64 *)(base + (u64)i * PAGE_SIZE + 8 * (i % 512));
		unsigned frame = frame_of(i);

		page_va(frame)[i % 512] = i;
		bad += *p != i;
		*p = ~(u64)i;
		bad += page_va(frame)[i % 512] != ~(u64)i;
	}
	check_eq(text("wrong from %lx by steps of %u", (unsigned long)base, step), bad, 0);
}

int main(void)
{
	static const unsigned steps[] = { 1, 5, 2047, 4097 };

	need_monitor();
	walk_tables();
	for (unsigned i = 0; i < PAGES; i++)
		lasts[i / 512][i % 512] = PTE(page_pa(frame_of(i)), PRESENT | WRITE | GLOBAL);
	for (unsigned i = 0; i < TABLES; i++)
		walk_middle[(VA_USER >> 21 & 511) + i] = walk_pointer(lasts[i]);
	kernel_root[VA_CSSEG >> 39 & 1][VA_CSSEG >> 30 & 511] = walk_pointer(walk_middle);
	for (unsigned i = 0; i < TABLES; i++)
		walk_middle[(VA_CSSEG >> 21 & 511) + i] = walk_pointer(lasts[i]);
	walk_describe(walk_pointer(kernel_root[0]));
	check_eq("MMU_SETUP", (u64)walk_setup(), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
		walk_switch(i, walk_root);
		visit(VA_USER, steps[i]);
		visit(VA_CSSEG, steps[i]);
	}
	return verdict();
}
