/* SPDX-License-Identifier: MIT */
/*
 * arch/mips/branch.c: every branch of MIPS64R6 that has a delay or a forbidden slot, taken and not,
 * with values at the edges. Encodings are built here from the fields of MD00087, not taken from the
 * code under test.
 */
#include "tests/unit/unit.h"

#include "arch/mips/branch.h"

#define PC	     0xffffffffc0123450ull
#define TAKEN_OFFSET (-16) /* instructions */
#define TARGET	     (PC + 4 + 4 * (s64)TAKEN_OFFSET)
#define BEHIND	     (PC + 8)

static u64 gpr[32];

static u32 encode_i(u32 op, u32 rs, u32 rt, int offset)
{
	return op << 26 | rs << 21 | rt << 16 | (offset & 0xffff);
}

static struct branch decode(u32 insn)
{
	struct branch b;

	assert_int_equal(branch_decode(insn, PC, gpr, &b), 0);
	return b;
}

static u64 next(u32 op, u32 rs, u32 rt)
{
	struct branch b = decode(encode_i(op, rs, rt, TAKEN_OFFSET));

	assert_int_equal(b.fpr, -1);
	return b.next;
}

static int fill(void **state)
{
	(void)state;
	memset(gpr, 0, sizeof(gpr));
	gpr[4] = 5;
	gpr[5] = 5;
	gpr[6] = ~0ull;		     /* -1 */
	gpr[7] = 0x8000000000000000; /* smallest */
	gpr[8] = 0xffffffff;	     /* positive in 64 bits, negative in 32 */
	gpr[9] = 0xffffffffc0200000; /* an address */
	return 0;
}

static void equality_compares_64_bits(void **state)
{
	(void)state;
	assert_int_equal(next(0x04, 4, 5), TARGET);
	assert_int_equal(next(0x04, 4, 6), BEHIND);
	assert_int_equal(next(0x04, 6, 8), BEHIND);
	assert_int_equal(next(0x04, 0, 0), TARGET); /* B */
	assert_int_equal(next(0x05, 4, 5), BEHIND);
	assert_int_equal(next(0x05, 6, 8), TARGET);
}

static void signs_are_64_bit(void **state)
{
	static const struct {
		u32 reg;
		bool lez, gtz, ltz, gez;
	} want[] = {
		{ 0, true, false, false, true }, { 4, false, true, false, true },
		{ 6, true, false, true, false }, { 7, true, false, true, false },
		{ 8, false, true, false, true },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		u32 r = want[i].reg;

		assert_int_equal(next(0x06, r, 0), want[i].lez ? TARGET : BEHIND);
		assert_int_equal(next(0x07, r, 0), want[i].gtz ? TARGET : BEHIND);
		assert_int_equal(next(0x01, r, 0x00), want[i].ltz ? TARGET : BEHIND);
		assert_int_equal(next(0x01, r, 0x01), want[i].gez ? TARGET : BEHIND);
	}
}

static void calls_link_behind_the_slot(void **state)
{
	struct branch b = decode(encode_i(0x01, 0, 0x11, TAKEN_OFFSET)); /* BAL */

	(void)state;
	assert_int_equal(b.next, TARGET);
	assert_int_equal(b.link, 31);
	assert_int_equal(b.link_value, BEHIND);
	b = decode(encode_i(0x01, 0, 0x10, TAKEN_OFFSET)); /* NAL */
	assert_int_equal(b.next, BEHIND);
	assert_int_equal(b.link, 31);
	b = decode(0x03u << 26 | 0x0123456); /* JAL */
	assert_int_equal(b.next, 0xffffffffc0000000 | 0x0123456 << 2);
	assert_int_equal(b.link, 31);
	assert_int_equal(b.link_value, BEHIND);
	b = decode(0x02u << 26 | 0x0123456); /* J */
	assert_int_equal(b.next, 0xffffffffc0000000 | 0x0123456 << 2);
	assert_int_equal(b.link, 0);
	b = decode(9 << 21 | 25 << 11 | 0x09); /* JALR $25, $9 */
	assert_int_equal(b.next, gpr[9]);
	assert_int_equal(b.link, 25);
	assert_int_equal(b.link_value, BEHIND);
	b = decode(9 << 21 | 0 << 11 | 0x09); /* JR $9 */
	assert_int_equal(b.next, gpr[9]);
	assert_int_equal(b.link, 0);
	b = decode(9 << 21 | 31 << 11 | 0x10 << 6 | 0x09); /* JALR.HB */
	assert_int_equal(b.next, gpr[9]);
	assert_int_equal(b.link, 31);
}

static void jumps_stay_in_the_region_of_the_slot(void **state)
{
	struct branch b;
	u64 pc = 0x000000000ffffffc; /* the slot is the first word of the next region */

	(void)state;
	assert_int_equal(branch_decode(0x02u << 26 | 4, pc, gpr, &b), 0);
	assert_int_equal(b.next, 0x10000010);
}

