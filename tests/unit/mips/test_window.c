/* SPDX-License-Identifier: MIT */
/* The windows' large pages on the fake machine: arch/mips/mmu.c fills them, forget.c takes them back. */
#include "tests/unit/unit.h"

#include "kernel/mem/l2tlb.h"
#include "tests/unit/fake.h"

#define V ENTRYLO_V
#define D ENTRYLO_D

static struct vcpu *const v = &fake_vcpu;

static int reset(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

/* The guest page that an access to va reaches. */
static long reach(bool write, u64 va)
{
	enum verdict verdict;
	u64 lo = fake_access(va, write, &verdict);

	assert_int_equal(verdict, RESUME);
	return (long)fake_gpn(lo);
}

/* Small pages from first on are a pair of large ones, as large.c says it. */
static void set_large(u64 first, u32 pages, u64 bits)
{
	u64 pair = arch_large_pair(fake_lo(FAKE_MACHINE_GPN + first, bits | ENTRYLO_C_WB), pages);

	for (u32 i = 0; i < pages >> LARGE_SHIFT; i++)
		fake_large[(first >> LARGE_SHIFT) + i] = pair;
	v->vm->pmap.view[0].held[first / PIECE_PAGES] |=
		~0ul >> (64 - (pages >> LARGE_SHIFT)) << (first % PIECE_PAGES >> LARGE_SHIFT);
}

static u64 mask_at(u64 va) { return fake_tlb_find(va, v->arch.asid)->mask; }

static void the_windows_have_large_pages(void **state)
{
	(void)state;
	set_large(0x200, 128, V | D);
	set_large(0x280, 32, V | D);
	set_large(0x2a0, 8, V | D);
	set_large(0x380, 128, V | D);
	set_large(0x800, 512, V | D);
	assert_int_equal(reach(false, DISCO_CSSEG_BASE + 0x212345), 0x212);
	assert_int_equal(reach(false, DISCO_CSSEG_BASE + 0x27ffff),
			 0x27f); /* the pair's other half */
	assert_int_equal(mask_at(DISCO_CSSEG_BASE + 0x27f000), 0x7e000);
	assert_int_equal(reach(false, DISCO_CSSEG_BASE + 0x291345), 0x291);
	assert_int_equal(mask_at(DISCO_CSSEG_BASE + 0x291000), 0x1e000);
	assert_int_equal(reach(false, DISCO_XSSEG_BASE + 0x2a7008), 0x2a7);
	assert_int_equal(mask_at(DISCO_XSSEG_BASE + 0x2a0000), 0x6000);
	assert_int_equal(reach(true, DISCO_CSSEG_BASE + 0x3fffff), 0x3ff);
	assert_int_equal(reach(true, DISCO_XSSEG_BASE + 0x901234), 0x901);
	assert_int_equal(reach(false, DISCO_XSSEG_BASE + 0x8fffff), 0x8ff);
	assert_int_equal(mask_at(DISCO_XSSEG_BASE + 0x9ff000), 0x1fe000);
	assert_int_equal(reach(false, DISCO_CSSEG_BASE + 0x2a8000), 0x2a8);
	assert_int_equal(mask_at(DISCO_CSSEG_BASE + 0x2a8000), 0);
	assert_int_equal(reach(false, DISCO_CSSEG_BASE + 0x1ff000), 0x1ff);
	assert_int_equal(reach(false, DISCO_CSSEG_BASE + 0x400000), 0x400);
	assert_int_equal(fake_cpu.reg[5][0], 0); /* vectors.S relies on it */
	/* page by page from now on, as pmap.c does it */
	memset(&fake_large[0x200 >> LARGE_SHIFT], 0, PIECE_PAIRS * sizeof(u64));
	mmu_flush_node();
	assert_int_equal(reach(false, DISCO_CSSEG_BASE + 0x212345), 0x212);
	assert_int_equal(mask_at(DISCO_CSSEG_BASE + 0x212345), 0);
}

/* What a shootdown of one page takes along: the pairs of its piece, if any may be in the TLB. */
static void a_large_page_goes_with_one_of_its_pages(void **state)
{
	struct mmu_drop drop = { .vm = v->vm, .n = 1, .page = { { 0x27f } } };
	u64 *held = v->vm->pmap.view[0].held;

	(void)state;
	set_large(0x200, 32, V | D);
	set_large(0x220, 32, V | D);
	assert_int_equal(reach(false, DISCO_CSSEG_BASE + 0x201000), 0x201);
	assert_int_equal(reach(false, DISCO_CSSEG_BASE + 0x221000), 0x221);
	memset(&fake_large[0x200 >> LARGE_SHIFT], 0, 4 * sizeof(u64));
	drop.page[0].v = 0x201;
	mmu_drop_pages(v->node, &drop);
	assert_null(fake_tlb_find(DISCO_CSSEG_BASE + 0x201000, v->arch.asid));
	/* the other pair may come again without the C side */
	assert_int_equal(held[0x200 / PIECE_PAGES], 0xf0);
	assert_int_equal(reach(false, DISCO_CSSEG_BASE + 0x221000), 0x221);
	/* and stays when a page of no pair is taken */
	mmu_drop_pages(v->node, &drop);
	assert_non_null(fake_tlb_find(DISCO_CSSEG_BASE + 0x221000, v->arch.asid));
	memset(&fake_large[0x220 >> LARGE_SHIFT], 0, 4 * sizeof(u64));
	drop.page[0].v = 0x221;
	mmu_drop_pages(v->node, &drop);
	assert_null(fake_tlb_find(DISCO_CSSEG_BASE + 0x221000, v->arch.asid));
	assert_int_equal(held[0x200 / PIECE_PAGES], 0);
	/* nothing of another piece is taken then */
	assert_int_equal(reach(false, DISCO_CSSEG_BASE + 0x500000), 0x500);
	mmu_drop_pages(v->node, &drop);
	assert_non_null(fake_tlb_find(DISCO_CSSEG_BASE + 0x500000, v->arch.asid));
}

/* A shared page, say: what may be written has small pages, and no older one is found first. */
static void a_write_to_a_large_page_without_the_right(void **state)
{
	(void)state;
	set_large(0x200, 128, V);
	assert_int_equal(reach(false, DISCO_CSSEG_BASE + 0x212345), 0x212);
	assert_int_equal(mask_at(DISCO_CSSEG_BASE + 0x212345), 0x7e000);
	assert_int_equal(reach(false, DISCO_XSSEG_BASE + 0x212345), 0x212);
	memset(&fake_large[0x200 >> LARGE_SHIFT], 0, PIECE_PAIRS * sizeof(u64)); /* by the write */
	assert_int_equal(reach(true, DISCO_CSSEG_BASE + 0x212345), 0x212);
	assert_int_equal(mask_at(DISCO_CSSEG_BASE + 0x212345), 0);
	assert_int_equal(reach(true, DISCO_XSSEG_BASE + 0x212345), 0x212);
	assert_int_equal(mask_at(DISCO_XSSEG_BASE + 0x212345), 0);
}

/* What others put in a page's place is translated before it is missed on, with the next miss or interrupt, if the view shows it. */
static void pages_with_something_new_are_translated_ahead(void **state)
{
	const u64 shown = DISCO_XSSEG_BASE + 0x30000, hidden = DISCO_XSSEG_BASE + 0x52000;
	struct l2tlb *l = v->arch.l2tlb;

	(void)state;
	reach(false, shown);
	reach(false, shown + PAGE_SIZE);
	l2tlb_flush(l);
	fresh_put(&fake_fresh, shown);
	fresh_put(&fake_fresh, hidden);
	fresh_put(&fake_fresh, 0x10000); /* a user's, which are not kept ready */
	fresh_put(&fake_fresh, DISCO_XSSEG_BASE + ((u64)FAKE_PAGES << PAGE_SHIFT));
	reach(false, DISCO_XSSEG_BASE + 0x100000);
	assert_non_null(l2tlb_find(l, shown));
	assert_int_equal(fake_gpn(l2tlb_lo(l2tlb_find(l, shown), 1)), 0x31);
	assert_null(l2tlb_find(l, hidden));
	assert_null(l2tlb_find(l, 0x10000));

	l2tlb_flush(l);
	fresh_put(&fake_fresh, shown);
	assert_false(inject_interrupt(v)); /* none waits */
	assert_null(l2tlb_find(l, shown));
	vcp0(v, Status) = STATUS_IE | STATUS_IM;
	v->arch.irq_lines = 1u << DISCO_IRQ_DEVICE;
	assert_true(inject_interrupt(v));
	assert_non_null(l2tlb_find(l, shown));
}

#define USER_PAGE 0x0000123456788000ull
#define USER_TAG  (USER_PAGE | v->arch.asid)

static void map_user(u64 va, u64 gpn)
{
	vcp0_write(v, 10, 0, va);
	vcp0_write(v, 2, 0, fake_lo(gpn, V | D));
	vcp0_write(v, 3, 0, fake_lo(gpn + 1, V | D));
	vtlb_write(v, true);
	reach(true, va);
}

/*
 * A page that a program and its kernel use, by both windows: each translation is known, so that a shootdown takes these, and no
 * others by looking through the L2TLB for what may be the page.
 */
static void a_page_of_program_and_windows_is_dropped_by_its_tags(void **state)
{
	const gpn_t gpn = { 0x212 }, other = { 0x212 + PAGE_FILTER_BITS };
	const u64 va = (gpn.v << PAGE_SHIFT), near_user = USER_PAGE + 0x100000;
	struct mmu_drop drop = { .vm = v->vm, .n = 1, .page = { gpn } };
	struct pmap_view *view = &v->vm->pmap.view[0];
	struct l2tlb *l = v->arch.l2tlb;

	(void)state;
	v->node->vcpus[0] = v;
	v->node->nvcpus = 1;
	map_user(USER_PAGE, gpn.v);
	map_user(near_user, other.v);
	reach(true, DISCO_CSSEG_BASE + va);
	assert_non_null(l2tlb_find(l, arch_window_tag(0, gpn)));
	reach(true, DISCO_XSSEG_BASE + va); /* the L2TLB has one place for both */
	assert_non_null(l2tlb_find(l, arch_window_tag(1, gpn)));
	assert_int_equal(view->entry[gpn.v].back, USER_TAG);
	assert_int_equal(pmap_windows(view, gpn), 3);
	assert_int_equal(pmap_windows(view, other), 0);
	assert_non_null(l2tlb_find(l, USER_TAG));
	view->entry[gpn.v].lo = 0; /* as it is hidden */
	page_filter_add(&drop.machine, (mpn_t){ FAKE_MACHINE_GPN + gpn.v });
	mmu_drop_pages(v->node, &drop);
	assert_null(l2tlb_find(l, arch_window_tag(0, gpn)));
	assert_null(l2tlb_find(l, arch_window_tag(1, gpn)));
	assert_null(l2tlb_find(l, USER_TAG));
	assert_null(fake_tlb_find(DISCO_CSSEG_BASE + va, v->arch.asid));
	assert_null(fake_tlb_find(DISCO_XSSEG_BASE + va, v->arch.asid));
	assert_null(fake_tlb_find(USER_PAGE, v->arch.asid));
	assert_non_null(l2tlb_find(l, near_user | v->arch.asid));
	assert_int_equal(pmap_windows(view, gpn), 0);
	assert_int_equal(view->entry[gpn.v].back, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_windows_have_large_pages, reset),
		cmocka_unit_test_setup(a_large_page_goes_with_one_of_its_pages, reset),
		cmocka_unit_test_setup(a_write_to_a_large_page_without_the_right, reset),
		cmocka_unit_test_setup(pages_with_something_new_are_translated_ahead, reset),
		cmocka_unit_test_setup(a_page_of_program_and_windows_is_dropped_by_its_tags, reset),
	};

	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
