/* SPDX-License-Identifier: MIT */
/*
 * Rule: whatever way a guest takes to an odd address, it gets an address error there and the
 * machine lives. (An ERET to one makes QEMU 7.2 enter a MIPS16 mode that the processor does not
 * have; its translator then aborts QEMU. So this one is not for the bare machine.)
 *
 * Method: ERET and ERETNC to odd addresses in kernel and user mode, mapped or not; jumps to them
 * that miss the TLB; all low bits.
 */
#include "tests/guest/test.h"

PROBE(p_jump, "jr $4\n\tnop");
PROBE(p_eret, "mtc0 $5, $12\n\tehb\n\tdmtc0 $4, $14\n\tehb\n\teret");
PROBE(p_eretnc, "mtc0 $5, $12\n\tehb\n\tdmtc0 $4, $14\n\tehb\n\t.word 0x42000058");

static bool refill(struct frame *f)
{
	if (f->vector != 0x80)
		return false;
	check_eq("BadVAddr of the miss", f->badvaddr, f->epc);
	tlb_map_at(TLB_FREE, f->badvaddr, 0, LO_RW(page_pa(0)), LO_RW(page_pa(1)));
	return true;
}

static void one(const char *what, int mode, const void *p, u64 to, u32 status)
{
	const struct trap *t;

	tlb_map_at(TLB_FREE, VA_CSSEG + 0x100000, 0, 0, 0);
	t = probe_in(mode, p, to, status, 0);
	print("%s +%u: %s\n", what, (u32)(to & 3), trap_name(t->exc));
	check(t->taken && t->exc == EXC_ADEL, "%s: %s", what, trap_name(t->exc));
	check_eq("EPC", t->f.epc, to);
	check_eq("BadVAddr", t->f.badvaddr, to);
	check_eq("KSU", t->f.status & ST_KSU,
		 mode == MODE_USER || status & ST_KSU ? ST_KSU_USER : 0);
}

int main(void)
{
	need_monitor();
	trap_hook = refill;
	/* for exceptions from the user mode that ERET enters */
	guest_this_cpu()->stack = (u64)page_va(40);
	for (unsigned low = 1; low < 4; low++) {
		one("kernel: jump, useg", MODE_KERNEL, p_jump, VA_USER + low, 0);
		one("kernel: jump, csseg", MODE_KERNEL, p_jump, VA_CSSEG + low, 0);
		one("kernel: jump, xsseg", MODE_KERNEL, p_jump, VA_XSSEG + low, 0);
		one("kernel: jump, window", MODE_KERNEL, p_jump, (u64)page_va(0) + low, 0);
		one("user: jump", MODE_USER, p_jump, VA_XUSER + low, 0);
		one("eret, window", MODE_KERNEL, p_eret, (u64)page_va(0) + low, ST_BASE | ST_EXL);
		one("eret, csseg", MODE_KERNEL, p_eret, VA_CSSEG + low, ST_BASE | ST_EXL);
		one("eretnc, xuseg", MODE_KERNEL, p_eretnc, VA_XUSER + low, ST_BASE | ST_EXL);
		one("eret to user mode", MODE_KERNEL, p_eret, VA_XUSER + low,
		    ST_BASE | ST_EXL | ST_KSU_USER);
	}
	return verdict();
}
