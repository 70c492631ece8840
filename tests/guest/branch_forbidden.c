/* SPDX-License-Identifier: MIT */
/*
 * Rule: the instruction after a compact branch (its forbidden slot) executes only when the branch
 * is not taken; when it traps, EPC is the branch and BD is set, and after emulation execution goes
 * on behind the slot. MD00087 4.1.3; third rule of "Surprises".
 *
 * Method: every conditional compact branch, taken and not taken, with a privileged instruction, and
 * with a load that misses, in the slot. The result shows path and value: not taken = slot value +
 * 3, taken = mark + 2.
 */
#include "tests/guest/test.h"

#define BODY(branch, slot)                                               \
	"move $9, $31\n\tli $2, 0x77\n\tli $3, 0\n\t" branch "\n\t" slot \
	"\n\tori $3, $3, 1\n1:\tori $3, $3, 2\n\tdaddu $2, $2, $3\n\t"   \
	"move $31, $9"
#define BRANCH(name, branch)                                      \
	PROBE(c_##name##_priv, BODY(branch, "dmfc0 $2, $31, 3")); \
	PROBE(c_##name##_load, BODY(branch, "ld $2, 0($6)"))

BRANCH(beqc, "beqc $4, $5, 1f");
BRANCH(bnec, "bnec $4, $5, 1f");
BRANCH(bltc, "bltc $4, $5, 1f");
BRANCH(bgec, "bgec $4, $5, 1f");
BRANCH(bltuc, "bltuc $4, $5, 1f");
BRANCH(bgeuc, "bgeuc $4, $5, 1f");
BRANCH(beqzc, "beqzc $4, 1f");
BRANCH(bnezc, "bnezc $4, 1f");
BRANCH(blezc, "blezc $4, 1f");
BRANCH(bgezc, "bgezc $4, 1f");
BRANCH(bgtzc, "bgtzc $4, 1f");
BRANCH(bltzc, "bltzc $4, 1f");
BRANCH(bovc, "bovc $4, $5, 1f");
BRANCH(bnvc, "bnvc $4, $5, 1f");
BRANCH(beqzalc, "beqzalc $4, 1f");
BRANCH(bnezalc, "bnezalc $4, 1f");
BRANCH(blezalc, "blezalc $4, 1f");
BRANCH(bgezalc, "bgezalc $4, 1f");
BRANCH(bgtzalc, "bgtzalc $4, 1f");
BRANCH(bltzalc, "bltzalc $4, 1f");

struct row {
	const char *what;
	const void *priv, *load;
	u64 a, b;
	bool taken;
};
#define ROW(name, a, b, taken)                                                     \
	{                                                                          \
#name, c_##name##_priv, c_##name##_load, (u64)(a), (u64)(b), taken \
	}
#define MAX32 0x7fffffff

static const struct row rows[] = {
	ROW(beqc, 5, 6, 0),	ROW(beqc, 5, 5, 1),	ROW(bnec, 5, 5, 0),
	ROW(bnec, 5, 6, 1),	ROW(bltc, 6, 5, 0),	ROW(bltc, -1, 5, 1),
	ROW(bgec, -1, 5, 0),	ROW(bgec, 5, 5, 1),	ROW(bltuc, -1, 5, 0),
	ROW(bltuc, 5, -1, 1),	ROW(bgeuc, 5, -1, 0),	ROW(bgeuc, -1, 5, 1),
	ROW(beqzc, 1, 0, 0),	ROW(beqzc, 0, 0, 1),	ROW(bnezc, 0, 0, 0),
	ROW(bnezc, 1, 0, 1),	ROW(blezc, 1, 0, 0),	ROW(blezc, 0, 0, 1),
	ROW(bgezc, -1, 0, 0),	ROW(bgezc, 0, 0, 1),	ROW(bgtzc, 0, 0, 0),
	ROW(bgtzc, 1, 0, 1),	ROW(bltzc, 0, 0, 0),	ROW(bltzc, -1, 0, 1),
	ROW(bovc, 1, 2, 0),	ROW(bovc, MAX32, 1, 1), ROW(bnvc, MAX32, 1, 0),
	ROW(bnvc, 1, 2, 1),	ROW(beqzalc, 1, 0, 0),	ROW(beqzalc, 0, 0, 1),
	ROW(bnezalc, 0, 0, 0),	ROW(bnezalc, 1, 0, 1),	ROW(blezalc, 1, 0, 0),
	ROW(blezalc, 0, 0, 1),	ROW(bgezalc, -1, 0, 0), ROW(bgezalc, 0, 0, 1),
	ROW(bgtzalc, 0, 0, 0),	ROW(bgtzalc, 1, 0, 1),	ROW(bltzalc, 0, 0, 0),
	ROW(bltzalc, -1, 0, 1),
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
	u64 wanted = r->taken ? 0x77 + 2 : SLOT_VALUE + 3;
	const char *which = r->taken ? "taken" : "not taken";
	const struct trap *t;

	if (mode == MODE_KERNEL) {
		t = probe(r->priv, r->a, r->b, VA_USER);
		expect_none(text("%s %s, privileged", r->what, which), t);
		check_eq(r->what, t->v0, wanted);
	}
	tlb_map_at(TLB_FREE, VA_XUSER, 0, 0, 0);
	refills = 0;
	t = probe_in(mode, r->load, r->a, r->b, VA_USER);
	expect_none(text("%s %s, load", r->what, which), t);
	check_eq(r->what, t->v0, wanted);
	check_eq("refills", refills, !r->taken);
}

int main(void)
{
	cp0_write_kscratch2(SLOT_VALUE);
	page_va(0)[0] = SLOT_VALUE;
	trap_hook = refill;
	for (int mode = MODE_KERNEL; mode <= MODE_USER; mode++) {
		print("mode %d\n", mode);
		for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
			run(&rows[i], mode);
	}
	return verdict();
}
