/* SPDX-License-Identifier: MIT */
/*
 * What the programs that share a processor do: fill everything a VM has with a pattern, let time
 * slices pass, look whether it is still there. `who` is the pattern of the program.
 */
#ifndef TESTS_GUEST_PAIR_H
#define TESTS_GUEST_PAIR_H

#include "tests/guest/test.h"

#define SECOND	     166666667u
#define OURS	     0x0a0a000000000000ul
#define NEIGHBOUR    0x5eed000000000000ul
#define PATTERN_MASK 0xffff000000000000ul

/* Several slices of whatever length: a tenth of a second, with YIELD now and then. */
#define SPIN_LOOPS 3000000ul

/* Memory behind what the library and the tests' pages use, to the end of the smallest VM of the
 * pair tests (8 MB). */
#define PAIR_FROM page_pa(600)
#define PAIR_TO	  (8ul << 20)

static inline void fill_memory(u64 who)
{
	for (u64 pa = PAIR_FROM; pa < PAIR_TO; pa += 8)
		*(volatile u64 *)guest_va(pa) = who | pa;
}

static inline void check_memory(u64 who)
{
	u64 wrong = 0;

	for (u64 pa = PAIR_FROM; pa < PAIR_TO; pa += 8)
		wrong += *(volatile u64 *)guest_va(pa) != (who | pa);
	check_eq("words of memory that changed", wrong, 0);
}

/* All general registers but zero, k0, k1, sp, ra (t8, t9 and kscratch keep them) hold a0 + n while
 * a loop runs. */
#define G_SET(n) "daddiu $" #n ", $4, " #n "\n\t"
#define G_CHK(n) "daddiu $26, $4, " #n "\n\tdsubu $26, $26, $" #n "\n\tor $27, $27, $26\n\t"
#define G_ALL(op)                                                                                  \
	op(1) op(2) op(3) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) op(14) op(15) op(24) \
		op(25)
PROBE(pair_gpr,
      "dsll $4, $4, 0\n\t" G_ALL(G_SET) "1:\tdaddiu $5, $5, -1\n\tbnez $5, 1b\n\tnop\n\tmove $27, $0\n\t" G_ALL(
	      G_CHK) "move $2, $27");

#define F_SET(n) "daddiu $8, $4, " #n "\n\tdmtc1 $8, $f" #n "\n\t"
#define F_CHK(n) \
	"dmfc1 $8, $f" #n "\n\tdaddiu $9, $4, " #n "\n\tdsubu $8, $8, $9\n\tor $2, $2, $8\n\t"
#define F_ALL(op)                                                                               \
	op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) \
		op(14) op(15) op(16) op(17) op(18) op(19) op(20) op(21) op(22) op(23) op(24)    \
			op(25) op(26) op(27) op(28) op(29) op(30) op(31)
PROBE(pair_fpr,
      ".set push\n\t.set hardfloat\n\tctc1 $6, $31\n\t" F_ALL(F_SET) "1:\tdaddiu $5, $5, -1\n\tbnez $5, 1b\n\tnop\n\tli $2, 0\n\t" F_ALL(
	      F_CHK) "cfc1 $8, $31\n\txor $8, $8, $6\n\tandi $8, $8, 3\n\tor $2, $2, $8\n\t.set pop");

static inline void pair_registers(u64 who)
{
	check_eq("general registers, kernel", probe(pair_gpr, who, SPIN_LOOPS, 0)->v0, 0);
	check_eq("general registers, user", probe_user(pair_gpr, who, SPIN_LOOPS, 0)->v0, 0);
}

static inline void pair_fpu(u64 who)
{
	u64 rounding = who == OURS ? 1 : 2;

	cp0_write_status(ST_BASE | ST_CU1 | ST_FR);
	probe_user_status = ST_BASE | ST_CU1 | ST_FR;
	check_eq("FPU registers, kernel", probe(pair_fpr, who, SPIN_LOOPS, rounding)->v0, 0);
	check_eq("FPU registers, user", probe_user(pair_fpr, who, SPIN_LOOPS, rounding)->v0, 0);
	cp0_write_status(ST_BASE);
	probe_user_status = ST_BASE;
}

PROBE(pair_spin, "1:\tdaddiu $5, $5, -1\n\tbnez $5, 1b\n\tnop");
PROBE(pair_rdhwr, "1:\tdaddiu $5, $5, -1\n\tbnez $5, 1b\n\tnop\n\trdhwr $2, $29");

static inline void pair_cp0(u64 who)
{
	cp0_write_kscratch2(who | 1);
	cp0_write_kscratch6(who | 2);
	cp0_write_userlocal(who | 3);
	cp0_write_hwrena(who == OURS ? 0x20000000 : 0x20000005);
	cp0_write_entrylo0(who >> 44);
	cp0_write_entryhi(who == OURS ? 0x111 : 0x222);
	check_eq("UserLocal in user mode", probe_user(pair_rdhwr, 0, SPIN_LOOPS, 0)->v0, who | 3);
	probe(pair_spin, 0, SPIN_LOOPS, 0);
	check_eq("KScratch2", cp0_read_kscratch2(), who | 1);
	check_eq("KScratch6", cp0_read_kscratch6(), who | 2);
	check_eq("UserLocal", cp0_read_userlocal(), who | 3);
	check_eq("HWREna", cp0_read_hwrena(), who == OURS ? 0x20000000 : 0x20000005);
	check_eq("EntryHi", cp0_read_entryhi() & HI_ASID, who == OURS ? 0x111 : 0x222);
	cp0_write_entryhi(0);
	cp0_write_hwrena(0);
}

/* The same addresses and ASIDs in both VMs, each to its own page. */
static inline void pair_tlb(u64 who)
{
	static const u64 vas[] = { VA_USER, VA_XUSER, VA_CSSEG, VA_XSSEG };
	unsigned wrong = 0;

	page_va(0)[0] = who | 7;
	page_va(1)[0] = who | 8;
	for (unsigned i = 0; i < 4; i++)
		tlb_map_at(TLB_FREE + i, vas[i], 5, LO_RW(page_pa(0)) | (i & 1),
			   LO_RW(page_pa(1)) | (i & 1));
	cp0_write_entryhi(5);
	for (unsigned round = 0; round < 50; round++) {
		for (unsigned i = 0; i < 4; i++) {
			wrong += *(volatile u64 *)vas[i] != (who | 7);
			wrong += *(volatile u64 *)(vas[i] + PAGE_SIZE) != (who | 8);
		}
		if (round % 10 == 0)
			hypercall(DISCO_HC_YIELD, 0, 0);
		probe(pair_spin, 0, SPIN_LOOPS / 50, 0);
	}
	check_eq("loads that saw another page", wrong, 0);
	cp0_write_entryhi(0);
	tlb_clear();
}

#endif /* TESTS_GUEST_PAIR_H */
