/* SPDX-License-Identifier: MIT */
/*
 * Rule: a page of code that was patched, and is stored to, is a page as any: when another takes its place it is gone from all addresses
 * (arch/mips/mmu.c, machine_lo).
 *
 * Method: a function whose loads trap in a kernel that was linked for KSEG0 runs until they do so no longer. A store through memory's window
 * takes the copy of its page away; then REMAP puts another page in its place, and the window shows that, also after a store to it, which the
 * other page has nothing of.
 *
 * Needs: nothing
 * Runs: rewritten
 */
#include "tests/guest/test.h"

#define ROUNDS 32u
#define LOADS  8
#define OTHER  100u /* far away: translations of neighbours are made together */
#define LAST   (PAGE_SIZE / sizeof(u64) - 1)

asm(".pushsection .text\n"
    ".set push\n.set noreorder\n.set noat\n"
    ".balign 8192\n" /* a pair of its own: one of the TLB has two pages */
    ".globl code_page\n"
    "code_page:\n" /* a0: an address; v0: LOADS times what is there */
    "li $2, 0\n"
    ".rept 8\n"
    "ld $3, 0($4)\n"
    "daddu $2, $2, $3\n"
    ".endr\n"
    "jr $31\n"
    "nop\n"
    ".balign 8192\n"
    ".set pop\n"
    ".popsection");

extern u32 code_page[];

static u64 datum = 5;

/* Also where a kernel has its own memory in KSEG0. */
static volatile u64 *in_window(u64 pa) { return (volatile u64 *)(DISCO_XSSEG_BASE + pa); }

static void run_until_patched(void)
{
	u64 (*call)(u64) = (u64(*)(u64))(u64)code_page;

	for (u32 i = 0; i < 4; i++)
		check_eq("its sum", call((u64)&datum), LOADS * datum);
}

int main(void)
{
	u64 at = guest_pa(code_page);
	volatile u64 *page = in_window(at), *other = in_window(page_pa(OTHER));
	u32 passed = 0;

	need_monitor();
	for (u64 round = 0; round < ROUNDS; round++) {
		run_until_patched();
		page[LAST] = round;
		for (u32 i = 0; i < LAST; i++)
			other[i] = page[i];
		other[LAST] = 1000 + round;
		if (hypercall(DISCO_HC_REMAP, at, page_pa(OTHER)))
			continue; /* not now: a page is on its way to another node */
		passed++;
		check_eq("another in its place", page[LAST], 1000 + round);
		page[LAST] = 2000 + round;
		check_eq("written", page[LAST], 2000 + round);
		check_eq("the other one", other[LAST], 1000 + round);
	}
	check(passed > ROUNDS / 2, "%u of %u pages were passed", passed, ROUNDS);
	return verdict();
}
