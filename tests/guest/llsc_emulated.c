/* SPDX-License-Identifier: MIT */
/*
 * Rule: privileged instructions between LL and SC do not break the pair: hardware executes them
 * without touching LLbit, so a monitor that emulates them must return with ERETNC. Linux's refill
 * code has LL; TLBP; SC. First rule of "Surprises".
 *
 * Method: one instruction of each emulated kind between LL and SC; SC must succeed.
 */
#include "tests/guest/test.h"

#define BETWEEN(name, insn) \
	PROBE(p_##name, "ll $2, 0($4)\n\t" insn "\n\tmove $3, $5\n\tsc $3, 0($4)\n\tmove $2, $3")
BETWEEN(tlbp, "tlbp");
BETWEEN(mfc0, "mfc0 $8, $12");
BETWEEN(mtc0, "mtc0 $0, $5");
BETWEEN(dmtc0, "dmtc0 $0, $31, 3");
BETWEEN(di, "di $8");
BETWEEN(tlbr, "tlbr");
BETWEEN(cache, "cache 0x15, 0($4)");
BETWEEN(many,
	"mfc0 $8, $12\n\tmfc0 $8, $13\n\tdmfc0 $8, $10\n\tdmtc0 $8, $10\n\ttlbp\n\tmfc0 $8, $0\n\tehb");
BETWEEN(slot, "beq $0, $0, 1f\n\tmfc0 $8, $12\n1:");

/* The end of a time slice between LL and SC makes SC fail, rightly: ten tries. */
static void one(const char *name, const void *p, u64 n)
{
	const struct trap *t;

	for (int i = 0; i < 10; i++) {
		t = probe(p, (u64)page_va(0), n, 0);
		if (t->taken || t->v0 == 1)
			break;
	}
	expect_none(name, t);
	check_eq(text("%s: sc", name), t->v0, 1);
	check_eq(text("%s: memory", name), page_va(0)[0], n);
}

#define ONE(name) one(#name, p_##name, ++n)

int main(void)
{
	u64 n = 0;

	page_va(0)[0] = 0;
	ONE(tlbp);
	ONE(mfc0);
	ONE(mtc0);
	ONE(dmtc0);
	ONE(di);
	ONE(tlbr);
	ONE(cache);
	ONE(many);
	ONE(slot);
	return verdict();
}
