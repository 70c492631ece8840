/* SPDX-License-Identifier: MIT */
/*
 * Rule: a branch may be the last word of a page: when its delay slot on the next page cannot be
 * fetched, EPC is the branch, BD is set and BadVAddr is the slot; after the refill the branch is
 * done again and both pages' instructions execute once. So it is when the slot holds an instruction
 * that a monitor emulates. MD00090 6.2.
 *
 * Method: two mapped pages of code, the second one missing at first, or without V; a branch with a
 * plain and with a privileged instruction in the slot; compact branches with forbidden slots;
 * kernel and user mode.
 */
#include "tests/guest/test.h"

#define LI_V0(n)    (0x24020000u | (n))
#define ADDIU_V0_1  0x24420001u		/* addiu v0, v0, 1 */
#define BEQ(o)	    (0x10000000u | (o)) /* beq $0, $0 */
#define BNEZC_AT(o) (0xf8200000u | (o)) /* bnezc at */
#define DMFC0_V0_KS 0x4022f803u		/* dmfc0 v0, KScratch2 */
#define JR_RA	    0x03e00009u
#define NOP	    0u
#define MOVE_AT_0   0x00000825u

PROBE(p_call, "move $9, $31\n\tjalr $4\n\tnop\n\tmove $31, $9");

static u64 at_va;
static unsigned misses;
static bool expect_bd;

static bool refill(struct frame *f)
{
	if (frame_exc(f) != EXC_TLBL || HI_VPN(f->badvaddr) != HI_VPN(at_va + 2 * PAGE_SIZE))
		return false;
	misses++;
	check_eq("BadVAddr", f->badvaddr, at_va + 2 * PAGE_SIZE);
	check_eq("BD", f->cause & CAUSE_BD, expect_bd ? CAUSE_BD : 0);
	check_eq("EPC", f->epc, at_va + 2 * PAGE_SIZE - (expect_bd ? 4 : 0));
	tlb_map_at(TLB_FREE + 1, at_va + 2 * PAGE_SIZE, 0, LO_RW(page_pa(2)), LO_RW(page_pa(3)));
	return true;
}

/* words: before the end of page 1, from the start of page 2 on; run from the first of them. */
static void one(int mode, u64 va, const char *what, const u32 *before, unsigned nbefore,
		const u32 *behind, unsigned nbehind, u64 wanted)
{
	volatile u32 *end = (volatile u32 *)((u64)page_va(1) + PAGE_SIZE),
		     *next = (volatile u32 *)page_va(2);

	at_va = va;
	for (unsigned i = 0; i < nbefore; i++)
		end[(int)i - (int)nbefore] = before[i];
	for (unsigned i = 0; i < nbehind; i++)
		next[i] = behind[i];
	asm volatile("synci 0(%0)\n\tsynci 0(%1)\n\tsync" : : "r"(end - 8), "r"(next) : "memory");
	for (int valid = 0; valid < 2; valid++) {
		const struct trap *t;

		misses = 0;
		tlb_map_at(TLB_FREE, va, 0, LO_RW(page_pa(0)), LO_RW(page_pa(1)));
		if (valid) /* there, but V = 0: the general vector */
			tlb_map_at(TLB_FREE + 1, va + 2 * PAGE_SIZE, 0, 0, 0);
		else
			tlb_write_at(TLB_FREE + 1, (struct tlb_entry){ .hi = HI_EHINV });
		t = probe_in(mode, p_call, va + 2 * PAGE_SIZE - 4 * nbefore, 0, 0);
		expect_none(what, t);
		check_eq(what, t->v0, wanted);
		check_eq("misses", misses, 1);
	}
}

#define ONE(mode, va, what, before, behind, wanted) \
	one(mode, va, what, before, ARRAY_SIZE(before), behind, ARRAY_SIZE(behind), wanted)

int main(void)
{
	static const u64 vas[] = { VA_USER, VA_CSSEG, VA_XSSEG };
	const u32 taken[] = { LI_V0(0x10), BEQ(3) },
		  compact[] = { LI_V0(0x10), MOVE_AT_0, BNEZC_AT(2) }, plain[] = { LI_V0(0x10) };
	const u32 slot[] = { ADDIU_V0_1, LI_V0(0x70), LI_V0(0x71), JR_RA, ADDIU_V0_1 };
	const u32 slot_priv[] = { DMFC0_V0_KS, LI_V0(0x70), LI_V0(0x71), JR_RA, ADDIU_V0_1 };
	const u32 forbidden[] = { ADDIU_V0_1, JR_RA, ADDIU_V0_1 },
		  forbidden_priv[] = { DMFC0_V0_KS, JR_RA, ADDIU_V0_1 };

	trap_hook = refill;
	cp0_write_kscratch2(0x20);
	for (unsigned i = 0; i < ARRAY_SIZE(vas); i++) {
		expect_bd = true;
		ONE(MODE_KERNEL, vas[i], "delay slot", taken, slot, 0x12);
		ONE(MODE_KERNEL, vas[i], "delay slot, privileged", taken, slot_priv, 0x21);
		ONE(MODE_KERNEL, vas[i], "forbidden slot", compact, forbidden, 0x12);
		ONE(MODE_KERNEL, vas[i], "forbidden slot, privileged", compact, forbidden_priv,
		    0x21);
		expect_bd = false;
		ONE(MODE_KERNEL, vas[i], "no slot", plain, forbidden_priv, 0x21);
	}
	expect_bd = true;
	ONE(MODE_USER, VA_USER, "user: delay slot", taken, slot, 0x12);
	ONE(MODE_USER, VA_USER, "user: forbidden slot", compact, forbidden, 0x12);
	return verdict();
}
