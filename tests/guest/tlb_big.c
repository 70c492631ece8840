/* SPDX-License-Identifier: MIT */
/*
 * Rule: an entry with PageMask maps two pages of that size; the low address bits within the page
 * pass through; TLBR returns the mask; replacing the entry makes all of it go. MD00090 4.6.
 *
 * Method: 16 KB and 64 KB pairs over tagged 4 KB pages; each 4 KB piece is read through the
 * mapping, from kernel and user mode; then the entry is replaced.
 */
#include "tests/guest/test.h"

static void one(unsigned pieces)
{
	u64 size = pieces * PAGE_SIZE, pa = ROUND_UP(page_pa(0), 2 * size);
	struct tlb_entry e = { .hi = HI_VPN(VA_USER),
			       .lo0 = LO_RW(pa + size),
			       .lo1 = LO_RW(pa),
			       .mask = PM_SIZE(size) };
	volatile u64 *m = guest_va(pa);
	unsigned bad = 0;

	for (unsigned i = 0; i < 2 * pieces; i++)
		m[i * PAGE_SIZE / 8 + 1] = 0x5000 + i;
	tlb_write_at(TLB_FREE, e);
	check_eq("mask by tlbr", tlb_read_at(TLB_FREE).mask, PM_SIZE(size));
	/* even half shows the upper memory, odd half the lower */
	for (unsigned i = 0; i < 2 * pieces; i++) {
		u64 wanted = 0x5000 + (i + pieces) % (2 * pieces);
		const struct trap *t =
			load(i % 2 ? MODE_USER : MODE_KERNEL, VA_USER + i * PAGE_SIZE + 8);

		bad += t->taken || t->v0 != wanted;
	}
	check_eq("pieces that read wrong", bad, 0);
	check_eq("tlbp in the last piece", (u64)tlb_probe(VA_USER + 2 * size - 1, 0), TLB_FREE);
	check_miss("behind it", VA_USER + 2 * size);
	tlb_map_at(TLB_FREE, VA_XUSER, 0, 0, 0);
	for (unsigned i = 0; i < 2 * pieces; i++)
		bad += !load(MODE_KERNEL, VA_USER + i * PAGE_SIZE)->taken;
	check_eq("pieces left after replacing", bad, 0);
	print("%u KB pages\n", pieces * 4);
}

int main(void)
{
	one(4);
	one(16);
	return verdict();
}
