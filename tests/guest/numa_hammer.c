/* SPDX-License-Identifier: MIT */
/*
 * Rule: pages that one VCPU uses heavily move to its node; their contents do not change by that.
 * docs/tour.md.
 *
 * Method: VCPU 0 fills 24 pages, VCPU 5, which lives elsewhere, counts up a word of each line of
 * them, over and over; then VCPU 0 looks at every word. The pages are more than a small cache
 * holds. rounds=N instead of 500. test_moves.py asks the monitor where they are.
 *
 * Needs: vcpus=8 nodes=8
 */
#include "tests/guest/numa.h"

#define PAGES 24
#define USER  5

static volatile u64 over;
static u64 rounds;

static u64 start_value(unsigned page, unsigned word) { return (u64)page << 32 | word << 12; }

static void hammer(u64 id)
{
	(void)id;
	for (unsigned n = 0; n < rounds; n++)
		for (unsigned p = 0; p < PAGES; p++)
			for (unsigned w = 0; w < PAGE_WORDS; w += LINE_WORDS)
				page_va(p)[w]++;
	smp_add(&over, 1);
}

int main(void)
{
	u64 wrong = 0;

	need_monitor();
	rounds = guest_number("rounds=", 500);
	for (unsigned p = 0; p < PAGES; p++)
		for (unsigned w = 0; w < PAGE_WORDS; w++)
			page_va(p)[w] = start_value(p, w);
	check_eq("start", (u64)smp_start(USER, hammer, USER), 0);
	check(smp_wait(&over, 1), "VCPU %u did not end", USER);
	for (unsigned p = 0; p < PAGES; p++)
		for (unsigned w = 0; w < PAGE_WORDS; w++)
			wrong += page_va(p)[w] != start_value(p, w) + (w % LINE_WORDS ? 0 : rounds);
	check_eq("wrong words", wrong, 0);
	return verdict();
}
