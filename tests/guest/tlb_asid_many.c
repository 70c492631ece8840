/* SPDX-License-Identifier: MIT */
/*
 * Rule: all 1024 ASIDs are different address spaces, however often and in whatever order they are
 * used. MD00090 9.9. (A monitor that hands out machine ASIDs runs out of them and must not mix them
 * up.)
 *
 * Method: each ASID in turn maps the same two pages to frames that depend on it, by a refill hook,
 * three rounds; then a random walk.
 */
#include "tests/guest/test.h"

#define FRAMES 97

static unsigned asid, refills;

static unsigned frame_of(unsigned a, unsigned page) { return (a * 7 + page * 31) % FRAMES; }

static bool refill(struct frame *f)
{
	if (f->vector != 0x80 || HI_VPN(f->badvaddr) != VA_XUSER)
		return false;
	refills++;
	tlb_write_random((struct tlb_entry){ .hi = HI_VPN(f->badvaddr) | asid,
					     .lo0 = LO_RW(page_pa(frame_of(asid, 0))),
					     .lo1 = LO_RW(page_pa(frame_of(asid, 1))) });
	return true;
}

static unsigned use(unsigned a)
{
	asid = a;
	cp0_write_entryhi(asid);
	return (*(volatile u64 *)VA_XUSER != 0xa51d00 + frame_of(a, 0)) +
	       (*(volatile u64 *)(VA_XUSER + PAGE_SIZE) != 0xa51d00 + frame_of(a, 1));
}

int main(void)
{
	unsigned wrong = 0;
	u32 seed = 7;

	for (unsigned i = 0; i < FRAMES; i++)
		page_va(i)[0] = 0xa51d00 + i;
	trap_hook = refill;
	for (unsigned round = 0; round < 3; round++)
		for (unsigned a = 0; a < 1024; a++)
			wrong += use(a);
	for (unsigned i = 0; i < 5000; i++) {
		seed = seed * 1664525 + 1013904223;
		wrong += use(seed >> 22);
	}
	cp0_write_entryhi(0);
	check_eq("loads that saw another page", wrong, 0);
	check(refills >= 1024, "%u refills", refills);
	return verdict();
}
