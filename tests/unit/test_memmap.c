/* SPDX-License-Identifier: MIT */
/* kernel/memmap.c and pmap.c: a machine page has one owner at a time, and a VM gets pages for its
 * own memory only. */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/memmap.h"
#include "kernel/options.h"
#include "kernel/vm.h"
#include "numa/numa.h"

#define NODES	    3
#define NODE_PAGES  2048u
#define FIRST(node) (0x80000 + (u64)(node)*NODE_PAGES)
#define VM_PAGES    (5 * BLOCK_PAGES) /* two pairs of blocks, and one block */

static struct page pages[NODES][NODE_PAGES];
static struct vm vm_a, vm_b;
static u64 lo_a[VM_PAGES + 3 * sizeof(struct pmap_pair) / 8], lo_b[ARRAY_SIZE(lo_a)];
static bool is_free[NODES * NODE_PAGES];
static int locks_held, flushes;
static bool large, blocks;

/* ---- stand-ins of the rest of the monitor ---- */

_Noreturn void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

void lock_take(struct lock *l)
{
	(void)l;
	locks_held++;
}

void lock_release(struct lock *l)
{
	(void)l;
	locks_held--;
}

mpn_t nodemem_alloc(u32 node)
{
	u32 i, index;

	for (i = 0; i < NODES * NODE_PAGES; i++) {
		index = (node * NODE_PAGES + i) % (NODES * NODE_PAGES);
		if (is_free[index]) {
			is_free[index] = false;
			return (mpn_t){ FIRST(0) + index };
		}
	}
	return MPN_NONE;
}

mpn_t nodemem_alloc_block(u32 node)
{
	u32 i, k, start;

	for (i = 0; blocks && i < NODE_PAGES; i += BLOCK_PAGES) {
		start = node * NODE_PAGES + i;
		for (k = 0; k < BLOCK_PAGES && is_free[start + k]; k++)
			;
		if (k < BLOCK_PAGES)
			continue;
		memset(is_free + start, 0, BLOCK_PAGES);
		return (mpn_t){ FIRST(0) + start };
	}
	return MPN_NONE;
}

bool option_on(enum option o) { return o != OPTION_LARGE || large; }

void mmu_flush_node(void) { flushes++; }

void nodemem_free(mpn_t mpn)
{
	assert_false(is_free[mpn.v - FIRST(0)]);
	assert_int_equal(memmap_page(mpn)->state, PAGE_FREE);
	is_free[mpn.v - FIRST(0)] = true;
}

static int fill(void **state)
{
	u32 i, k;

	(void)state;
	for (i = 0; i < NODES; i++) {
		memmap_init_node(i, (mpn_t){ FIRST(i) }, NODE_PAGES, pages[i]);
		for (k = 0; k < NODE_PAGES; k++) {
			pages[i][k].state = PAGE_FREE;
			is_free[i * NODE_PAGES + k] = true;
		}
	}
	vm_a.id = 1;
	vm_b.id = 2;
	pmap_init(&vm_a.pmap, lo_a, VM_PAGES);
	pmap_init(&vm_b.pmap, lo_b, VM_PAGES);
	locks_held = flushes = 0;
	large = blocks = true;
	return 0;
}

/* ---- memmap ---- */

static void every_page_has_a_home(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < NODES; i++) {
		assert_int_equal(memmap_node((mpn_t){ FIRST(i) }), i);
		assert_int_equal(memmap_node((mpn_t){ FIRST(i) + NODE_PAGES - 1 }), i);
		assert_ptr_equal(memmap_page((mpn_t){ FIRST(i) + 3 }), &pages[i][3]);
	}
	assert_int_equal(memmap_node((mpn_t){ FIRST(0) - 1 }), -1);
	assert_int_equal(memmap_node((mpn_t){ FIRST(NODES) }), -1);
	assert_null(memmap_page((mpn_t){ 0 }));
	assert_null(memmap_page((mpn_t){ ~0ull }));
}

static void pages_of_the_monitor_are_never_given(void **state)
{
	(void)state;
	memmap_init_node(0, (mpn_t){ FIRST(0) }, NODE_PAGES, pages[0]);
	expect_assert_failure(memmap_give((mpn_t){ FIRST(0) }, 1, (gpn_t){ 0 }));
	expect_assert_failure(memmap_take_back((mpn_t){ FIRST(0) }, 1));
}

