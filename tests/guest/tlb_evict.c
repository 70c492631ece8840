/* SPDX-License-Identifier: MIT */
/*
 * Rule: any number of pages can be used through TLBWR: a page that was displaced misses and comes
 * back by its refill handler, and always shows its own memory. MD00090 4.6.
 *
 * Method: a page table of 300 pairs of pages, a refill hook that reads it, three passes of reads
 * and writes in kernel and user mode.
 */
#include "tests/guest/test.h"

#define PAIRS 300

static unsigned refills;

static bool refill(struct frame *f)
{
	u64 pair = (f->badvaddr - VA_USER) / (2 * PAGE_SIZE);

	if (f->vector != 0x80 || pair >= PAIRS)
		return false;
	refills++;
	tlb_write_random((struct tlb_entry){ .hi = HI_VPN(f->badvaddr),
					     .lo0 = LO_RW(page_pa(pair)),
					     .lo1 = LO_RW(page_pa(pair)) });
	return true;
}

PROBE(p_walk,
      "1:\tld $3, 0($4)\n\tdaddu $2, $2, $3\n\tdaddiu $3, $3, 1\n\tsd $3, 0($4)\n\tdaddiu $5, $5, -1\n\tdaddiu $4, $4, 8184\n\t"
      "bnez $5, 1b\n\tdaddiu $4, $4, 8");

int main(void)
{
	unsigned wrong = 0;

	trap_hook = refill;
	for (unsigned i = 0; i < PAIRS; i++)
		page_va(i)[0] = 0x10000 * i;
	for (unsigned pass = 0; pass < 4; pass++)
		expect_none("pass", probe_in(pass % 2 ? MODE_USER : MODE_KERNEL, p_walk, VA_USER,
					     PAIRS, 0));
	for (unsigned i = 0; i < PAIRS; i++)
		wrong += page_va(i)[0] != 0x10000 * i + 4;
	check_eq("pages with a wrong value", wrong, 0);
	check(refills >= PAIRS, "only %u refills", refills);
	return verdict();
}
