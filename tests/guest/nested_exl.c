/* SPDX-License-Identifier: MIT */
/*
 * Rule: an exception while EXL = 1 leaves EPC and BD alone and uses the general vector, a TLB miss
 * too; Cause.ExcCode and BadVAddr are of the new one. MD00090 6.2.
 *
 * Method: with EXL set and EPC holding a mark, a break, a syscall in a delay slot and a load that
 * misses. The handler goes on at a label that the probe left in t1.
 */
#include "tests/guest/test.h"

/* a0 = Status with EXL, a1 = Status after, a2 = address; t1 = where to go on */
#define BODY(insns)                                                                                                                        \
	"move $10, $31\n\tbal 1f\n\tnop\n1:\tdaddiu $9, $31, 48\n\tmtc0 $4, $12\n\tehb\n\tli $8, 0x7770\n\tdmtc0 $8, $14\n\tehb\n\t" insns \
	"\n\tnop\n2:\tmtc0 $5, $12\n\tehb\n\tmove $31, $10"
/* bal at -8: ra = label 1; 1: + 48 = label 2 when insns are four words and a nop follows */
PROBE(p_break, BODY("break\n\tnop\n\tnop\n\tnop"));
PROBE(p_slot, BODY("beq $0, $0, 3f\n\tsyscall\n3:\tnop\n\tnop"));
PROBE(p_miss, BODY("ld $2, 0($6)\n\tnop\n\tnop\n\tnop"));
PROBE(p_store, BODY("sd $2, 0($6)\n\tnop\n\tnop\n\tnop"));

static struct frame seen;
static unsigned times;

static bool handler(struct frame *f)
{
	seen = *f;
	times++;
	f->epc = f->regs[9];
	return true;
}

static void one(const char *what, const void *p, enum exc exc, u64 va)
{
	times = 0;
	expect_none(what, probe(p, ST_BASE | ST_EXL, ST_BASE, va));
	check_eq(text("%s: times", what), times, 1);
	check_eq(text("%s: ExcCode", what), frame_exc(&seen), exc);
	check_eq(text("%s: vector", what), seen.vector, 0x180);
	check_eq(text("%s: EPC", what), seen.epc, 0x7770);
	check_eq(text("%s: BD", what), seen.cause & CAUSE_BD, 0);
	if (va)
		check_eq(text("%s: BadVAddr", what), seen.badvaddr, va);
}

int main(void)
{
	trap_hook = handler;
	one("break", p_break, EXC_BP, 0);
	one("syscall in a delay slot", p_slot, EXC_SYS, 0);
	one("load that misses", p_miss, EXC_TLBL, VA_USER);
	one("store that misses", p_store, EXC_TLBS, VA_XUSER);
	one("csseg", p_miss, EXC_TLBL, VA_CSSEG);
	one("xsseg", p_store, EXC_TLBS, VA_XSSEG);
	return verdict();
}
