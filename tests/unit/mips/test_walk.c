/* SPDX-License-Identifier: MIT */
/*
 * arch/mips/walk.c on the fake machine: what an access comes to by the guest's page tables, which
 * bits it sets there, what a flush forgets; and tables and descriptions of any content, which may
 * reach nothing but the guest's own memory.
 */
#include "tests/unit/unit.h"

#include "tests/unit/walk_tables.h"

static struct vcpu *const v = &fake_vcpu;

static int fill(void **state)
{
	(void)state;
	fake_reset();
	link_tables(USER, ROOT, MIDDLE, LAST);
	link_tables(KERNEL, KROOT, KMIDDLE, KLAST);
	link_tables(USER, OTHER, OTHER + 0x2000, OTHER + 0x3000);
	describe();
	vcp0_write(v, 5, 1, PAGEGRAIN_RIE | PAGEGRAIN_XIE | PAGEGRAIN_IEC);
	assert_int_equal(mmu_call_setup(v, BLOCK), 0);
	assert_int_equal(mmu_call_switch(v, 0, WINDOW + ROOT), 0);
	return 0;
}

static long reach(u64 va, bool write)
{
	enum verdict verdict;
	u64 lo = fake_access(va, write, &verdict);

	if (verdict != RESUME)
		assert_false(v->arch.inject.refill);
	return verdict == RESUME ? (long)fake_gpn(lo) : -(long)v->arch.inject.code;
}

static void flush(u64 va, u64 bytes, u64 asid)
{
	assert_int_equal(mmu_call_flush(v, va, bytes, ~0ull, asid), 0);
}

static void set(u64 bits)
{
	*pte(USER, LAST) = PTE(100, bits);
	flush(USER, PAGE_SIZE, 0);
}

static void accesses_leave_their_bits(void **state)
{
	(void)state;
	set(PRESENT | WRITE);
	assert_int_equal(reach(USER, false), 100);
	assert_int_equal(*pte(USER, LAST), PTE(100, PRESENT | WRITE | READ_BITS));
	assert_int_equal(reach(USER, true), 100);
	assert_int_equal(*pte(USER, LAST), PTE(100, PRESENT | WRITE | WRITE_BITS));
	set(PRESENT | WRITE);
	assert_int_equal(reach(USER, true), 100);
	assert_int_equal(*pte(USER, LAST), PTE(100, PRESENT | WRITE | WRITE_BITS));
	/* the pair's other half is as its entry says */
	*pte(USER ^ PAGE_SIZE, LAST) = PTE(101, PRESENT | READ_BITS);
	set(PRESENT);
	assert_int_equal(reach(USER, false), 100);
	assert_int_equal(reach(USER ^ PAGE_SIZE, false), 101);
	assert_int_equal(reach(USER ^ PAGE_SIZE, true), -EXC_MOD);
}

static void what_is_not_allowed_is_the_guests(void **state)
{
	(void)state;
	set(0);
	assert_int_equal(reach(USER, false), -EXC_TLBL);
	assert_int_equal(reach(USER, true), -EXC_TLBS);
	assert_int_equal(*pte(USER, LAST), PTE(100, 0));
	set(PRESENT);
	assert_int_equal(reach(USER, true), -EXC_TLBS);
	assert_int_equal(*pte(USER, LAST), PTE(100, PRESENT));
	assert_int_equal(reach(USER, false), 100);
	assert_int_equal(reach(USER, true), -EXC_MOD);
	set(PRESENT | NO_READ);
	assert_int_equal(reach(USER, false), -EXC_TLBL);
	assert_int_equal(*pte(USER, LAST), PTE(100, PRESENT | NO_READ));
	/* valid by the guest's own doing, not present: what counts is PRESENT */
	set(WRITE_BITS);
	assert_int_equal(reach(USER, false), -EXC_TLBL);
	assert_int_equal(reach(USER + (1ull << 21), false), -EXC_TLBL);
	assert_int_equal(reach(USER + (1ull << 30), true), -EXC_TLBS);
	assert_int_equal(reach(USER + (1ull << 40), false), -EXC_TLBL);
	assert_int_equal(reach(KERNEL + PAGE_SIZE, false), -EXC_TLBL);
}

