/* SPDX-License-Identifier: MIT */
/*
 * Rule: BadInstr and BadInstrP are a VCPU's own. An exception that has no instruction - its fetch
 * failed - leaves them as they were, in a delay slot too, whatever another VM has executed since on
 * the same processor. MD00091, BadInstr.
 *
 * Method: SYSCALL in a delay slot sets both; time slices pass without an exception of ours; then a
 * jump to where no memory is, to where no page is, and to where no address is, and a branch whose
 * delay slot is on a page that is not there.
 *
 * Runs: with neighbour
 */
#include "tests/guest/pair.h"

#define LOOPS	    (SPIN_LOOPS / 2)
#define SYSCALL	    0x0000000cu
#define BEQ(o)	    (0x10000000u | (o)) /* beq $0, $0 */
#define ADDIU_A1(n) (0x24a50000u | ((n)&0xffff))
#define BNEZ_A1(o)  (0x14a00000u | ((o)&0xffff))

PROBE(p_set, "beq $0, $0, 1f\n\tsyscall\n1:\tnop");
PROBE(p_jump, "1:\taddiu $5, $5, -1\n\tbnez $5, 1b\n\tnop\n\tjr $4\n\tnop");

static void kept(const char *what, const struct trap *set, const struct trap *t, unsigned exc)
{
	check(t->taken && t->exc == exc, "%s: %s", what, trap_name(t->exc));
	check_eq(text("%s: BadInstr", what), (u32)t->f.badinstr, (u32)set->f.badinstr);
	check_eq(text("%s: BadInstrP", what), (u32)t->f.badinstrp, (u32)set->f.badinstrp);
}

static struct trap set_both(void)
{
	struct trap set = *probe(p_set, 0, 0, 0);

	check_eq("SYSCALL", (u32)set.f.badinstr, SYSCALL);
	check_eq("its branch", (u32)set.f.badinstrp >> 16, BEQ(0) >> 16);
	return set;
}

static void jump(const char *what, u64 va, unsigned exc)
{
	struct trap set = set_both();

	kept(what, &set, probe(p_jump, va, LOOPS, 0), exc);
}

/* The last words of a page: the loop, then a branch whose slot is on the next page. */
static void slot_not_there(void)
{
	volatile u32 *end = (volatile u32 *)((u64)page_va(1) + PAGE_SIZE);
	static const u32 words[] = { ADDIU_A1(-1), BNEZ_A1(-2), 0, BEQ(2) };
	struct trap set = set_both();

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		end[(int)i - (int)ARRAY_SIZE(words)] = words[i];
	asm volatile("synci 0(%0)\n\tsync" : : "r"(end - 8) : "memory");
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(page_pa(0)), LO_RW(page_pa(1)));
	const struct trap *t =
		probe((void *)(VA_USER + 2 * PAGE_SIZE - sizeof(words)), 0, LOOPS, 0);
	check_eq("BD", t->f.cause & CAUSE_BD, CAUSE_BD);
	kept("a slot that is not there", &set, t, EXC_TLBL);
}

int main(void)
{
	need_monitor();
	for (int i = 0; i < 3; i++) {
		jump("no memory", DISCO_CSSEG_BASE + (200ul << 20), EXC_IBE);
		jump("no page", VA_CSSEG, EXC_TLBL);
		jump("no address", 0x8000000000000000ul, EXC_ADEL);
		jump("no instruction's address", DISCO_CSSEG_BASE + 0x1002, EXC_ADEL);
		slot_not_there();
	}
	return verdict();
}
