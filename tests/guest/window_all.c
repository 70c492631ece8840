/* SPDX-License-Identifier: MIT */
/*
 * Rule: all memory of the VM, and no more, is seen through both windows, from its first byte to its
 * last, and is zero at the start; an odd megabyte at the end too, behind which xsseg is the guest's
 * TLB's at once. kernel/abi/disco.h.
 *
 * Method: the size found by bus errors; every page read, written through one window and read
 * through the other, in two orders; a guest's own page right behind the end.
 *
 * Needs: memory=7
 */
#include "tests/guest/test.h"

#define MB (1ul << 20)

static u64 size;

static volatile u64 *csseg(u64 pa) { return (volatile u64 *)(DISCO_CSSEG_BASE + pa); }
static volatile u64 *xsseg(u64 pa) { return (volatile u64 *)(DISCO_XSSEG_BASE + pa); }

static void at_the_end(void)
{
	u64 behind = DISCO_XSSEG_BASE + size;
	u64 last = csseg(size - PAGE_SIZE)[0], before = csseg(size - MB)[0];

	check_miss("behind the end", behind);
	check_miss("further behind", behind + MB - 8);
	tag_page(0, 0x8888);
	for (unsigned i = 0; i < 50; i++) {
		tlb_map_at(TLB_FREE, behind, 0, LO_RW(page_pa(0)), LO_RW(page_pa(0)));
		check(*(volatile u64 *)behind == 0x8888, "our page");
		check(*xsseg(size - PAGE_SIZE) == last, "the last page");
		check(*xsseg(size - MB) == before, "the last megabyte");
		check(*(volatile u64 *)(behind + PAGE_SIZE) == 0x8888, "our page again");
		if (i % 2)
			tlb_clear();
	}
}

int main(void)
{
	u64 free = (guest_free_pa() + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1ul), end, bad = 0;

	need_monitor();
	while (!load(MODE_KERNEL, (u64)csseg(size))->taken)
		size += MB;
	check_eq("size", size, 7 * MB);
	end = (guest_boot.a[1] - DISCO_CSSEG_BASE) & ~(PAGE_SIZE - 1ul); /* the device tree */
	check(end > size - MB && end < size, "the device tree is at %lx", (unsigned long)end);
	/* from the middle on, so that blocks get used in no order */
	for (u64 i = 0, pa; i < (end - free) / PAGE_SIZE; i++) {
		pa = free + (i + 700) % ((end - free) / PAGE_SIZE) * PAGE_SIZE;
		for (u64 off = 0; off < PAGE_SIZE; off += 512)
			bad += csseg(pa + off)[0] != 0;
		csseg(pa)[1] = ~pa;
	}
	check_eq("words that are not zero", bad, 0);
	for (u64 pa = end - PAGE_SIZE; pa >= free; pa -= PAGE_SIZE) {
		bad += xsseg(pa)[1] != ~pa;
		xsseg(pa)[2] = pa;
	}
	for (u64 pa = free; pa < end; pa += PAGE_SIZE)
		bad += csseg(pa)[1] != ~pa || csseg(pa)[2] != pa;
	check_eq("words that are wrong", bad, 0);
	at_the_end();
	return verdict();
}
