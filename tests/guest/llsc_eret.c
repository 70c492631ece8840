/* SPDX-License-Identifier: MIT */
/*
 * Rule: ERET clears LLbit, so that an SC after an exception whose handler ends with ERET fails;
 * ERETNC leaves it, and the SC succeeds. MD00087 ERET, ERETNC.
 *
 * Method: LL; SYSCALL; SC with a handler that ends either way, kernel and user mode; then LL; load
 * that misses; SC in a loop: it must come to an end although the refill handler uses ERET.
 */
#include "tests/guest/test.h"

PROBE(p_llsc, "ll $2, 0($4)\n\tmove $3, $5\n\tsyscall 1\n\tsc $3, 0($4)\n\tmove $2, $3");
/* returns the number of rounds */
PROBE(p_loop,
      "li $2, 0\n1:\tdaddiu $2, $2, 1\n\tll $8, 0($4)\n\tld $9, 0($5)\n\tdaddiu $8, $8, 1\n\tsc $8, 0($4)\n\tbeqz $8, 1b\n\tnop");

static bool keep;

static bool handler(struct frame *f)
{
	if (frame_exc(f) == EXC_SYS && (f->badinstr >> 6 & 0xfffff) == 1) {
		frame_skip(f);
		f->keep_ll = keep;
		return true;
	}
	if (f->vector == 0x80 && HI_VPN(f->badvaddr) == VA_XUSER) {
		tlb_map_at(TLB_FREE + 1, VA_XUSER, 0, LO_RW(page_pa(1)), 0);
		return true;
	}
	return false;
}

int main(void)
{
	u64 vas[2] = { (u64)page_va(0), VA_USER };
	const struct trap *t = NULL;

	trap_hook = handler;
	page_va(0)[0] = 0;
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(page_pa(0)), 0);
	for (int mode = MODE_KERNEL; mode <= MODE_USER; mode++) {
		keep = false;
		check_eq("sc after eret", probe_in(mode, p_llsc, vas[mode], 0x11, 0)->v0, 0);
		check_eq("memory", page_va(0)[0], 0);
		keep = true;
		/* the end of a time slice between LL and SC makes SC fail, too: ten tries */
		for (int i = 0; i < 10 && !page_va(0)[0]; i++)
			t = probe_in(mode, p_llsc, vas[mode], 0x11, 0);
		check_eq("sc after eretnc", t ? t->v0 : 0, 1);
		check_eq("memory", page_va(0)[0], 0x11);
		page_va(0)[0] = 0;
		tlb_map_at(TLB_FREE + 1, VA_CSSEG, 0, 0, 0);
		t = probe_in(mode, p_loop, vas[mode], VA_XUSER, 0);
		expect_none("ll, miss, sc", t);
		check(t->v0 >= 2 && t->v0 < 10, "%lu rounds", (unsigned long)t->v0);
		check_eq("memory", page_va(0)[0], 1);
		page_va(0)[0] = 0;
		print("mode %d\n", mode);
	}
	return verdict();
}
