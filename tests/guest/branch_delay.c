/* SPDX-License-Identifier: MIT */
/*
 * Rule: an instruction in a delay slot executes whether the branch is taken or not, exactly once,
 * and afterwards the branch goes where its operands said, even when the slot's instruction trapped
 * and was emulated or retried. MD00087 4.1.
 *
 * Method: every branch of Release 6 that has a delay slot, taken and not taken, with in its slot
 * (a) a privileged instruction, which a monitor emulates, (b) a load that misses the TLB and is
 * retried from the branch. The result shows the slot's value and the path: +2 taken, +3 not taken.
 */
#include "tests/guest/test.h"

#define BODY(setup, branch, slot)                   \
	setup "\n\tli $3, 0\n\t" branch "\n\t" slot \
	      "\n\tori $3, $3, 1\n1:\tori $3, $3, 2\n\tdaddu $2, $2, $3"
#define BRANCH(name, setup, branch)                                  \
	PROBE(name##_priv, BODY(setup, branch, "dmfc0 $2, $31, 3")); \
	PROBE(name##_load, BODY(setup, branch, "ld $2, 0($6)"))
#define FSETUP ".word 0x44a40000" /* dmtc1 a0, f0 */
#define NONE   ""

BRANCH(b_beq, NONE, "beq $4, $5, 1f");
BRANCH(b_bne, NONE, "bne $4, $5, 1f");
BRANCH(b_blez, NONE, "blez $4, 1f");
BRANCH(b_bgtz, NONE, "bgtz $4, 1f");
BRANCH(b_bltz, NONE, "bltz $4, 1f");
BRANCH(b_bgez, NONE, "bgez $4, 1f");
BRANCH(b_bal, "move $9, $31", "bal 1f");
BRANCH(b_nal, "move $9, $31", ".word 0x04100002");
BRANCH(b_bc1eqz, FSETUP, ".word 0x45200002");
BRANCH(b_bc1nez, FSETUP, ".word 0x45a00002");
/* bal, nal and jalr use ra: these come back through t1 */
PROBE(b_jr_priv,
      "move $9, $31\n\tbal 2f\n\tli $3, 0\n2:\tdaddiu $8, $31, 20\n\tjr $8\n\tdmfc0 $2, $31, 3\n\tori $3, $3, 1\n\tnop\n"
      "1:\tori $3, $3, 2\n\tdaddu $2, $2, $3\n\tmove $31, $9");
PROBE(b_jr_load,
      "move $9, $31\n\tbal 2f\n\tli $3, 0\n2:\tdaddiu $8, $31, 20\n\tjr $8\n\tld $2, 0($6)\n\tori $3, $3, 1\n\tnop\n"
      "1:\tori $3, $3, 2\n\tdaddu $2, $2, $3\n\tmove $31, $9");

struct row {
	const char *what;
	const void *priv, *load;
	u64 a, b;
	bool taken;
};
#define ROW(name, a, b, taken)                                                     \
	{                                                                          \
#name, b_##name##_priv, b_##name##_load, (u64)(a), (u64)(b), taken \
	}

static const struct row rows[] = {
	ROW(beq, 5, 5, true),		ROW(beq, 5, 6, false),	  ROW(bne, 5, 6, true),
	ROW(bne, 5, 5, false),		ROW(blez, 0, 0, true),	  ROW(blez, -1, 0, true),
	ROW(blez, 1, 0, false),		ROW(bgtz, 1, 0, true),	  ROW(bgtz, 0, 0, false),
	ROW(bgtz, -1, 0, false),	ROW(bltz, -1, 0, true),	  ROW(bltz, 0, 0, false),
	ROW(bgez, 0, 0, true),		ROW(bgez, -1, 0, false),  ROW(bltz, 0x80000000, 0, false),
	ROW(bgez, 0x80000000, 0, true), /* 64-bit operands */
	ROW(bc1eqz, 2, 0, true),	ROW(bc1eqz, 1, 0, false), ROW(bc1nez, 1, 0, true),
	ROW(bc1nez, 2, 0, false),	ROW(jr, 0, 0, true),
};

#define SLOT_VALUE 0x1230

static unsigned refills;

static bool refill(struct frame *f)
{
	if (frame_exc(f) != EXC_TLBL || HI_VPN(f->badvaddr) != VA_USER)
		return false;
	refills++;
	check(f->cause & CAUSE_BD, "BD of the load in the slot");
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(page_pa(0)), LO_RW(page_pa(1)));
	return true;
}

static void run(const struct row *r, int mode)
{
	u64 wanted = SLOT_VALUE + (r->taken ? 2 : 3);
	const struct trap *t;

	if (mode == MODE_KERNEL) {
		t = probe(r->priv, r->a, r->b, VA_USER);
		expect_none(text("%s %s, privileged", r->what, r->taken ? "taken" : "not taken"),
			    t);
		check_eq(r->what, t->v0, wanted);
	}
	tlb_map_at(TLB_FREE, VA_XUSER, 0, 0, 0);
	refills = 0;
	t = probe_in(mode, r->load, r->a, r->b, VA_USER);
	expect_none(text("%s %s, load", r->what, r->taken ? "taken" : "not taken"), t);
	check_eq(r->what, t->v0, wanted);
	check_eq("refills", refills, 1);
}

/* bal and nal: ra is the instruction after the slot, already while the slot executes. */
PROBE(l_bal,
      "move $9, $31\n2:\tbal 1f\n\tdmtc0 $31, $31, 3\n\tnop\n1:\tmove $2, $31\n\tdmfc0 $3, $31, 3\n\tdsubu $3, $3, $2\n\t"
      "bal 3f\n\tnop\n3:\tdsubu $2, $31, $2\n\tdsll $3, $3, 8\n\tor $2, $2, $3\n\tmove $31, $9");
PROBE(l_nal,
      "move $9, $31\n\t.word 0x04100003\n\tdmtc0 $31, $31, 3\n\tnop\n1:\tmove $2, $31\n\tdmfc0 $3, $31, 3\n\tdsubu $3, $3, $2\n\t"
      "bal 3f\n\tnop\n3:\tdsubu $2, $31, $2\n\tdsll $3, $3, 8\n\tor $2, $2, $3\n\tmove $31, $9");
/* jalr with a link register of its own, and one whose slot reads that register */
PROBE(l_jalr,
      "move $9, $31\n\tbal 2f\n\tnop\n2:\tdaddiu $8, $31, 20\n\tjalr $10, $8\n\tdmtc0 $10, $31, 3\n\tnop\n\tnop\n"
      "1:\tdmfc0 $3, $31, 3\n\tdsubu $2, $10, $31\n\tdsubu $3, $3, $10\n\tdsll $3, $3, 8\n\tor $2, $2, $3\n\tmove $31, $9");

int main(void)
{
	cp0_write_status(ST_BASE | ST_CU1 | ST_FR);
	probe_user_status = ST_BASE | ST_CU1 | ST_FR;
	cp0_write_kscratch2(SLOT_VALUE);
	page_va(0)[0] = SLOT_VALUE;
	trap_hook = refill;
	for (int mode = MODE_KERNEL; mode <= MODE_USER; mode++) {
		print("mode %d\n", mode);
		for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
			run(&rows[i], mode);
	}
	check_eq("bal: ra in the slot and after", probe(l_bal, 0, 0, 0)->v0, 6 * 4);
	check_eq("nal: ra in the slot and after", probe(l_nal, 0, 0, 0)->v0, 6 * 4);
	check_eq("jalr: link in the slot and after", probe(l_jalr, 0, 0, 0)->v0, 3 * 4);
	return verdict();
}
