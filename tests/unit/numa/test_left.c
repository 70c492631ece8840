/* SPDX-License-Identifier: MIT */
/* numa/nodemem.c: free pages with what a guest has left in them, which that guest alone may get as they are. */
#include "tests/unit/unit.h"

#include "kernel/lock.h"
#include "kernel/log.h"
#include "kernel/mem/memmap.h"
#include "kernel/mem/share.h"
#include "kernel/node.h"
#include "kernel/panic.h"
#include "kernel/vm/vm.h"
#include "numa/topology.h"
#include "tests/unit/numa/free_pages.h"

#define NODES	   3
#define NODE_PAGES 600u
#define BASE	   0x80000000ull

unsigned nnodes = NODES, nvms;
struct vm *vms[MAX_VMS];
static struct page entries[NODES][NODE_PAGES];

/* ---- stand-ins: no page's bytes are looked at ---- */

void *fake_mpn_ptr(mpn_t mpn)
{
	static u8 memory[NODES * NODE_PAGES * PAGE_SIZE];

	return memory + (mpn.v * PAGE_SIZE - BASE);
}

void lock_release(struct lock *l) { l->next--; }
void kprintf(const char *fmt, ...) { (void)fmt; }

static int fill(void **state)
{
	(void)state;
	topology_connect(NODES, TOPOLOGY_CROSSBAR);
	topology_init(NODES, (maddr_t){ BASE }, NODES * NODE_PAGES * PAGE_SIZE,
		      (maddr_t){ BASE + 10 });
	for (u32 i = 0; i < NODES; i++) {
		memmap_init_node(i, maddr_mpn(topology_base(i)), NODE_PAGES, entries[i]);
		nodemem_init(i);
	}
	return 0;
}

/* A page goes back as a guest of that life leaves it. */
static mpn_t leave(mpn_t mpn, u32 life)
{
	memmap_give(mpn, 1, (gpn_t){ 7 });
	memmap_leave(mpn, 1, life);
	nodemem_free(mpn);
	return mpn;
}

static void what_a_guest_left_is_found_by_itself_alone(void **state)
{
	mpn_t first = nodemem_alloc_unzeroed(1), second = nodemem_alloc_unzeroed(1);
	u64 nfree = nodemem_free_pages(1) + 2;

	(void)state;
	leave(first, 7);
	leave(second, 8);
	assert_false(mpn_valid(nodemem_alloc_left(1, 9, first)));
	assert_false(mpn_valid(
		nodemem_alloc_left(1, 7, MPN_NONE))); /* not the last one that went back */
	assert_false(mpn_valid(nodemem_alloc_left(2, 7, first)));
	assert_int_equal(nodemem_alloc_left(1, 7, first).v, first.v);
	assert_int_equal(nodemem_alloc_left(1, 8, first).v, second.v);
	nodemem_free(first); /* whoever had it may have written it, and it was nobody's meanwhile */
	nodemem_free(second);
	for (u32 life = 0; life <= 8; life++)
		assert_false(mpn_valid(nodemem_alloc_left(1, life, first)));
	assert_int_equal(nodemem_alloc_exact(first, 1).v, first.v);
	leave(first, 7);
	assert_int_equal(nodemem_alloc_exact(first, 1).v, first.v);
	nodemem_free(first);
	assert_false(mpn_valid(nodemem_alloc_left(1, 7, first)));
	assert_int_equal(nodemem_free_pages(1), nfree);
}

/* A whole block is nobody's: what was left in its pages is forgotten. */
static void blocks_are_of_nobody(void **state)
{
	mpn_t block = nodemem_alloc_block(2, false);

	(void)state;
	assert_true(mpn_valid(block));
	for (u32 i = 0; i < BLOCK_PAGES; i++)
		leave((mpn_t){ block.v + i }, 7);
	for (u32 i = 0; i < BLOCK_PAGES; i++)
		assert_false(mpn_valid(nodemem_alloc_left(2, 7, (mpn_t){ block.v + i })));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_a_guest_left_is_found_by_itself_alone, fill),
		cmocka_unit_test_setup(blocks_are_of_nobody, fill),
	};

	return cmocka_run_group_tests_name("left", tests, NULL, NULL);
}
