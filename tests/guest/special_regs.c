/* SPDX-License-Identifier: MIT */
/*
 * Rule: a load from the special page gives what MFC0 gives; stores to Status (IE, EXL, KSU, CU1),
 * EPC, ErrorEPC, KScratch, UserLocal (at the next return to user mode), Context, XContext count as
 * MTC0. kernel/abi/disco.h.
 *
 * Method: registers written by MTC0 and read from the page, and the other way round; returns to
 * user mode by ERET and ERETNC with what was stored.
 */
#include "tests/guest/test.h"

static volatile u64 *reg(unsigned r, unsigned sel)
{
	return (volatile u64 *)(DISCO_SPECIAL_PAGE + DISCO_SP_REG(r, sel));
}

#define SAME32(name, r, sel) check_eq(#name, (u32)*reg(r, sel), (u32)cp0_read_##name())
#define SAME64(name, r, sel) check_eq(#name, *reg(r, sel), cp0_read_##name())

static void same(const char *what)
{
	print("%s\n", what);
	SAME32(index, 0, 0);
	SAME64(entrylo0, 2, 0);
	SAME64(entrylo1, 3, 0);
	SAME64(context, 4, 0);
	SAME64(userlocal, 4, 2);
	SAME32(pagemask, 5, 0);
	SAME32(pagegrain, 5, 1);
	SAME32(wired, 6, 0);
	SAME32(hwrena, 7, 0);
	SAME64(badvaddr, 8, 0);
	SAME32(badinstr, 8, 1);
	SAME32(badinstrp, 8, 2);
	SAME64(entryhi, 10, 0);
	SAME32(status, 12, 0);
	SAME32(intctl, 12, 1);
	SAME64(epc, 14, 0);
	SAME32(prid, 15, 0);
	SAME32(ebase, 15, 1);
	SAME32(config, 16, 0);
	SAME32(config1, 16, 1);
	SAME32(config2, 16, 2);
	SAME32(config3, 16, 3);
	SAME32(config4, 16, 4);
	SAME32(config5, 16, 5);
	SAME64(xcontext, 20, 0);
	SAME64(errorepc, 30, 0);
	SAME64(kscratch1, 31, 2);
	SAME64(kscratch6, 31, 7);
}

static void stores(void)
{
	*reg(14, 0) = 0x1234567812345678;
	check_eq("EPC", cp0_read_epc(), 0x1234567812345678);
	*reg(30, 0) = ~4ul;
	check_eq("ErrorEPC", cp0_read_errorepc(), ~4ul);
	*reg(31, 4) = 0x1122334455667788;
	check_eq("KScratch3", cp0_read_kscratch3(), 0x1122334455667788);
	*reg(4, 2) = 0x5555;
	check_eq("UserLocal", cp0_read_userlocal(), 0x5555);
	*(volatile u32 *)reg(12, 0) = ST_BASE | ST_EXL;
	check_eq("Status", cp0_read_status(), ST_BASE | ST_EXL);
	*(volatile u32 *)reg(12, 0) = ST_BASE;
	check_eq("Status", cp0_read_status(), ST_BASE);
}

/* ---- returns to user mode ---- */

PROBE(p_userlocal, "rdhwr $2, $29\n\tsyscall 1\n\trdhwr $2, $29");
PROBE(p_many, "move $2, $0\n1:\tsyscall 1\n\taddiu $2, $2, 1\n\tbne $2, $4, 1b\n\tnop");
PROBE(p_fpu, ".set hardfloat\n\tdmtc1 $4, $f7\n\tsyscall 1\n\tdmfc1 $2, $f7");

static bool eretnc;
static u64 stored_userlocal, calls;
static u32 stored_status;

/* SYSCALL 1: on with what the test stores in the page; the frame's own way out is MTC0 and ERET. */
static bool handler(struct frame *f)
{
	if (frame_exc(f) != EXC_SYS || (f->badinstr >> 6 & 0xfffff) != 1)
		return false;
	calls++;
	frame_skip(f);
	f->keep_ll = eretnc;
	*reg(4, 2) = stored_userlocal;
	if (stored_status)
		f->status = stored_status;
	return true;
}

static void returns(void)
{
	trap_hook = handler;
	cp0_write_hwrena(1u << 29);
	for (unsigned i = 0; i < 4; i++) {
		eretnc = i & 1;
		stored_userlocal = 0xabcdef0000 + i;
		check_eq("UserLocal in user mode", probe_user(p_userlocal, 0, 0, 0)->v0,
			 0xabcdef0000 + i);
		calls = 0;
		check_eq("system calls", probe_user(p_many, 1000, 0, 0)->v0, 1000);
		check_eq("handled", calls, 1000);
	}
	/* CU1: given to the program by the kernel, and not */
	probe_user_status = ST_BASE | ST_CU1 | ST_FR;
	eretnc = true;
	check_eq("FPU", probe_user(p_fpu, 0x77, 0, 0)->v0, 0x77);
	stored_status = ST_BASE | ST_FR | ST_KSU_USER | ST_EXL;
	EXPECT("no FPU", probe_user(p_fpu, 0x77, 0, 0), .exc = EXC_CPU, .ce = 1, .at = p_fpu + 8);
	trap_hook = NULL;
}

int main(void)
{
	need_monitor();
	same("start");
	cp0_write_context(~0ul);
	cp0_write_xcontext(~0ul);
	cp0_write_entrylo0(LO_RW(0x5000));
	cp0_write_entryhi(0x12000);
	cp0_write_kscratch6(0x77777);
	cp0_write_hwrena(0xf);
	cp0_write_userlocal(99);
	cp0_write_epc(0x1000);
	cp0_write_index(5);
	cp0_write_wired(3);
	same("written");
	load(MODE_KERNEL, VA_XUSER);
	same("after a miss");
	load(MODE_USER, ~0ul);
	same("after an address error");
	probe_user_status = ST_BASE | ST_CU1 | ST_FR;
	stores();
	returns();
	cp0_write_status(ST_BASE);
	same("end");
	return verdict();
}