static void fetches_need_no_read_but_exec(void **state)
{
	(void)state;
	set(PRESENT | NO_READ);
	v->arch.pc = v->arch.badvaddr = USER;
	assert_int_equal(mmu_fault(v, EXC_TLBL), RESUME);
	set(PRESENT | NO_EXEC);
	assert_int_equal(mmu_fault(v, EXC_TLBL), INJECT);
	assert_int_equal(v->arch.inject.code, EXC_TLBXI);
	v->arch.pc = 0;
	assert_int_equal(reach(USER, false), 100);
}

static void memory_ends_where_it_ends(void **state)
{
	(void)state;
	*pte(USER, LAST) = PTE(FAKE_PAGES, PRESENT | WRITE);
	assert_int_equal(reach(USER, false), -EXC_DBE);
	assert_int_equal(reach(USER, true), -EXC_DBE);
	*pte(USER, LAST) = PTE(0xffffffff, PRESENT | WRITE);
	assert_int_equal(reach(USER, false), -EXC_DBE);
	v->arch.pc = v->arch.badvaddr = USER;
	assert_int_equal(mmu_fault(v, EXC_TLBL), INJECT);
	assert_int_equal(v->arch.inject.code, EXC_IBE);
}

static void spaces_are_apart_but_for_the_kernels(void **state)
{
	(void)state;
	*pte(USER, LAST) = PTE(100, PRESENT);
	*pte(USER, OTHER + 0x3000) = PTE(200, PRESENT);
	*pte(KERNEL, KLAST) = *pte(KERNEL ^ PAGE_SIZE, KLAST) = PTE(300, PRESENT | GLOBAL);
	for (u32 i = 0; i < 10; i++) {
		mmu_call_switch(v, 1, WINDOW + ROOT);
		assert_int_equal(reach(USER, false), 100);
		assert_int_equal(reach(KERNEL, false), 300);
		mmu_call_switch(v, 2, WINDOW + OTHER);
		assert_int_equal(reach(USER, false), 200);
		assert_int_equal(reach(KERNEL, false), 300);
	}
	*pte(USER, LAST) = PTE(101, PRESENT);
	*pte(KERNEL, KLAST) = PTE(301, PRESENT | GLOBAL);
	flush(USER, PAGE_SIZE, 1); /* of a space that is not the current one */
	flush(KERNEL, PAGE_SIZE, DISCO_ALL_ASIDS);
	assert_int_equal(reach(KERNEL, false), 301);
	mmu_call_switch(v, 1, WINDOW + ROOT);
	assert_int_equal(reach(USER, false), 101);
	assert_int_equal(reach(KERNEL, false), 301);
}

/* Every way to name a range that holds the page. */
static void flushes_forget(void **state)
{
	static const struct {
		u64 va, bytes, asid;
	} ways[] = {
		{ USER, 1, 0 },
		{ USER + 0xfff, 1, 0 },
		{ USER & ~0x1fffull, 0x2000, 0 },
		{ USER - 0x10000, 0x11000, 0 },
		{ USER - 0x10000, 1ull << 30, 0 },
		{ 0, 0, 0 },
		{ 0, ~0ull, 0 },
		{ 1, ~0ull, 0 },
		{ 0, ~0x1fffull, 0 },
		{ 0x1fff, ~0x1fffull, 0 },
		{ USER, PAGE_SIZE, DISCO_ALL_ASIDS },
		{ 0, 0, DISCO_ALL_ASIDS },
		{ 0, ~0ull, DISCO_ALL_ASIDS },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(ways); i++) {
		*pte(USER, LAST) = PTE(100 + i, PRESENT | WRITE | WRITE_BITS);
		flush(ways[i].va, ways[i].bytes, ways[i].asid);
		assert_int_equal(reach(USER, true), 100 + i);
	}
	assert_int_equal(mmu_call_flush(v, USER, 0, 1, 0x400), -DISCO_EINVAL);
	assert_int_equal(mmu_call_flush(v, USER, 0, 1, ~0ull), -DISCO_EINVAL);
	assert_int_equal(mmu_call_flush(v, USER, 0, 0, 0), 0);
}

