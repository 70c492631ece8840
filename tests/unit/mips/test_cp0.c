/* SPDX-License-Identifier: MIT */
/*
 * arch/mips/vcp0.c and cp0.def: what a guest can write and read back, register by register, and
 * what of it reaches the machine.
 */
#include "tests/unit/unit.h"

#include "tests/unit/fake.h"

static struct vcpu *const v = &fake_vcpu;

static const struct {
	const char *name;
	u32 reg, sel, bits;
	u64 writable;
} rows[] = {
#define CP0_ROW(name_, reg_, sel_, bits_, writable_, ...) { #name_, reg_, sel_, bits_, writable_ },
#include "arch/mips/cp0.def"
#undef CP0_ROW
};

static int fill(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

static bool listed(u32 reg, u32 sel)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].reg == reg && rows[i].sel == sel)
			return true;
	return false;
}

static void rows_are_unique(void **state)
{
	unsigned int i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		for (k = 0; k < i; k++)
			assert_false(rows[i].reg == rows[k].reg && rows[i].sel == rows[k].sel);
}

static void only_writable_bits_change(void **state)
{
	static const u64 patterns[] = { ~0ull, 0, 0x5555555555555555, 0xaaaaaaaaaaaaaaaa };
	unsigned int i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		u32 reg = rows[i].reg, sel = rows[i].sel;

		for (k = 0; k < ARRAY_SIZE(patterns); k++) {
			u64 before = vcp0_read(v, reg, sel), after;

			vcp0_write(v, reg, sel, patterns[k]);
			after = vcp0_read(v, reg, sel);
			if ((before ^ after) & ~rows[i].writable &
			    (rows[i].bits == 32 ? 0xffffffff : ~0ull))
				fail_msg("%s: %llx became %llx", rows[i].name,
					 (unsigned long long)before, (unsigned long long)after);
			if (rows[i].bits == 32)
				assert_int_equal(after, (u64)(s64)(s32)after);
			vcp0_write32(v, reg, sel, patterns[k]);
			vcp0_read32(v, reg, sel);
		}
	}
}

static void plain_bits_read_back(void **state)
{
	static const u32 plain64[][2] = { { 14, 0 }, { 30, 0 }, { 31, 2 }, { 31, 3 }, { 31, 4 },
					  { 31, 5 }, { 31, 6 }, { 31, 7 }, { 4, 2 } };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(plain64); i++) {
		vcp0_write(v, plain64[i][0], plain64[i][1], 0x123456789abcdef0);
		assert_int_equal(vcp0_read(v, plain64[i][0], plain64[i][1]), 0x123456789abcdef0);
		assert_int_equal(vcp0_read32(v, plain64[i][0], plain64[i][1]), 0xffffffff9abcdef0);
		vcp0_write32(v, plain64[i][0], plain64[i][1], 0x1280000000);
		assert_int_equal(vcp0_read(v, plain64[i][0], plain64[i][1]), 0xffffffff80000000);
	}
}

static void registers_not_listed_are_zero(void **state)
{
	u32 reg, sel;

	(void)state;
	for (reg = 0; reg < 32; reg++) {
		for (sel = 0; sel < 8; sel++) {
			if (listed(reg, sel))
				continue;
			vcp0_write(v, reg, sel, ~0ull);
			assert_int_equal(vcp0_read(v, reg, sel), 0);
			assert_null(vcp0_name(reg, sel));
		}
	}
}

/*
 * Release 6: KSU = 3 is reserved, and a supervisor mode is not for guests, whose kernel mode it is.
 */
static void status_never_names_supervisor_mode(void **state)
{
	(void)state;
	vcp0_write(v, 12, 0, STATUS_KSU_S);
	assert_int_equal(vcp0(v, Status) & STATUS_KSU, 0);
	vcp0_write(v, 12, 0, STATUS_KSU);
	assert_int_equal(vcp0(v, Status) & STATUS_KSU, STATUS_KSU_U);
	assert_false(vcpu_kernel_mode(v));
	vcp0_write(v, 12, 0, STATUS_KSU_U | STATUS_EXL);
	assert_true(vcpu_kernel_mode(v));
	vcp0_write(v, 12, 0, STATUS_KSU_U | STATUS_ERL);
	assert_true(vcpu_kernel_mode(v));
}

