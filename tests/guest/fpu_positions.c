/* SPDX-License-Identifier: MIT */
/*
 * Rule: the first floating-point instruction after CU1 was set (which a monitor may have to serve
 * by loading the registers) works in every position: plain, delay slot, forbidden slot, load,
 * store, and a branch on an FP condition. MD00087.
 *
 * Method: CU1 is toggled before each so that each is the first.
 */
#include "tests/guest/test.h"

/* f0 holds 3.0: 0x4008000000000000, f2 = 0 */
PROBE(p_set, ".set push\n\t.set hardfloat\n\tdmtc1 $4, $f0\n\tdmtc1 $0, $f2\n\t.set pop");
PROBE(p_plain, ".word 0x44220000"); /* dmfc1 v0, f0 */
PROBE(p_slot, "beq $0, $0, 1f\n\t.word 0x44220000\n\tnop\n1:");
PROBE(p_forbidden, "move $1, $0\n\tbnezc $1, 1f\n\t.word 0x44220000\n\tnop\n1:");
PROBE(p_store, ".word 0xf4800000\n\tld $2, 0($4)");    /* sdc1 f0, 0(a0) */
PROBE(p_load, ".word 0xd4800000\n\t.word 0x44220000"); /* ldc1 f0, 0(a0) */
PROBE(p_load_slot, "beq $0, $0, 1f\n\t.word 0xd4800000\n\tnop\n1:\t.word 0x44220000");
/* bc1eqz f2, over the li */
PROBE(p_branch, "li $2, 1\n\t.word 0x45220002\n\tli $3, 9\n\tli $2, 2");

#define THREE 0x4008000000000000ul
#define FOUR  0x4010000000000000ul

static void one(int mode, const char *what, const void *p, u64 wanted)
{
	u64 a = mode == MODE_USER ? USER_DATA : (u64)probe_user_data();
	const struct trap *t;

	probe_user_status = ST_BASE | ST_CU1 | ST_FR;
	cp0_write_status(ST_BASE | ST_CU1 | ST_FR);
	probe(p_set, THREE, 0, 0);
	cp0_write_status(ST_BASE);
	*probe_user_data() = FOUR;
	cp0_write_status(ST_BASE | ST_CU1 | ST_FR);
	t = probe_in(mode, p, a, 0, 0);
	expect_none(what, t);
	check_eq(what, t->v0, wanted);
}

int main(void)
{
	for (int mode = MODE_KERNEL; mode <= MODE_USER; mode++) {
		print("mode %d\n", mode);
		one(mode, "plain", p_plain, THREE);
		one(mode, "delay slot", p_slot, THREE);
		one(mode, "forbidden slot", p_forbidden, THREE);
		one(mode, "store", p_store, THREE);
		one(mode, "load", p_load, FOUR);
		one(mode, "load in a delay slot", p_load_slot, FOUR);
		one(mode, "branch", p_branch, 1);
	}
	return verdict();
}
