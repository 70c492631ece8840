/* SPDX-License-Identifier: MIT */
/*
 * What a miss fills in, on the fake machine: which pages of a pair come into TLBs and reverse maps, and what
 * stands for the registers of devices. arch/mips/mmu.c.
 */
#include "tests/unit/unit.h"

#include "tests/unit/fake.h"

#include "arch/mips/asid.h"
#include "kernel/abi/disco.h"

#define V	  ENTRYLO_V
#define D	  ENTRYLO_D
#define USER_PAGE 0x0000123456788000ull

static struct vcpu *const v = &fake_vcpu;

static int fill(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

static void write_pair(u64 hi, u64 lo0, u64 lo1, bool random)
{
	vcp0_write(v, 10, 0, hi);
	vcp0_write(v, 2, 0, lo0);
	vcp0_write(v, 3, 0, lo1);
	vtlb_write(v, random);
}

/* The guest page that a load of va reaches, or -ExcCode. */
static long reach(u64 va)
{
	enum verdict verdict;
	u64 lo = fake_access(va, false, &verdict);

	return verdict == RESUME ? (long)fake_gpn(lo) : -(long)v->arch.inject.code;
}

static long reach_write(u64 va)
{
	enum verdict verdict;
	u64 lo = fake_access(va, true, &verdict);

	return verdict == RESUME ? (long)fake_gpn(lo) : -(long)v->arch.inject.code;
}

/* A page that nobody has used stays out of TLBs and reverse maps until somebody does. */
static void the_page_beside_is_filled_in_if_it_is_shown(void **state)
{
	const struct pmap_entry *entry = v->vm->pmap.view[v->node->id].entry;

	(void)state;
	assert_int_equal(reach(DISCO_CSSEG_BASE + 0x4000), 4);
	assert_int_equal(entry[5].lo, 0);
	assert_int_equal(entry[5].back, 0);
	assert_int_equal(fake_tlb_find(DISCO_CSSEG_BASE + 0x4000, v->arch.asid)->lo[1],
			 ENTRYLO_NONE);
	assert_int_equal(reach(DISCO_CSSEG_BASE + 0x5000), 5);
	assert_int_equal(entry[5].back, 0); /* windows have bits of their own */
	assert_int_equal(pmap_windows(&v->vm->pmap.view[v->node->id], (gpn_t){ 5 }), BIT(0));
	assert_true(fake_tlb_find(DISCO_CSSEG_BASE + 0x4000, v->arch.asid)->lo[0] & V);
	write_pair(USER_PAGE, 8 << 6 | V | D, 9 << 6 | V | D, true); /* who writes it wants both */
	assert_int_equal(fake_gpn(entry[8].lo), 8);
	assert_int_equal(fake_gpn(entry[9].lo), 9);
}

static u64 device_lo(u64 va) { return fake_tlb_find(va, v->arch.asid)->lo[!!(va & PAGE_SIZE)]; }

/* Its page is read and nothing else, whatever the guest's entry says; a store is the device's. */
static void registers_are_read_from_a_page(void **state)
{
	static const struct device_type type = { .register_bytes = 0x200 };
	const u64 window = DISCO_XSSEG_BASE + DISCO_DEVICE_BASE, entry = DISCO_DEVICE_BASE >> 6;

	(void)state;
	v->vm->ndevices = 1;
	v->vm->devices[0] = (struct device){ .type = &type, .base = DISCO_DEVICE_BASE };
	assert_int_equal(reach(window), -EXC_DBE); /* as emul_access is here */
	v->vm->devices[0].page = v;		   /* the fake says which it is */
	reach(window);
	assert_int_equal(arch_entry_page(device_lo(window)).v, FAKE_DEVICE_PAGE);
	assert_int_equal(device_lo(window) & (V | D | ENTRYLO_XI), V | ENTRYLO_XI);
	assert_int_equal(reach_write(window + 0x50), -EXC_DBE);
	write_pair(USER_PAGE, entry | V | D, 0, true);
	reach(USER_PAGE);
	assert_int_equal(arch_entry_page(device_lo(USER_PAGE)).v, FAKE_DEVICE_PAGE);
	assert_int_equal(device_lo(USER_PAGE) & (V | D | ENTRYLO_XI), V | ENTRYLO_XI);
	assert_int_equal(reach_write(USER_PAGE + 0x50), -EXC_DBE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_page_beside_is_filled_in_if_it_is_shown, fill),
		cmocka_unit_test_setup(registers_are_read_from_a_page, fill),
	};

	return cmocka_run_group_tests_name("fill", tests, NULL, NULL);
}