static void inhibit_bits_need_pagegrain(void **state)
{
	(void)state;
	vcp0_write(v, 5, 1, 0);
	vcp0_write(v, 2, 0, ~0ull);
	assert_int_equal(vcp0_read(v, 2, 0) & (ENTRYLO_RI | ENTRYLO_XI), 0);
	vcp0_write(v, 5, 1, PAGEGRAIN_RIE);
	vcp0_write(v, 2, 0, ~0ull);
	assert_int_equal(vcp0_read(v, 2, 0) & (ENTRYLO_RI | ENTRYLO_XI), ENTRYLO_RI);
	vcp0_write(v, 5, 1, PAGEGRAIN_RIE | PAGEGRAIN_XIE);
	/* the 32-bit moves have them in bits 31 and 30 */
	vcp0_write32(v, 3, 0, 0x40000006);
	assert_int_equal(vcp0_read(v, 3, 0), ENTRYLO_XI | 6);
	assert_int_equal(vcp0_read32(v, 3, 0), 0x40000006);
	vcp0_write32(v, 3, 0, 0x80000006);
	assert_int_equal(vcp0_read(v, 3, 0), ENTRYLO_RI | 6);
	assert_int_equal(vcp0_read32(v, 3, 0), 0xffffffff80000006);
}

static void page_sizes_are_powers_of_four(void **state)
{
	u32 bits;

	(void)state;
	for (bits = 0; bits <= 16; bits++) {
		u64 mask = ((1ull << bits) - 1) << 13;

		vcp0_write(v, 5, 0, mask);
		assert_int_equal(vcp0_read(v, 5, 0), bits % 2 ? 0 : mask);
	}
	vcp0_write(v, 5, 0, 0x12000);
	assert_int_equal(vcp0_read(v, 5, 0), 0);
}

static void wired_stays_below_the_tlbs_size(void **state)
{
	(void)state;
	vcp0_write(v, 6, 0, 63);
	assert_int_equal(vcp0_read(v, 6, 0), 63);
	vcp0_write(v, 6, 0, 64);
	assert_in_range(vcp0_read(v, 6, 0), 0, 63);
}

/* TLBWR: every entry from Wired up is used, none below. */
static void random_replacement_keeps_wired_entries(void **state)
{
	u64 before[VTLB_ENTRIES];
	int i;

	(void)state;
	vcp0_write(v, 6, 0, 5);
	for (i = 0; i < VTLB_ENTRIES; i++)
		before[i] = v->arch.vtlb[i].hi;
	for (i = 0; i < 200; i++) {
		vcp0_write(v, 10, 0, 0x10000000ull + i * 0x2000ull);
		vtlb_write(v, true);
	}
	for (i = 0; i < VTLB_ENTRIES; i++) {
		if (i < 5)
			assert_int_equal(v->arch.vtlb[i].hi, before[i]);
		else
			assert_int_not_equal(v->arch.vtlb[i].hi, before[i]);
	}
}

static void config_shows_only_what_guests_have(void **state)
{
	u64 config1 = vcp0_read(v, 16, 1), config3 = vcp0_read(v, 16, 3);
	u64 config4 = vcp0_read(v, 16, 4), config5 = vcp0_read(v, 16, 5);

	(void)state;
	assert_int_equal(vcp0_read(v, 15, 0), 0x1a900);
	assert_int_equal(config1 >> 25 & 63, VTLB_ENTRIES - 1);
	assert_int_equal(config1 >> 19 & 7, 0); /* no instruction cache */
	assert_int_equal(config1 >> 10 & 7, 0); /* no data cache */
	assert_int_equal(config1 & 0x1a, 0);	/* watch registers, counters, EJTAG */
	assert_int_equal(config1 & 1, 1);	/* an FPU */
	assert_int_equal(config3 & (1u << 29 | 1u << 28 | 1u << 5), 0); /* CM, MSA, VInt */
	assert_int_equal(config3 >> 13 & 1, 1);				/* UserLocal */
	assert_int_equal(config4 >> 29 & 3, 2);				/* TLBINV, TLBINVF */
	assert_int_equal(config4 >> 16 & 0xff, 0xfc);
	assert_int_equal(config5 & (1u << 3 | 1u << 6 | 1u << 7 | 1u << 17 | 3u << 15 | 1u << 27),
			 0);
}

