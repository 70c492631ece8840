/* SPDX-License-Identifier: MIT */
/*
 * Rule: each VCPU has its own tables and address space; MMU_FLUSH with a mask takes effect on the
 * VCPUs of the mask before the call returns, and harms neither. kernel/abi/disco.h.
 *
 * Method: two VCPUs use one page under the same ASID, the second's tables being its own; the first
 * remaps it under the second, thousands of times, which also uses up the machine's ASIDs.
 *
 * Needs: vcpus=2
 * Runs: rewritten
 */
#include "tests/guest/walk.h"

#define ROUNDS 3000

static table_t second_root __attribute__((aligned(PAGE_SIZE))),
	second_middle __attribute__((aligned(PAGE_SIZE))),
	second_last __attribute__((aligned(PAGE_SIZE)));
static volatile u64 turn, changing, done, seen, bad;

static void second(u64 arg)
{
	(void)arg;
	if (walk_setup() || walk_switch(5, second_root))
		bad = ~0ul;
	while (turn < ROUNDS) {
		u64 now = turn, early = changing, value;

		value = *(volatile u64 *)VA_USER;
		seen = value;
		if (!early && !changing && turn == now && value != 100 + (now & 1))
			bad++;
		done = now;
		while (turn == now)
			hypercall(DISCO_HC_YIELD, 0, 0);
	}
	done = ROUNDS;
}

int main(void)
{
	u32 start = cp0_read_count();

	need_monitor();
	page_va(0)[0] = 50;
	page_va(1)[0] = 100;
	page_va(2)[0] = 101;
	walk_on();
	walk_link(second_root, second_middle, VA_USER, second_last);
	*walk_entry(second_last, VA_USER) = PTE(page_pa(1), PRESENT | READ_BITS);
	*walk_entry(walk_last, VA_USER) = PTE(page_pa(0), PRESENT | READ_BITS);
	walk_switch(5, walk_root);
	check_eq("own page", *(volatile u64 *)VA_USER, 50);
	check_eq("start", (u64)guest_start_vcpu(1, second, 0), 0);
	for (u64 i = 1; i <= ROUNDS; i++) {
		changing = 1;
		*walk_entry(second_last, VA_USER) = PTE(page_pa(1 + (i & 1)), PRESENT | READ_BITS);
		hypercall4(DISCO_HC_MMU_FLUSH, VA_USER, i & 2 ? 8 : 0, 2,
			   i & 4 ? 5 : DISCO_ALL_ASIDS);
		turn = i;
		changing = 0;
		if (*(volatile u64 *)VA_USER != 50)
			bad++;
		if (i % 10) /* let it look now and then */
			continue;
		while (done != i && cp0_read_count() - start < 4000000000u)
			hypercall(DISCO_HC_YIELD, 0, 0);
	}
	check_eq("the second VCPU's rounds", done, ROUNDS);
	check_eq("wrong values", bad, 0);
	check(seen == 100 || seen == 101, "last value %lu", (unsigned long)seen);
	/* its own tables end with the first VCPU's leave */
	hypercall(DISCO_HC_MMU_SETUP, 0, 0);
	check_miss("off", VA_USER);
	return verdict();
}