static void flushes_reach_the_other_vcpu(void **state)
{
	struct vcpu *const other = &fake_other;

	(void)state;
	fake_switch(other);
	vcp0_write(other, 5, 1, PAGEGRAIN_RIE | PAGEGRAIN_XIE | PAGEGRAIN_IEC);
	mmu_call_setup(other, BLOCK);
	mmu_call_switch(other, 0, WINDOW + ROOT);
	for (u32 i = 0; i < 6; i++) {
		*pte(USER, LAST) = PTE(100 + i, PRESENT | READ_BITS);
		fake_switch(v);
		mmu_call_flush(v, USER, i % 3 == 2 ? 0 : 8, 3, i & 1 ? DISCO_ALL_ASIDS : 0);
		assert_int_equal(reach(USER, false), 100 + i);
		fake_switch(other);
		assert_int_equal(reach(USER, false), 100 + i);
	}
	fake_switch(v);
}

/* Slots of the two address spaces that a flush of ASID 0 empties, or not. */
static void flushes_ask_only_nodes_of_the_mask(void **state)
{
	struct vcpu *const other = &fake_other;

	(void)state;
	other->node = &fake_far;
	other->state = VCPU_RUNNING;
	asid_pool_init(&fake_far.cpu.asids);
	v->arch.asid_map[3] = other->arch.asid_map[3] = ~0ull;
	assert_int_equal(mmu_call_flush(v, USER, 0, 1, 3), 0);
	assert_true(nodemask_empty(fake_shot));
	assert_int_equal(v->arch.asid_map[3], 0);
	assert_true(other->arch.asid_map[3] == ~0ull);
	v->arch.asid_map[3] = ~0ull;
	assert_int_equal(mmu_call_flush(v, USER, 0, 2, 3), 0);
	assert_true(nodemask_is(fake_shot, 5));
	assert_true(v->arch.asid_map[3] == ~0ull);
	assert_int_equal(other->arch.asid_map[3], 0);
	/* one that does not run empties its own before it does */
	other->arch.asid_map[3] = ~0ull;
	other->state = VCPU_READY;
	fake_shot = NODEMASK_NONE;
	assert_int_equal(mmu_call_flush(v, USER, 0, 2, 3), 0);
	assert_true(nodemask_empty(fake_shot));
	assert_true(other->arch.asid_map[3] == ~0ull);
	other->state = VCPU_RUNNING;
	mmu_flush_late(other);
	assert_int_equal(other->arch.asid_map[3], 0);
	/* one that starts has an empty one */
	other->arch.asid_map[3] = ~0ull;
	other->state = VCPU_STARTING;
	assert_int_equal(mmu_call_flush(v, USER, 0, ~0ull, 3), 0);
	assert_int_equal(v->arch.asid_map[3], 0);
	assert_true(other->arch.asid_map[3] == ~0ull);
}

static void what_was_read_before_a_shootdown_is_not_installed(void **state)
{
	(void)state;
	*pte(USER, LAST) = PTE(100, PRESENT);
	fake_waits = 2;
	v->arch.badvaddr = USER;
	assert_int_equal(mmu_fault(v, EXC_TLBL), RESUME);
	assert_int_equal(fake_translate(USER), 0);
	assert_int_equal(reach(USER, false), 100);
}

static void off_is_the_guests_tlb_again(void **state)
{
	enum verdict verdict;

	(void)state;
	*pte(USER, LAST) = PTE(100, PRESENT);
	assert_int_equal(reach(USER, false), 100);
	assert_int_equal(mmu_call_setup(v, 0), 0);
	assert_int_equal(v->arch.walk_root[0], 0);
	fake_access(USER, false, &verdict);
	assert_int_equal(verdict, INJECT);
	assert_true(v->arch.inject.refill);
	fake_off[OPTION_WALKER] = true;
	assert_int_equal(mmu_call_setup(v, BLOCK), -DISCO_ENOSYS);
}

