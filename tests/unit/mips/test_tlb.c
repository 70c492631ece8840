/* SPDX-License-Identifier: MIT */
/* What QEMU keeps behind the machine's TLB, and taking translations back at one go:
 * arch/mips/tlb.c, mmu.c on the fake machine. */
#include "tests/unit/unit.h"

#include "tests/unit/fake.h"

#include "kernel/mem/l2tlb.h"
#include "kernel/options.h"

#define USER_PAGE 0x0000123456788000ull

static struct vcpu *const v = &fake_vcpu;

static int fill(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

static void set_asid(u32 asid) { vcp0_write(v, 10, 0, asid); }

/* More pairs than the machine's TLB has entries, so that TLBWR replaces some. */
static void use_many(void)
{
	for (u32 i = 0; i < 2 * FAKE_TLB_ENTRIES; i++) {
		u64 va = USER_PAGE + i * 0x2000;
		enum verdict verdict;

		vcp0_write(v, 10, 0, va | (vcp0(v, EntryHi) & ENTRYHI_ASID));
		vcp0_write(v, 2, 0, fake_lo(2 * i, ENTRYLO_V));
		vcp0_write(v, 3, 0, fake_lo(2 * i + 1, ENTRYLO_V));
		vtlb_write(v, true);
		assert_int_equal(fake_gpn(fake_access(va, false, &verdict)), 2 * i);
		assert_int_equal(verdict, RESUME);
	}
}

static void crowd(void)
{
	use_many();
	assert_true(fake_cpu.in_use > FAKE_TLB_ENTRIES);
}

/* What TLBWR has replaced goes when address spaces are switched, but not at every switch; when one begins, at once. */
static void an_address_space_gets_room(void **state)
{
	(void)state;
	fake_cpu.reg[9][0] = COUNT_MS;
	set_asid(6);
	crowd();
	fake_cpu.reg[9][0]++;
	set_asid(5);
	assert_int_equal(fake_cpu.in_use, FAKE_TLB_ENTRIES);
	crowd();
	fake_cpu.reg[9][0] += COUNT_MS - 1;
	set_asid(6);
	assert_true(fake_cpu.in_use > FAKE_TLB_ENTRIES);
	fake_cpu.reg[9][0]++;
	set_asid(5);
	assert_int_equal(fake_cpu.in_use, FAKE_TLB_ENTRIES);
	crowd();
	fake_off[OPTION_RENEW] = true;
	set_asid(7);
	assert_true(fake_cpu.in_use > FAKE_TLB_ENTRIES);
	fake_off[OPTION_RENEW] = false;
	set_asid(8);
	assert_int_equal(fake_cpu.in_use, FAKE_TLB_ENTRIES);
}

static void set_honest(void) { fake_cpu.reg[16][1] |= 0x3full << 25; }

static u32 present(void)
{
	u32 n = 0;

	for (u32 i = 0; i < FAKE_TLB_ENTRIES; i++)
		n += fake_cpu.tlb[i].present;
	return n;
}

/* A user's page that the machine's TLB has. */
static u64 some_page(void)
{
	for (u32 i = 0; i < 2 * FAKE_TLB_ENTRIES; i++)
		if (fake_tlb_find(USER_PAGE + i * 0x2000, v->arch.asid))
			return USER_PAGE + i * 0x2000;
	fail_msg("the TLB has none of the pages");
	return 0;
}

/* A TLB that keeps nothing: there is no room to be made, and what is taken back takes nothing along. */
static void an_honest_tlb_loses_what_it_must(void **state)
{
	u32 before;
	u64 page;

	(void)state;
	set_honest();
	fake_cpu.reg[9][0] = COUNT_MS;
	use_many();
	assert_int_equal(fake_cpu.in_use, FAKE_TLB_ENTRIES);
	before = present();
	assert_int_equal(before, FAKE_TLB_ENTRIES);
	set_asid(5);
	set_asid(0);
	assert_int_equal(present(), before);
	page = some_page();
	mmu_forget_range(v, page, 1, 0, false);
	assert_null(fake_tlb_find(page, v->arch.asid));
	assert_int_equal(present(), before - 1);
	assert_int_equal(fake_cpu.reg[10][0] & ENTRYHI_ASID, v->arch.asid);
	mmu_map_special(v);
	mmu_forget_range(v, DISCO_SPECIAL_PAGE - PAGE_SIZE, 1, 0, false);
	assert_true(fake_cpu.tlb[0].present);
}

static void a_range_goes_as_one(void **state)
{
	u64 tag = USER_PAGE | v->arch.asid;

	(void)state;
	crowd();
	mmu_forget_range(v, USER_PAGE + 0x2000, 3, 0, false);
	for (u32 i = 1; i < 4; i++) {
		assert_null(fake_tlb_find(USER_PAGE + i * 0x2000, v->arch.asid));
		assert_null(l2tlb_find(v->arch.l2tlb, tag + i * 0x2000));
	}
	assert_non_null(l2tlb_find(v->arch.l2tlb, tag));
	assert_non_null(l2tlb_find(v->arch.l2tlb, tag + 0x8000));
	assert_int_equal(fake_cpu.reg[10][0] & ENTRYHI_ASID, v->arch.asid);
}

/*
 * An address space that is dropped while it runs, as a parent's is by fork, has nothing there either, but goes on with the same kernel: what is
 * kept of that stays, unless it is time for a switch to drop it.
 */
static void who_drops_its_own_translations_keeps_the_kernels(void **state)
{
	u32 old;

	(void)state;
	fake_cpu.reg[9][0] = COUNT_MS;
	set_asid(6);
	crowd();
	fake_cpu.reg[9][0] += COUNT_MS - 1;
	old = v->arch.asid;
	mmu_drop_asid(v, 6);
	assert_int_not_equal(v->arch.asid, old);
	assert_int_equal(fake_cpu.reg[10][0] & ENTRYHI_ASID, v->arch.asid);
	assert_null(fake_tlb_find(USER_PAGE, v->arch.asid));
	assert_true(fake_cpu.in_use > FAKE_TLB_ENTRIES);
	fake_cpu.reg[9][0]++;
	mmu_drop_asid(v, 6);
	assert_int_equal(fake_cpu.in_use, FAKE_TLB_ENTRIES);
	crowd();
	set_asid(7); /* begins */
	assert_int_equal(fake_cpu.in_use, FAKE_TLB_ENTRIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_address_space_gets_room, fill),
		cmocka_unit_test_setup(who_drops_its_own_translations_keeps_the_kernels, fill),
		cmocka_unit_test_setup(an_honest_tlb_loses_what_it_must, fill),
		cmocka_unit_test_setup(a_range_goes_as_one, fill),
	};

	return cmocka_run_group_tests_name("tlb", tests, NULL, NULL);
}