static void offsets_reach_both_ways(void **state)
{
	(void)state;
	assert_int_equal(decode(encode_i(0x04, 0, 0, 0x7fff)).next, PC + 4 + 0x1fffc);
	assert_int_equal(decode(encode_i(0x04, 0, 0, -0x8000)).next, PC + 4 - 0x20000);
	assert_int_equal(decode(encode_i(0x04, 0, 0, -1)).next, PC);
}

static void fpu_branches_name_their_register(void **state)
{
	struct branch b = decode(encode_i(0x11, 0x09, 12, TAKEN_OFFSET)); /* BC1EQZ $f12 */

	(void)state;
	assert_int_equal(b.fpr, 12);
	assert_false(b.fpr_nonzero);
	assert_int_equal(b.fpr_taken, TARGET);
	assert_int_equal(b.fpr_not, BEHIND);
	b = decode(encode_i(0x11, 0x0d, 31, TAKEN_OFFSET)); /* BC1NEZ $f31 */
	assert_int_equal(b.fpr, 31);
	assert_true(b.fpr_nonzero);
}

/*
 * Only a not-taken compact branch has a forbidden slot that executes: it always goes on behind it.
 */
static void compact_branches_were_not_taken(void **state)
{
	static const u32 ops[] = { 0x06, 0x07, 0x08, 0x16, 0x17, 0x18, 0x36, 0x3e };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		assert_int_equal(next(ops[i], 4, 5), BEHIND);
		assert_int_equal(next(ops[i], 5, 4), BEHIND);
		assert_int_equal(next(ops[i], 4, 4), BEHIND);
	}
	/* as the machine showed it: a bnezc in BadInstrP */
	assert_int_equal(decode(0xf8200001).next, BEHIND);
}

static void everything_else_is_no_branch(void **state)
{
	static const u32 words[] = {
		0x00000000, /* nop */
		0x24420001, /* addiu */
		0x00000008, /* JR of release 5 and before: gone in R6 */
		0x0000000c, /* syscall */
		0x42000018, /* eret */
		0x50000001, /* beql: gone in R6 */
		0x04020001, /* bltzl: gone in R6 */
		0x04170000, /* sigrie */
		0x45000001, /* bc1f: gone in R6 */
		0x46000000, /* add.s */
		0xc8000001, /* bc: no slot */
		0xe8000001, /* balc: no slot */
		0xffffffff,
	};
	struct branch b;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		assert_true(branch_decode(words[i], PC, gpr, &b) < 0);
}

/* Any word a guest can make BadInstrP hold: no undefined behaviour, the link register in range. */
static void survives_any_word(void **state)
{
	struct branch b;
	u32 w = 1;
	int i;

	(void)state;
	for (i = 0; i < 2000000; i++) {
		w = w * 1664525 + 1013904223;
		if (branch_decode(w, (u64)w << 31 ^ w, gpr, &b) == 0) {
			assert_true(b.link < 32);
			assert_true(b.fpr < 32);
		}
	}
}

static void copied_jumps_lead_into_the_copy(void **state)
{
	const u64 from = PC & ~0xffffffful, to = from + 0x40003000; /* another region, too */
	const u32 jal = 3u << 26 | 0x123, j = 2u << 26 | 0x3fffff, beq = 4u << 26 | 0x123;
	struct branch b;

	(void)state;
	assert_int_equal(branch_decode(branch_retarget(jal, to - from), to + 0x100, gpr, &b), 0);
	assert_int_equal(b.next, to + 0x123 * 4);
	assert_int_equal(branch_decode(branch_retarget(j, to - from), to, gpr, &b), 0);
	assert_int_equal(b.next, to + 0x3fffff * 4);
	assert_int_equal(branch_retarget(branch_retarget(jal, to - from), from - to), jal);
	assert_int_equal(branch_retarget(beq, to - from), beq);
	assert_int_equal(branch_retarget(0x67bdffe0, to - from), 0x67bdffe0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(equality_compares_64_bits, fill),
		cmocka_unit_test_setup(signs_are_64_bit, fill),
		cmocka_unit_test_setup(calls_link_behind_the_slot, fill),
		cmocka_unit_test_setup(jumps_stay_in_the_region_of_the_slot, fill),
		cmocka_unit_test_setup(offsets_reach_both_ways, fill),
		cmocka_unit_test_setup(fpu_branches_name_their_register, fill),
		cmocka_unit_test_setup(compact_branches_were_not_taken, fill),
		cmocka_unit_test_setup(everything_else_is_no_branch, fill),
		cmocka_unit_test_setup(survives_any_word, fill),
		cmocka_unit_test_setup(copied_jumps_lead_into_the_copy, fill),
	};

	return cmocka_run_group_tests_name("branch", tests, NULL, NULL);
}