/* walk_fast.S takes the root as it is: its page must be there and its shape the known one. */
static void the_fast_walk_gets_what_it_knows(void **state)
{
	(void)state;
	assert_int_equal(v->arch.walk_root[0], (u64)fake_word(ROOT));
	assert_int_equal(v->arch.walk_root[1], (u64)fake_word(ROOT + PAGE_SIZE));
	assert_int_equal(v->arch.walk_rotate, ROTATE);
	assert_int_equal(v->arch.walk_present, PRESENT << (64 - ROTATE));
	for (u32 bit = 0; bit < 64; bit++) {
		u64 root = (WINDOW + ROOT) ^ BIT(bit), gpa = root - WINDOW;

		mmu_call_switch(v, 0, root);
		if (bit >= PAGE_SHIFT && gpa < FAKE_STORED * PAGE_SIZE)
			assert_int_equal(v->arch.walk_root[0], (u64)fake_word(gpa));
		else
			assert_int_equal(v->arch.walk_root[0], 0);
	}
	fake_word(BLOCK)[DISCO_MMU_SHIFTS] += 1ull << 40;
	mmu_call_switch(v, 0, WINDOW + ROOT);
	assert_int_equal(mmu_call_setup(v, BLOCK), 0);
	assert_int_equal(v->arch.walk_root[0], 0);
	describe();
	fake_off[OPTION_WALK_FAST] = true;
	assert_int_equal(mmu_call_setup(v, BLOCK), 0);
	assert_int_equal(v->arch.walk_root[0], 0);
}

/* It is found again if its page may have moved, and goes on without if others have. */
static void the_root_is_forgotten_with_its_page(void **state)
{
	struct mmu_drop drop = { .vm = v->vm };
	u64 page = maddr_mpn(ptr_maddr(fake_word(ROOT))).v;

	(void)state;
	v->node->vcpus[0] = v;
	v->node->nvcpus = 1;
	for (u64 other = page + 2; other < page + PAGE_FILTER_BITS; other++)
		page_filter_add(&drop.machine, (mpn_t){ other });
	mmu_drop_pages(v->node, &drop);
	assert_int_equal(v->arch.walk_root[0], (u64)fake_word(ROOT));
	drop.machine = (struct page_filter){ { 0 } };
	page_filter_add(&drop.machine, (mpn_t){ page + 1 });
	mmu_drop_pages(v->node, &drop);
	assert_int_equal(v->arch.walk_root[0], 0);
	assert_int_equal(v->arch.walk_root[1], 0);
}

static void bad_descriptions_are_refused(void **state)
{
	static const u64 shifts[] = {
		0,
		~0ull,
		30 | 10 << 8, /* lowest level not at a page */
		30 | 10 << 8 | 21 << 16 | 9 << 24 | 13ull << 32 | 9ull << 40,
		30 | 10 << 8 | 21 << 16 | 9 << 24 | 11ull << 32 | 9ull << 40,
		30 | 10 << 8 | 21 << 16 | 9 << 24 | 12ull << 32,
		30 | 33 << 8 | 21 << 16 | 9 << 24 | 12ull << 32 | 9ull << 40,
		11 | 10 << 8 | 21 << 16 | 9 << 24 | 12ull << 32 | 9ull << 40,
	};
	u64 *block = fake_word(BLOCK);

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(shifts); i++) {
		block[DISCO_MMU_SHIFTS] = shifts[i];
		assert_int_equal(mmu_call_setup(v, BLOCK), -DISCO_EINVAL);
	}
	describe();
	block[DISCO_MMU_ROTATE] = 0;
	assert_int_equal(mmu_call_setup(v, BLOCK), -DISCO_EINVAL);
	block[DISCO_MMU_ROTATE] = 64;
	assert_int_equal(mmu_call_setup(v, BLOCK), -DISCO_EINVAL);
	block[DISCO_MMU_ROTATE] = 256 + 8;
	assert_int_equal(mmu_call_setup(v, BLOCK), -DISCO_EINVAL);
	assert_int_equal(mmu_call_setup(v, FAKE_STORED * PAGE_SIZE - 8), -DISCO_EFAULT);
	assert_int_equal(mmu_call_setup(v, ~7ull), -DISCO_EFAULT);
	/* the old description is in force */
	*pte(USER, LAST) = PTE(100, PRESENT);
	assert_int_equal(reach(USER, false), 100);
}

