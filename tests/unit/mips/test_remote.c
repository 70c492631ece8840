/* SPDX-License-Identifier: MIT */
/*
 * arch/mips/mmu.c on the fake machine while delays are injected: a remote page must miss again and
 * again, and its first write, too; what is local loses nothing. And pages on their way to another
 * node.
 */
#include "tests/unit/unit.h"

#include "tests/unit/fake.h"

#include "kernel/abi/disco.h"
#include "kernel/mem/l2tlb.h"

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

static u64 reach_by(u64 va, bool write)
{
	enum verdict verdict;
	u64 lo = fake_access(va, write, &verdict);

	assert_int_equal(verdict, RESUME);
	return fake_gpn(lo);
}

static u64 reach(u64 va) { return reach_by(va, false); }
static u64 reach_write(u64 va) { return reach_by(va, true); }

/*
 * A remote page may be in the machine's TLB after a miss on itself only, never in the L2TLB, never
 * writable before a write; its neighbour in the pair stays as quick as any.
 */
static void remote_pages_miss_again(void **state)
{
	(void)state;
	fake_remote_gpn = 101;
	latency_on = true;
	write_pair(USER_PAGE, fake_lo(100, V | D), fake_lo(101, V | D), true);
	assert_int_equal(fake_charged, 0); /* nobody has used it yet */
	assert_int_equal(reach(USER_PAGE + PAGE_SIZE), 101);
	assert_int_equal(fake_charged, 1);
	assert_int_equal(fake_translate(USER_PAGE + PAGE_SIZE) & ENTRYLO_D, 0);
	assert_int_equal(reach_write(USER_PAGE + PAGE_SIZE), 101);
	assert_int_equal(fake_charged, 2);
	assert_int_equal(reach_write(USER_PAGE + PAGE_SIZE), 101);
	assert_int_equal(fake_charged, 2);
	tlbinvf();
	assert_int_equal(reach(USER_PAGE + PAGE_SIZE), 101);
	assert_int_equal(fake_charged, 3);
	assert_null(l2tlb_find(v->arch.l2tlb, (USER_PAGE & ENTRYHI_VPN2) | v->arch.asid));
}

static void the_neighbour_of_a_remote_page_is_cached(void **state)
{
	u64 tag = (USER_PAGE & ENTRYHI_VPN2) | v->arch.asid;

	(void)state;
	fake_remote_gpn = 101;
	latency_on = true;
	write_pair(USER_PAGE, fake_lo(100, V | D), fake_lo(101, V | D), true);
	assert_int_equal(reach(USER_PAGE), 100);
	assert_non_null(l2tlb_find(v->arch.l2tlb, tag));
	assert_int_equal(l2tlb_lo(l2tlb_find(v->arch.l2tlb, tag), 1), ENTRYLO_NONE);
	tlbinvf();
	assert_int_equal(fake_gpn(fake_translate(USER_PAGE)), 100);
	assert_int_equal(fake_charged, 0);
}

static void remote_memory_is_mapped_page_by_page(void **state)
{
	(void)state;
	fake_large[0] = arch_large_pair(fake_lo(FAKE_MACHINE_GPN, V | D | ENTRYLO_C_WB), 8);
	fake_remote_gpn = 0;
	latency_on = true;
	v->arch.pmap_nlarge = 0;
	assert_int_equal(reach(DISCO_CSSEG_BASE), 0);
	assert_int_equal(fake_charged, 1);
	assert_int_equal(fake_tlb_find(DISCO_CSSEG_BASE, v->arch.asid)->mask, 0);
}

/*
 * Of guest page 1, for two address spaces. lo: what the node's view has now, machine: the batch's.
 */
static void take_back(u64 lo, struct page_filter machine)
{
	struct pmap_entry *e = pmap_entry(&v->vm->pmap, (gpn_t){ 1 }, v->node->id);
	struct mmu_drop d = { .vm = v->vm, .n = 1, .machine = machine, .page = { { 1 } } };

	v->node->vcpus[0] = v;
	v->node->nvcpus = 1;
	for (u32 asid = 1; asid <= 2; asid++) {
		write_pair(USER_PAGE | asid, fake_lo(1, V), fake_lo(2, V), true);
		assert_int_equal(reach(USER_PAGE), 1);
	}
	assert_true(pmap_is_many(e->back));
	e->lo = lo;
	mmu_drop_pages(v->node, &d);
	assert_int_equal(e->back, 0);
	for (u32 asid = 1; asid <= 2; asid++) {
		vcp0_write(v, 10, 0, asid);
		assert_int_equal(fake_translate(USER_PAGE), 0);
	}
}

static void pages_on_the_move_are_forgotten(void **state)
{
	mpn_t mpn = { FAKE_MACHINE_GPN + 1 };
	struct page_filter batch = { { 0 } };

	(void)state;
	page_filter_add(&batch, mpn);
	take_back(0, batch);
	/* a replica of this node's own stays where it is, and the batch does not know of it */
	take_back(arch_readonly_entry(arch_page_entry(mpn)), (struct page_filter){ { 0 } });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(remote_pages_miss_again, fill),
		cmocka_unit_test_setup(the_neighbour_of_a_remote_page_is_cached, fill),
		cmocka_unit_test_setup(remote_memory_is_mapped_page_by_page, fill),
		cmocka_unit_test_setup(pages_on_the_move_are_forgotten, fill),
	};

	return cmocka_run_group_tests_name("remote", tests, NULL, NULL);
}
