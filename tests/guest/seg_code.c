/* SPDX-License-Identifier: MIT */
/*
 * Rule: kernel code may run anywhere that kernel mode can reach: exceptions and privileged
 * instructions there are the same, EPC in that segment. MD00090 4.3.
 *
 * Method: the probe page mapped in useg, xuseg, csseg and xsseg; syscall, mfc0, ei/di and a branch
 * with a privileged slot run at each.
 */
#include "tests/guest/test.h"

PROBE3(p_sys, "syscall");
PROBE(p_priv,
      "dmfc0 $2, $31, 3\n\ttlbp\n\tbeq $0, $0, 1f\n\tmfc0 $3, $15\n\tli $2, 9\n1:\tdaddiu $2, $2, 1");
PROBE1(p_ri, ".word 0x70000000");

extern char __probe_start[];

static void *at(u64 va, const void *p)
{
	return (void *)(va + (u64)((const char *)p - __probe_start));
}

static void exception(const char *what, u64 va, const void *p, const void *insn, enum exc exc,
		      bool bd)
{
	const struct trap *t = probe(at(va, p), 0, 0, 0);

	print("%s: %s\n", what, trap_name(t->exc));
	check(t->taken && t->exc == exc, "%s: %s", what, trap_name(t->exc));
	check_eq(what, t->f.epc, (u64)at(va, insn));
	check_eq(what, t->f.cause & CAUSE_BD, bd ? CAUSE_BD : 0);
	check_eq(what, (u32)t->f.badinstr, *(const u32 *)((const char *)insn + (bd ? 4 : 0)));
}

int main(void)
{
	static const u64 vas[] = { VA_USER, VA_XUSER, VA_CSSEG, VA_XSSEG };
	u64 pa = guest_pa(__probe_start);

	cp0_write_kscratch2(0x30);
	for (unsigned i = 0; i < ARRAY_SIZE(vas); i++) {
		tlb_map_at(TLB_FREE, vas[i], 0, LO_RW(pa), LO_RW(pa + PAGE_SIZE));
		exception("syscall", vas[i], p_sys, p_sys_at, EXC_SYS, false);
		exception("syscall in a delay slot", vas[i], p_sys_d, p_sys_d_at, EXC_SYS, true);
		exception("syscall in a forbidden slot", vas[i], p_sys_f, p_sys_f_at, EXC_SYS,
			  true);
		exception("reserved", vas[i], p_ri, p_ri_at, EXC_RI, false);
		expect_none("privileged", probe(at(vas[i], p_priv), 0, 0, 0));
		check_eq("result", probe(at(vas[i], p_priv), 0, 0, 0)->v0, 0x31);
	}
	if (!platform_is_native) { /* the other window onto the image */
		u64 alias = DISCO_XSSEG_BASE + pa;

		check_eq("xsseg window", probe(at(alias, p_priv), 0, 0, 0)->v0, 0x31);
		check_eq("xsseg window, EPC", probe(at(alias, p_sys), 0, 0, 0)->f.epc,
			 (u64)at(alias, p_sys_at));
	}
	return verdict();
}
