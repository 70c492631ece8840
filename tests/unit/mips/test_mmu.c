/* SPDX-License-Identifier: MIT */
/*
 * arch/mips/mmu.c and vtlb.c on the fake machine: which machine page an access of the guest reaches
 * after each way to change a mapping. A translation that outlives its entry shows the guest wrong
 * memory, or another address space's.
 */
#include "tests/unit/unit.h"

#include "tests/unit/fake.h"

#include "arch/mips/asid.h"
#include "kernel/abi/disco.h"

#define V	   ENTRYLO_V
#define D	   ENTRYLO_D
#define G	   ENTRYLO_G
#define USER_PAGE  0x0000123456788000ull
#define CSSEG_PAGE 0xffffffffd0010000ull /* in the part of csseg that guests map */

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

static void set_asid(u32 asid) { vcp0_write(v, 10, 0, asid); }

static void probe(u64 hi)
{
	vcp0_write(v, 10, 0, hi);
	vtlb_probe(v);
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

static void the_windows_need_no_entry(void **state)
{
	(void)state;
	assert_int_equal(reach(DISCO_CSSEG_BASE), 0);
	assert_int_equal(reach(DISCO_CSSEG_BASE + 0x5432), 5);
	assert_int_equal(reach_write(DISCO_XSSEG_BASE + 0x3000), 3);
	assert_int_equal(reach(DISCO_XSSEG_BASE + FAKE_PAGES * PAGE_SIZE - 8), FAKE_PAGES - 1);
	set_asid(7);
	assert_int_equal(reach(DISCO_CSSEG_BASE + 0x5432), 5);
}

/* As in KSEG0, whose place it has: what the guest's TLB says of these addresses does not matter. */
static void entries_do_not_reach_into_the_windows(void **state)
{
	(void)state;
	write_pair(DISCO_CSSEG_BASE + 0x4000, fake_lo(100, V | D | G), fake_lo(101, V | D | G),
		   false);
	assert_int_equal(reach(DISCO_CSSEG_BASE + 0x4000), 4);
	write_pair(DISCO_CSSEG_BASE + 0x6000, fake_lo(100, V | D), fake_lo(101, V | D), true);
	assert_int_equal(reach_write(DISCO_CSSEG_BASE + 0x6000), 6);
	write_pair(DISCO_XSSEG_BASE + 0x8000, 0, 0, true);
	assert_int_equal(reach(DISCO_XSSEG_BASE + 0x8000), 8);
}

static void memory_ends_where_it_ends(void **state)
{
	(void)state;
	assert_int_equal(reach(DISCO_CSSEG_BASE + FAKE_PAGES * PAGE_SIZE), -EXC_DBE);
	assert_int_equal(reach_write(DISCO_CSSEG_MAPPED - 8), -EXC_DBE);
	/* the rest of xsseg is the guest's TLB's */
	assert_int_equal(reach(DISCO_XSSEG_BASE + FAKE_PAGES * PAGE_SIZE), -EXC_TLBL);
	assert_int_equal(reach_write(DISCO_XSSEG_BASE + (1ull << 47)), -EXC_TLBS);
	assert_true(v->arch.inject.refill);
	write_pair(USER_PAGE, fake_lo(FAKE_PAGES, V | D), fake_lo(FAKE_PAGES - 1, V | D), false);
	assert_int_equal(reach(USER_PAGE), -EXC_DBE);
	assert_int_equal(reach(USER_PAGE + PAGE_SIZE), FAKE_PAGES - 1);
	write_pair(USER_PAGE, fake_lo(0xffffffff, V | D), fake_lo(0x80000, V | D), false);
	assert_int_equal(reach(USER_PAGE), -EXC_DBE);
	assert_int_equal(reach(USER_PAGE + PAGE_SIZE), -EXC_DBE);
}

static void the_monitors_page_is_no_guests(void **state)
{
	(void)state;
	const u64 below = DISCO_SPECIAL_PAGE - PAGE_SIZE;
	u64 bits[2] = { V | D, V | D | G };

	for (int i = 0; i < 8; i++) {
		const struct fake_tlb_entry *e = fake_tlb_find(DISCO_SPECIAL_PAGE, 77);

		assert_ptr_equal(e, &fake_cpu.tlb[0]);
		assert_int_equal(arch_entry_page(e->lo[1]).v, maddr_mpn(ptr_maddr(v->arch.cp0)).v);
		assert_int_equal(e->lo[0] & V, 0);
		assert_int_equal(reach(below), -EXC_ADEL);
		assert_int_equal(reach_write(below + 8), -EXC_ADES);
		/* whatever the guest does with a pair of its own there */
		write_pair(below, fake_lo(1, bits[i & 1]), fake_lo(2, bits[i & 1]), i & 2);
		if (i & 4)
			write_pair(USER_PAGE, 0, 0, false);
		probe(below);
		mmu_forget(v, below, 0, i & 1);
	}
	vtlb_invalidate(v, true);
	assert_ptr_equal(fake_tlb_find(DISCO_SPECIAL_PAGE, 77), &fake_cpu.tlb[0]);
}

/* One is flushed by the other until ASIDs begin anew: no two ever have the same. */
static void a_new_generation_leaves_nobody_behind(void **state)
{
	struct vcpu *const other = &fake_other;

	(void)state;
	for (u32 round = 0; round < 5000; round++) {
		write_pair(USER_PAGE, fake_lo(1, V), fake_lo(2, V), true);
		assert_int_equal(reach(USER_PAGE), 1);
		mmu_flush_vcpu(other);
		if (round % 3 == 0)
			mmu_drop_asid(other, 0);
		/* the one in force is of this generation */
		assert_int_equal(asid_peek(&v->node->cpu.asids, v->arch.asid_map[0]), v->arch.asid);
		if (round % 1000 != 999)
			continue;
		for (u32 i = 0; i <= round / 1000; i++)
			mmu_flush_vcpu(v);
		assert_int_equal(reach(USER_PAGE), 1);
		fake_switch(other);
		other->arch.badvaddr = USER_PAGE;
		assert_int_equal(fake_translate(USER_PAGE), 0);
		assert_int_equal(mmu_fault(other, EXC_TLBL), INJECT);
		fake_switch(v);
	}
}

static void rights_are_the_entrys(void **state)
{
	(void)state;
	assert_int_equal(reach(USER_PAGE), -EXC_TLBL);
	assert_true(v->arch.inject.refill);
	write_pair(USER_PAGE, fake_lo(1, V), fake_lo(2, 0), false);
	assert_int_equal(reach(USER_PAGE), 1);
	assert_int_equal(reach_write(USER_PAGE), -EXC_MOD);
	assert_int_equal(reach(USER_PAGE + PAGE_SIZE), -EXC_TLBL);
	assert_false(v->arch.inject.refill);
	assert_int_equal(reach_write(USER_PAGE + PAGE_SIZE), -EXC_TLBS);
}

static void address_spaces_are_apart(void **state)
{
	(void)state;
	write_pair(USER_PAGE | 1, fake_lo(1, V), fake_lo(2, V), true);
	write_pair(USER_PAGE | 2, fake_lo(3, V), fake_lo(4, V), true);
	assert_int_equal(reach(USER_PAGE), 3);
	set_asid(1);
	assert_int_equal(reach(USER_PAGE), 1);
	set_asid(3);
	assert_int_equal(reach(USER_PAGE), -EXC_TLBL);
}

static void global_entries_hold_in_all(void **state)
{
	(void)state;
	write_pair(CSSEG_PAGE | 1, fake_lo(1, V | G), fake_lo(2, V | G), true);
	assert_int_equal(reach(CSSEG_PAGE), 1);
	set_asid(2);
	assert_int_equal(reach(CSSEG_PAGE), 1);
	write_pair(USER_PAGE | 2, fake_lo(5, V | G), fake_lo(6, V | G), true);
	set_asid(9);
	assert_int_equal(reach(USER_PAGE + PAGE_SIZE), 6);
	/* one G alone is none */
	write_pair(USER_PAGE + 0x10000, fake_lo(7, V | G), fake_lo(8, V), true);
	set_asid(1);
	assert_int_equal(reach(USER_PAGE + 0x10000), -EXC_TLBL);
}

static void tlbwi_ends_what_it_replaces(void **state)
{
	(void)state;
	write_pair(USER_PAGE | 1, fake_lo(1, V), fake_lo(2, V), false);
	assert_int_equal(reach(USER_PAGE), 1);
	write_pair(USER_PAGE + 0x2000, fake_lo(3, V), fake_lo(4, V), false); /* same index */
	set_asid(1);
	assert_int_equal(reach(USER_PAGE), -EXC_TLBL);
}

static void tlbwi_ends_a_global_one_everywhere(void **state)
{
	u32 asid;

	(void)state;
	write_pair(CSSEG_PAGE, fake_lo(1, V | G), fake_lo(2, V | G), false);
	for (asid = 0; asid < 4; asid++) {
		set_asid(asid);
		assert_int_equal(reach(CSSEG_PAGE), 1);
	}
	write_pair(0xffffffff80000000, 0, 0, false); /* Linux's UNIQUE_ENTRYHI */
	for (asid = 0; asid < 4; asid++) {
		set_asid(asid);
		assert_int_equal(reach(CSSEG_PAGE), -EXC_TLBL);
	}
}

static void a_probe_that_misses_forgets_what_tlbwr_evicted(void **state)
{
	int i;

	(void)state;
	write_pair(USER_PAGE | 1, fake_lo(1, V), fake_lo(2, V), true);
	for (i = 1; i <= VTLB_ENTRIES; i++)
		write_pair((USER_PAGE + i * 0x2000) | 1, fake_lo(3, V), fake_lo(4, V), true);
	probe(USER_PAGE | 1);
	assert_true(vcp0(v, Index) & INDEX_P);
	assert_int_equal(reach(USER_PAGE), -EXC_TLBL);
}

/* The pages of the new one had to be waited for: the guest misses again, and not on the old one. */
static void an_entry_that_waits_ends_what_tlbwr_evicted(void **state)
{
	int i;

	(void)state;
	write_pair(USER_PAGE | 1, fake_lo(1, V), fake_lo(2, V), true);
	for (i = 1; i <= VTLB_ENTRIES; i++)
		write_pair((USER_PAGE + i * 0x2000) | 1, fake_lo(3, V), fake_lo(4, V), true);
	fake_waits = 1;
	write_pair(USER_PAGE | 1, fake_lo(5, V), fake_lo(6, V), true);
	assert_int_equal(fake_waits, 0);
	assert_int_equal(reach(USER_PAGE), 5);
}

/* Its block is zeroed in parts: the guest misses again, and no bus error comes of it. */
static void a_page_that_is_not_ready_is_missed_again(void **state)
{
	(void)state;
	fake_later = 1;
	assert_int_equal(reach(DISCO_CSSEG_BASE + 0x5432), 5);
	assert_int_equal(fake_later, 0);
	fake_later = 1;
	write_pair(USER_PAGE | 1, fake_lo(1, V), fake_lo(2, V), true);
	assert_int_equal(fake_later, 0);
	fake_later = 1;
	assert_int_equal(reach(USER_PAGE + PAGE_SIZE), 2);
	assert_int_equal(reach(USER_PAGE), 1);
	assert_int_equal(fake_later, 0);
}

static void tlbinv_takes_one_address_space(void **state)
{
	(void)state;
	write_pair(USER_PAGE | 1, fake_lo(1, V), fake_lo(2, V), true);
	write_pair(USER_PAGE | 2, fake_lo(3, V), fake_lo(4, V), true);
	write_pair(CSSEG_PAGE | 2, fake_lo(5, V | G), fake_lo(6, V | G), true);
	vtlb_invalidate(v, false);
	assert_int_equal(reach(USER_PAGE), -EXC_TLBL);
	assert_int_equal(reach(CSSEG_PAGE), 5);
	set_asid(1);
	assert_int_equal(reach(USER_PAGE), 1);
	vtlb_invalidate(v, true);
	assert_int_equal(reach(USER_PAGE), -EXC_TLBL);
	assert_int_equal(reach(CSSEG_PAGE), -EXC_TLBL);
	assert_int_equal(reach(DISCO_CSSEG_BASE), 0);
}

/* In the supervisor segments the L2TLB keeps global pairs under no ASID: a private pair must not
 * find an old one there. */
static void a_private_pair_replaces_a_global_one(void **state)
{
	int i;

	(void)state;
	write_pair(CSSEG_PAGE | 1, fake_lo(1, V | G), fake_lo(2, V | G), true);
	assert_int_equal(reach(CSSEG_PAGE), 1);
	for (i = 1; i <= VTLB_ENTRIES; i++)
		write_pair((USER_PAGE + i * 0x2000) | 1, fake_lo(3, V), fake_lo(4, V), true);
	write_pair(CSSEG_PAGE | 1, fake_lo(5, V), fake_lo(6, V), true);
	assert_int_equal(reach(CSSEG_PAGE), 5);
	tlbinvf(); /* the machine's TLB may lose anything at any time */
	assert_int_equal(reach(CSSEG_PAGE), 5);
}

static void large_pages_reach_every_4k_of_them(void **state)
{
	u64 base = 0x0000123450000000;

	(void)state;
	vcp0_write(v, 5, 0, 0x1e000); /* 64 KB */
	write_pair(base, fake_lo(0x10, V), fake_lo(0x20, V | D), false);
	assert_int_equal(reach(base), 0x10);
	assert_int_equal(reach(base + 0xf000), 0x1f);
	assert_int_equal(reach(base + 0x10000), 0x20);
	assert_int_equal(reach_write(base + 0x1f000), 0x2f);
	assert_int_equal(reach_write(base + 0x3000), -EXC_MOD);
	assert_int_equal(reach(base + 0x20000), -EXC_TLBL);
	/* bits of the frame number below the page's size are ignored */
	write_pair(base, fake_lo(0x1f, V), fake_lo(0x2f, V), false);
	assert_int_equal(reach(base + 0x1000), 0x11);
	assert_int_equal(reach(base + 0x12000), 0x22);
}

/* An execute-only page: RI stops a load even when it reads the instruction's own address. */
static void a_load_of_its_own_address_is_no_fetch(void **state)
{
	enum verdict verdict;

	(void)state;
	vcp0_write(v, 5, 1, PAGEGRAIN_RIE | PAGEGRAIN_XIE | PAGEGRAIN_IEC);
	write_pair(USER_PAGE, fake_lo(1, V) | ENTRYLO_RI, fake_lo(2, V), false);
	v->arch.pc = v->arch.badvaddr = USER_PAGE + 0x10;
	v->arch.cause = 0;
	verdict = mmu_fault(v, EXC_TLBRI);
	assert_int_equal(verdict, INJECT);
	assert_int_equal(v->arch.inject.code, EXC_TLBRI);
}

static void one_vcpu_never_sees_anothers_pages_after_asids_run_out(void **state)
{
	u32 asid, round;

	(void)state;
	for (round = 0; round < 3; round++) {
		for (asid = 0; asid < 1000; asid++) {
			write_pair(USER_PAGE | asid, fake_lo(asid, V), fake_lo(asid, V), true);
			assert_int_equal(reach(USER_PAGE), asid);
			vtlb_invalidate(v, false); /* a new machine ASID each time */
			assert_int_equal(reach(USER_PAGE), -EXC_TLBL);
		}
	}
}

/*
 * A guest that changes mappings as Linux does (probe, then TLBWI over a hit or TLBWR), at random,
 * against a plain table: an access reaches the table's page, or misses because TLBWR evicted the
 * entry; never anything else.
 */
#define PAIRS  96
#define SPACES 5

static struct {
	bool global;
	u64 gpn[SPACES]; /* of the even page; 0: none. Global pairs use the first */
} table[PAIRS];
static u32 seed;

static u32 pick(u32 n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static u64 pair_va(u32 pair)
{
	return (pair & 1 ? CSSEG_PAGE : USER_PAGE) + (u64)(pair >> 1) * 0x2000;
}

static u64 *table_slot(u32 pair, u32 space)
{
	return &table[pair].gpn[table[pair].global ? 0 : space];
}

static void guest_sets(u32 pair, u32 space, u64 gpn)
{
	u64 bits = V | (table[pair].global ? G : 0);
	u64 hi = pair_va(pair) | (space + 1);
	bool hit;

	probe(hi);
	hit = !(vcp0(v, Index) & INDEX_P);
	if (gpn)
		write_pair(hi, fake_lo(gpn, bits), fake_lo(gpn + 1, bits), !hit);
	else if (hit)
		write_pair(0xffffffff80000000 + vcp0(v, Index) * 0x2000, 0, 0, false);
	*table_slot(pair, space) = gpn;
	set_asid(space + 1);
}

static void guest_invalidates(bool all, u32 space)
{
	u32 i, k;

	set_asid(space + 1);
	vtlb_invalidate(v, all);
	for (i = 0; i < PAIRS; i++) {
		if (!table[i].global || all)
			table[i].gpn[space] = 0;
		for (k = 0; all && k < SPACES; k++)
			table[i].gpn[k] = 0;
		if (all)
			table[i].global = pick(4) == 0;
	}
}

static void check_one_access(u32 pair, u32 space)
{
	u64 want = *table_slot(pair, space);
	u32 odd = pick(2);
	long got;

	set_asid(space + 1);
	got = reach(pair_va(pair) + odd * PAGE_SIZE);
	if (got == -EXC_TLBL && want) { /* evicted: the guest's handler brings it back */
		guest_sets(pair, space, want);
		got = reach(pair_va(pair) + odd * PAGE_SIZE);
	}
	assert_int_equal(got, want ? (long)(want + odd) : -EXC_TLBL);
}

static void a_guest_that_keeps_the_rules_sees_its_table(void **state)
{
	u32 i;

	(void)state;
	seed = 1;
	guest_invalidates(true, 0);
	for (i = 0; i < 300000; i++) {
		u32 pair = pick(PAIRS), space = pick(SPACES), what = pick(1000);

		if (what < 150)
			guest_sets(pair, space, 2 * (1 + pick(FAKE_PAGES / 2 - 1)));
		else if (what < 200)
			guest_sets(pair, space, 0);
		else if (what < 203)
			guest_invalidates(what == 200, space);
		else if (what < 205)
			tlbinvf(); /* another VCPU's doing */
		else
			check_one_access(pair, space);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_windows_need_no_entry, fill),
		cmocka_unit_test_setup(entries_do_not_reach_into_the_windows, fill),
		cmocka_unit_test_setup(memory_ends_where_it_ends, fill),
		cmocka_unit_test_setup(the_monitors_page_is_no_guests, fill),
		cmocka_unit_test_setup(a_new_generation_leaves_nobody_behind, fill),
		cmocka_unit_test_setup(rights_are_the_entrys, fill),
		cmocka_unit_test_setup(address_spaces_are_apart, fill),
		cmocka_unit_test_setup(global_entries_hold_in_all, fill),
		cmocka_unit_test_setup(tlbwi_ends_what_it_replaces, fill),
		cmocka_unit_test_setup(tlbwi_ends_a_global_one_everywhere, fill),
		cmocka_unit_test_setup(a_probe_that_misses_forgets_what_tlbwr_evicted, fill),
		cmocka_unit_test_setup(a_page_that_is_not_ready_is_missed_again, fill),
		cmocka_unit_test_setup(an_entry_that_waits_ends_what_tlbwr_evicted, fill),
		cmocka_unit_test_setup(tlbinv_takes_one_address_space, fill),
		cmocka_unit_test_setup(a_private_pair_replaces_a_global_one, fill),
		cmocka_unit_test_setup(large_pages_reach_every_4k_of_them, fill),
		cmocka_unit_test_setup(a_load_of_its_own_address_is_no_fetch, fill),
		cmocka_unit_test_setup(one_vcpu_never_sees_anothers_pages_after_asids_run_out,
				       fill),
		cmocka_unit_test_setup(a_guest_that_keeps_the_rules_sees_its_table, fill),
	};

	return cmocka_run_group_tests_name("mmu", tests, NULL, NULL);
}