static void the_machine_gets_only_what_is_safe(void **state)
{
	(void)state;
	vcp0_write(v, 7, 0, ~0ull);
	assert_int_equal(fake_cpu.reg[7][0], HWRENA_SYNCI | HWRENA_CC | HWRENA_CCRES | HWRENA_ULR);
	fake_cpu.reg[12][0] = 0x1234;
	vcp0_write(v, 12, 0, ~0ull);
	assert_int_equal(fake_cpu.reg[12][0], 0x1234);
	fake_cpu.reg[15][1] = 0x1234;
	vcp0_write(v, 15, 1, ~0ull);
	assert_int_equal(fake_cpu.reg[15][1], 0x1234);
	fake_cpu.reg[5][0] = 0;
	vcp0_write(v, 5, 0, 0x1e000);
	assert_int_equal(fake_cpu.reg[5][0], 0);
	vcp0_write(v, 4, 2, 0x77);
	assert_int_equal(fake_cpu.reg[4][2], 0x77);
}

static void an_asid_is_a_new_space_of_the_machine(void **state)
{
	u64 hi = vcp0(v, EntryHi);
	u32 before = v->arch.asid;

	(void)state;
	vcp0_write(v, 10, 0, (hi & ~(u64)ENTRYHI_ASID) | 77);
	assert_int_not_equal(v->arch.asid, before);
	assert_int_equal(fake_cpu.reg[10][0] & ENTRYHI_ASID, v->arch.asid);
	vcp0_write(v, 10, 0, hi);
	assert_int_equal(v->arch.asid, before);
}

static void lines_from_outside_are_read_only(void **state)
{
	(void)state;
	v->arch.irq_lines = BIT(2) | BIT(7);
	assert_int_equal(vcp0_read(v, 13, 0) & (CAUSE_IP | CAUSE_TI), CAUSE_TI | 0x8400);
	vcp0_write(v, 13, 0, 0);
	assert_int_equal(vcp0_read(v, 13, 0) & CAUSE_IP, 0x8400);
	vcp0_write(v, 13, 0, ~0ull);
	assert_int_equal(vcp0_read(v, 13, 0) & CAUSE_IP, 0x8700);
	vcp0_write(v, 12, 0, 0x0000ff00);
	assert_int_equal(vcp0_interrupts(v), 0x8700);
	vcp0_write(v, 12, 0, 0x00000400);
	assert_int_equal(vcp0_interrupts(v), 0x0400);
}

static void ebase_keeps_the_processors_number(void **state)
{
	(void)state;
	v->id = 3;
	vcp0_reset(v);
	assert_int_equal(vcp0_read(v, 15, 1), 0xffffffff80000003);
	vcp0_write(v, 15, 1, 0xffffffffc0200fff);
	assert_int_equal(vcp0_read(v, 15, 1), 0xffffffffc0200003);
	v->id = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(rows_are_unique, fill),
		cmocka_unit_test_setup(only_writable_bits_change, fill),
		cmocka_unit_test_setup(plain_bits_read_back, fill),
		cmocka_unit_test_setup(registers_not_listed_are_zero, fill),
		cmocka_unit_test_setup(status_never_names_supervisor_mode, fill),
		cmocka_unit_test_setup(inhibit_bits_need_pagegrain, fill),
		cmocka_unit_test_setup(page_sizes_are_powers_of_four, fill),
		cmocka_unit_test_setup(wired_stays_below_the_tlbs_size, fill),
		cmocka_unit_test_setup(random_replacement_keeps_wired_entries, fill),
		cmocka_unit_test_setup(config_shows_only_what_guests_have, fill),
		cmocka_unit_test_setup(the_machine_gets_only_what_is_safe, fill),
		cmocka_unit_test_setup(an_asid_is_a_new_space_of_the_machine, fill),
		cmocka_unit_test_setup(lines_from_outside_are_read_only, fill),
		cmocka_unit_test_setup(ebase_keeps_the_processors_number, fill),
	};

	return cmocka_run_group_tests_name("cp0", tests, NULL, NULL);
}
