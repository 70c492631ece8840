/* SPDX-License-Identifier: MIT */
/* arch/mips/access.c: every opcode, held against the manual's list of loads and stores. */
#include "tests/unit/unit.h"

#include "arch/mips/access.h"
#include "kernel/errno.h"

/* MD00087, the Release 6 integer loads and stores with a 16-bit offset. */
static const struct {
	const char *name;
	u32 opcode;
	unsigned bytes;
	char kind; /* s: a signed load, u: an unsigned one, w: a store */
} list[] = { { "lb", 040, 1, 's' },  { "lh", 041, 2, 's' },  { "lw", 043, 4, 's' },
	     { "lbu", 044, 1, 'u' }, { "lhu", 045, 2, 'u' }, { "lwu", 047, 4, 'u' },
	     { "ld", 067, 8, 'u' },  { "sb", 050, 1, 'w' },  { "sh", 051, 2, 'w' },
	     { "sw", 053, 4, 'w' },  { "sd", 077, 8, 'w' } };

static void every_opcode(void **state)
{
	u32 found = 0;

	(void)state;
	for (u32 opcode = 0; opcode < 64; opcode++) {
		u32 insn = opcode << 26 | 29u << 21 | 7u << 16 | 0x8004;
		struct access a;
		unsigned i;

		for (i = 0; i < ARRAY_SIZE(list) && list[i].opcode != opcode; i++)
			;
		if (i == ARRAY_SIZE(list)) {
			assert_int_equal(access_decode(insn, &a), -EINVAL);
			continue;
		}
		found++;
		assert_int_equal(access_decode(insn, &a), 0);
		assert_int_equal(a.bytes, list[i].bytes);
		assert_int_equal(a.store, list[i].kind == 'w');
		assert_int_equal(a.base, 29);
		assert_int_equal(a.reg, 7);
		assert_int_equal(a.offset, -0x7ffc);
		if (list[i].bytes < 8 && !a.store)
			assert_int_equal(a.sign, list[i].kind == 's');
	}
	assert_int_equal(found, ARRAY_SIZE(list));
}

/* What the host's compiler does with the same widths. */
static u64 reference(unsigned bytes, char kind, u64 raw)
{
	switch (bytes) {
	case 1: return kind == 's' ? (u64)(s64)(signed char)raw : (u8)raw;
	case 2: return kind == 's' ? (u64)(s64)(s16)raw : (u16)raw;
	case 4: return kind == 's' ? (u64)(s64)(s32)raw : (u32)raw;
	default: return raw;
	}
}

static void values_are_extended_and_cut(void **state)
{
	static const u64 raws[] = { 0,	       1,	   0x7f,       0x80,
				    0xff,      0x7fff,	   0x8000,     0xffff,
				    ~0ul,      0x7fffffff, 0x80000000, 0x123456789abcdef0ul,
				    1ul << 63, 0xffffffff };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
		struct access a;

		access_decode(list[i].opcode << 26, &a);
		for (unsigned k = 0; k < ARRAY_SIZE(raws); k++) {
			if (a.store)
				assert_true(access_stored(&a, raws[k]) ==
					    reference(a.bytes, 'u', raws[k]));
			else
				assert_true(access_loaded(&a, raws[k]) ==
					    reference(a.bytes, list[i].kind, raws[k]));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_opcode),
		cmocka_unit_test(values_are_extended_and_cut),
	};

	return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