static void a_page_has_one_owner(void **state)
{
	mpn_t mpn = { FIRST(1) + 5 };

	(void)state;
	memmap_give(mpn, 1, (gpn_t){ 7 });
	assert_int_equal(memmap_page(mpn)->state, PAGE_GUEST);
	assert_int_equal(memmap_page(mpn)->owner, 1);
	assert_int_equal(memmap_page(mpn)->gpn, 7);
	expect_assert_failure(memmap_give(mpn, 2, (gpn_t){ 7 }));
	expect_assert_failure(memmap_take_back(mpn, 2));
	memmap_take_back(mpn, 1);
	assert_int_equal(memmap_page(mpn)->state, PAGE_FREE);
	expect_assert_failure(memmap_take_back(mpn, 1));
	expect_assert_failure(memmap_give((mpn_t){ FIRST(NODES) }, 1, (gpn_t){ 0 }));
}

/* ---- pmap ---- */

static void a_page_is_given_on_first_use_near_its_user(void **state)
{
	gpn_t gpn = { 9 };
	u64 lo;

	(void)state;
	assert_false(mpn_valid(pmap_lookup(&vm_a.pmap, gpn)));
	lo = pmap_use(&vm_a, gpn, 2);
	assert_int_equal(memmap_node(arch_entry_page(lo)), 2);
	assert_int_equal(pmap_use(&vm_a, gpn, 0), lo);
	assert_int_equal(pmap_lookup(&vm_a.pmap, gpn).v, arch_entry_page(lo).v);
	assert_int_equal(vm_a.pmap.used, BLOCK_PAGES);
	assert_int_equal(locks_held, 0);
	/* what the TLB gets: valid, writable, cacheable, and never global */
	assert_int_equal(lo & ~(u64)ENTRYLO_PFN, ENTRYLO_V | ENTRYLO_D | ENTRYLO_C_WB);
}

static void memory_beyond_the_vms_is_refused(void **state)
{
	(void)state;
	assert_int_not_equal(pmap_use(&vm_a, (gpn_t){ VM_PAGES - 1 }, 0), 0);
	assert_int_equal(pmap_use(&vm_a, (gpn_t){ VM_PAGES }, 0), 0);
	assert_int_equal(pmap_use(&vm_a, (gpn_t){ ~0ull >> 12 }, 0), 0);
	assert_int_equal(pmap_use(&vm_a, (gpn_t){ 1ull << 32 }, 0), 0);
	assert_false(mpn_valid(pmap_lookup(&vm_a.pmap, (gpn_t){ VM_PAGES })));
	assert_int_equal(vm_a.pmap.used, BLOCK_PAGES);
}

static void vms_never_share_a_page(void **state)
{
	u32 i, k;

	(void)state;
	for (i = 0; i < VM_PAGES; i++) {
		blocks = i % 3;
		pmap_use(&vm_a, (gpn_t){ i }, i % NODES);
		pmap_use(&vm_b, (gpn_t){ i }, i % NODES);
	}
	for (i = 0; i < VM_PAGES; i++)
		for (k = 0; k < VM_PAGES; k++)
			assert_true(lo_a[i] != lo_b[k]);
}

static void a_full_machine_says_so(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(is_free); i++)
		is_free[i] = false;
	assert_int_equal(pmap_use(&vm_a, (gpn_t){ 0 }, 0), 0);
	assert_int_equal(vm_a.pmap.used, 0);
	is_free[17] = true;
	assert_int_equal(arch_entry_page(pmap_use(&vm_a, (gpn_t){ 0 }, 0)).v, FIRST(0) + 17);
}

static void the_end_of_a_vm_gives_every_page_back(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < VM_PAGES; i += 3)
		pmap_use(&vm_a, (gpn_t){ i }, 1);
	pmap_use(&vm_b, (gpn_t){ 0 }, 1);
	pmap_release(&vm_a);
	assert_int_equal(vm_a.pmap.used, 0);
	for (i = 0; i < VM_PAGES; i++)
		assert_int_equal(lo_a[i], 0);
	assert_int_not_equal(lo_b[0], 0);
	pmap_release(&vm_b);
	for (i = 0; i < ARRAY_SIZE(is_free); i++)
		assert_true(is_free[i]);
	pmap_release(&vm_a); /* nothing is given back twice */
}

/* ---- pairs of blocks ---- */

static struct pmap_pair *pair_of(u32 gpn) { return &vm_a.pmap.pairs[gpn / PAIR_PAGES]; }

