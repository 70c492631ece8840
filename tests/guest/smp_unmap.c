/* SPDX-License-Identifier: MIT */
/*
 * Rule: with check=1 the monitor reports nothing of a guest that does as Linux does: a page that
 * two VCPUs use is taken away and flushed on one after the other, each by a call whose mask names
 * that one alone, so that the caller still has it while the other is flushed. kernel/options.h.
 *
 * Method: one VCPU maps, touches and unmaps four pages by turns; the other touches them, too.
 *
 * Needs: vcpus=2 nodes=2
 */
#include "tests/guest/smp.h"
#include "tests/guest/walk.h"

#define ROUNDS 300ul
#define ASID   1

static volatile u64 mapped, touched; /* rounds */

static u64 page_of(u64 round) { return VA_USER + round % 4 * PAGE_SIZE; }

static void other(u64 id)
{
	walk_setup();
	walk_switch(ASID, walk_root);
	for (u64 round = 1; round <= ROUNDS && smp_wait(&mapped, round); round++) {
		check_eq("what the other sees", *(volatile u64 *)page_of(round), round);
		touched = round;
	}
	(void)id;
}

static void unmap(u64 va)
{
	*walk_entry(walk_last, va) = 0;
	hypercall4(DISCO_HC_MMU_FLUSH, va, PAGE_SIZE, 1ul << 1, ASID);
	hypercall4(DISCO_HC_MMU_FLUSH, va, PAGE_SIZE, 1ul << 0, ASID);
}

int main(void)
{
	need_monitor();
	walk_on();
	walk_switch(ASID, walk_root);
	check_eq("start", (u64)smp_start(1, other, 1), 0);
	for (u64 round = 1; round <= ROUNDS; round++) {
		u64 va = page_of(round);

		*walk_entry(walk_last, va) = PTE(page_pa(8 + round % 7), PRESENT | WRITE);
		*(volatile u64 *)va = round;
		mapped = round;
		if (!smp_wait(&touched, round))
			break;
		unmap(va);
	}
	check_eq("rounds", touched, ROUNDS);
	return verdict();
}