static u64 seed = 1;

static u64 random64(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return seed ^ seed >> 31;
}

static u64 random_word(void)
{
	u64 r = random64(), gpa = r >> 16 & (FAKE_STORED * PAGE_SIZE - 1);

	switch (r & 7) {
	case 0: return random64();
	case 1: return WINDOW + gpa; /* any alignment */
	case 2: return DISCO_CSSEG_BASE + gpa;
	case 3: return WINDOW + (gpa & ~7ull);
	case 4: return WINDOW + (random64() & 0xffffffffffffff);
	case 5: return 0xffffffffull << 32 | random64();
	default: return PTE(r >> 16 & 0x7fff, random64() & 0x7ff);
	}
}

/*
 * All of the guest's stored memory is its tables; fake_mpn_ptr fails on an access elsewhere, and
 * the page that is reached must be the VM's.
 */
static void hostile_tables_reach_nothing_else(void **state)
{
	(void)state;
	for (u32 round = 0; round < 300; round++) {
		for (u64 gpa = 0; gpa < FAKE_STORED * PAGE_SIZE; gpa += 8)
			*fake_word(gpa) = random_word();
		describe();
		if (round & 1) {
			for (u32 i = 0; i < DISCO_MMU_WORDS; i++)
				if (random64() & 1)
					fake_word(BLOCK)[i] = random64();
			fake_word(BLOCK)[DISCO_MMU_SHIFTS] =
				12ull << 32 | (random64() % 20) << 40 | (12 + random64() % 50) |
				(random64() % 30) << 8 | (12 + random64() % 50) << 16 |
				(random64() % 30) << 24;
		}
		mmu_call_setup(v, BLOCK);
		mmu_call_switch(v, round, random_word());
		for (u32 i = 0; i < 300; i++) {
			u64 va = random64() >> (i & 1 ? 24 : 16);
			enum verdict verdict;
			u64 lo;

			if (i % 5 == 0)
				va = DISCO_CSSEG_MAPPED + (va & 0xfffff8);
			v->arch.badvaddr = va;
			v->arch.pc = i % 7 ? 0 : va;
			verdict = mmu_fault(v, i & 2 ? EXC_TLBS : EXC_TLBL);
			assert_true(verdict == RESUME || verdict == INJECT);
			lo = fake_translate(va);
			assert_true(!lo || fake_gpn(lo) < FAKE_PAGES);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(accesses_leave_their_bits, fill),
		cmocka_unit_test_setup(what_is_not_allowed_is_the_guests, fill),
		cmocka_unit_test_setup(fetches_need_no_read_but_exec, fill),
		cmocka_unit_test_setup(memory_ends_where_it_ends, fill),
		cmocka_unit_test_setup(spaces_are_apart_but_for_the_kernels, fill),
		cmocka_unit_test_setup(flushes_forget, fill),
		cmocka_unit_test_setup(flushes_reach_the_other_vcpu, fill),
		cmocka_unit_test_setup(flushes_ask_only_nodes_of_the_mask, fill),
		cmocka_unit_test_setup(what_was_read_before_a_shootdown_is_not_installed, fill),
		cmocka_unit_test_setup(off_is_the_guests_tlb_again, fill),
		cmocka_unit_test_setup(the_fast_walk_gets_what_it_knows, fill),
		cmocka_unit_test_setup(the_root_is_forgotten_with_its_page, fill),
		cmocka_unit_test_setup(bad_descriptions_are_refused, fill),
		cmocka_unit_test_setup(hostile_tables_reach_nothing_else, fill),
	};

	return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