static void whole_blocks_make_pairs(void **state)
{
	u32 i;

	(void)state;
	pmap_use(&vm_a, (gpn_t){ BLOCK_PAGES + 3 }, 0);
	assert_int_equal(pair_of(0)->lo[0], 0); /* not used yet */
	assert_int_equal(pair_of(0)->lo[1], lo_a[BLOCK_PAGES]);
	pmap_use(&vm_a, (gpn_t){ 5 }, 1);
	assert_int_equal(pair_of(0)->lo[0], lo_a[0]);
	for (i = 0; i < PAIR_PAGES; i++) /* each page is where the large one has it */
		assert_int_equal(arch_entry_page(lo_a[i]).v,
				 arch_entry_page(pair_of(0)->lo[i / BLOCK_PAGES]).v +
					 i % BLOCK_PAGES);
	assert_int_equal(arch_entry_page(lo_a[0]).v % BLOCK_PAGES, 0);
	assert_false(pair_of(0)->broken);
	assert_int_equal(flushes, 0);
}

/* Behind the odd megabyte xsseg is the guest's own. */
static void half_a_pair_at_the_end_is_none(void **state)
{
	(void)state;
	pmap_use(&vm_a, (gpn_t){ VM_PAGES - 1 }, 0);
	assert_int_equal(vm_a.pmap.used, BLOCK_PAGES);
	assert_true(pair_of(VM_PAGES - 1)->broken);
	assert_int_equal(pair_of(VM_PAGES - 1)->lo[0] | pair_of(VM_PAGES - 1)->lo[1], 0);
}

static void a_single_page_breaks_its_pair(void **state)
{
	u64 before;

	(void)state;
	pmap_use(&vm_a, (gpn_t){ 0 }, 0);
	before = lo_a[0];
	assert_int_equal(pair_of(0)->lo[0], before);
	blocks = false;
	pmap_use(&vm_a, (gpn_t){ BLOCK_PAGES }, 0);
	assert_true(pair_of(0)->broken);
	assert_int_equal(pair_of(0)->lo[0] | pair_of(0)->lo[1], 0);
	assert_int_equal(flushes, 1); /* the large entry may be in the TLB */
	assert_int_equal(lo_a[0], before);
	assert_int_equal(vm_a.pmap.used, BLOCK_PAGES + 1);
	/* for good: a whole block that comes later does not mend it */
	blocks = true;
	pmap_use(&vm_a, (gpn_t){ BLOCK_PAGES + 1 }, 0);
	assert_int_equal(vm_a.pmap.used, BLOCK_PAGES + 2);
	assert_int_equal(pair_of(0)->lo[0] | pair_of(0)->lo[1], 0);
	/* nor is a pair made of a block that is given after its pair was broken */
	blocks = false;
	pmap_use(&vm_a, (gpn_t){ PAIR_PAGES }, 0);
	blocks = true;
	pmap_use(&vm_a, (gpn_t){ PAIR_PAGES + BLOCK_PAGES }, 0);
	assert_int_equal(pair_of(PAIR_PAGES)->lo[0] | pair_of(PAIR_PAGES)->lo[1], 0);
	assert_int_equal(flushes, 1);
}

static void large_pages_can_be_off(void **state)
{
	(void)state;
	large = false;
	pmap_use(&vm_a, (gpn_t){ 0 }, 0);
	assert_int_equal(vm_a.pmap.used, BLOCK_PAGES);
	assert_int_equal(pair_of(0)->lo[0] | pair_of(0)->lo[1], 0);
}

static void released_pairs_are_as_new(void **state)
{
	(void)state;
	pmap_use(&vm_a, (gpn_t){ 0 }, 0);
	blocks = false;
	pmap_use(&vm_a, (gpn_t){ PAIR_PAGES }, 0);
	pmap_release(&vm_a);
	assert_false(pair_of(0)->broken || pair_of(PAIR_PAGES)->broken);
	assert_int_equal(pair_of(0)->lo[0] | pair_of(0)->lo[1], 0);
	assert_true(pair_of(VM_PAGES - 1)->broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_page_has_a_home, fill),
		cmocka_unit_test_setup(pages_of_the_monitor_are_never_given, fill),
		cmocka_unit_test_setup(a_page_has_one_owner, fill),
		cmocka_unit_test_setup(a_page_is_given_on_first_use_near_its_user, fill),
		cmocka_unit_test_setup(memory_beyond_the_vms_is_refused, fill),
		cmocka_unit_test_setup(vms_never_share_a_page, fill),
		cmocka_unit_test_setup(a_full_machine_says_so, fill),
		cmocka_unit_test_setup(the_end_of_a_vm_gives_every_page_back, fill),
		cmocka_unit_test_setup(whole_blocks_make_pairs, fill),
		cmocka_unit_test_setup(half_a_pair_at_the_end_is_none, fill),
		cmocka_unit_test_setup(a_single_page_breaks_its_pair, fill),
		cmocka_unit_test_setup(large_pages_can_be_off, fill),
		cmocka_unit_test_setup(released_pairs_are_as_new, fill),
	};

	return cmocka_run_group_tests_name("memmap", tests, NULL, NULL);
}
