/* SPDX-License-Identifier: MIT */
/*
 * numa/nodemem.c: free pages and blocks of 1 MB. Nothing is given twice, a block is whole, aligned
 * and zero, and what was taken apart comes together again.
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/lock.h"
#include "kernel/log.h"
#include "kernel/mem/memmap.h"
#include "kernel/mem/share.h"
#include "kernel/node.h"
#include "kernel/panic.h"
#include "kernel/vm/vm.h"
#include "numa/heat.h"
#include "numa/topology.h"
#include "tests/unit/numa/free_pages.h"

#define NODES	   3
#define NODE_PAGES 1100u /* four blocks and a bit, at odd places */
#define BASE	   0x80000000ull
#define PAGES	   (NODES * NODE_PAGES)
#define KEPT	   (BASE + 700 * PAGE_SIZE) /* of node 0 */
#define KEPT_BYTES (3 * PAGE_SIZE)

unsigned nnodes = NODES;

static u8 *memory;
static struct page entries[NODES][NODE_PAGES];
static bool given[PAGES];
static u64 nfree;

/* ---- stand-ins ---- */

void *fake_mpn_ptr(mpn_t mpn)
{
	u64 index = mpn.v - (BASE >> PAGE_SHIFT);

	assert_in_range(index, 0, PAGES - 1);
	return memory + index * PAGE_SIZE;
}

static void (*during_alloc)(void); /* called once when a lock is given up, or NULL */
void lock_release(struct lock *l)
{
	void (*call)(void) = during_alloc;

	l->next--;
	during_alloc = NULL;
	if (call)
		call();
}
void kprintf(const char *fmt, ...) { (void)fmt; }

static u64 all_free(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < NODES; i++)
		sum += nodemem_free_pages(i);
	return sum;
}

static int fill(void **state)
{
	(void)state;
	if (!memory)
		memory = malloc(PAGES * PAGE_SIZE);
	memset(memory, 0xa5, PAGES * PAGE_SIZE);
	memset(given, 0, sizeof(given));
	topology_keep((maddr_t){ KEPT }, KEPT_BYTES);
	topology_connect(NODES, TOPOLOGY_CROSSBAR);
	topology_init(NODES, (maddr_t){ BASE }, PAGES * PAGE_SIZE, (maddr_t){ BASE + 10 });
	for (u32 i = 0; i < NODES; i++) {
		memmap_init_node(i, maddr_mpn(topology_base(i)), NODE_PAGES, entries[i]);
		nodemem_init(i);
	}
	nfree = all_free();
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

struct vm *vms[MAX_VMS];
unsigned nvms;

static u32 index_of(mpn_t mpn) { return mpn.v - (BASE >> PAGE_SHIFT); }

/* Takes what the allocator gave: free until now, zero. */
static void take(mpn_t mpn, u32 npages)
{
	assert_true(mpn_valid(mpn));
	for (u32 i = 0; i < npages; i++) {
		mpn_t page = { mpn.v + i };
		const u8 *bytes = fake_mpn_ptr(page);

		assert_false(given[index_of(page)]);
		given[index_of(page)] = true;
		assert_int_equal(bytes[0] | bytes[PAGE_SIZE - 1] | bytes[123], 0);
		memset(fake_mpn_ptr(page), 0x5a, PAGE_SIZE);
		memmap_give(page, 1, (gpn_t){ index_of(page) });
	}
}

static void give_back(u32 index)
{
	mpn_t mpn = { (BASE >> PAGE_SHIFT) + index };

	assert_true(given[index]);
	given[index] = false;
	memmap_take_back(mpn, 1);
	nodemem_free(mpn);
}

static u32 take_blocks(u32 node)
{
	u32 n = 0;
	mpn_t mpn;

	while (mpn_valid(mpn = nodemem_alloc_block(node, nodemem_free_pages(node) % 2))) {
		assert_int_equal(mpn.v % BLOCK_PAGES, 0);
		assert_int_equal(memmap_node(mpn), node);
		assert_int_equal(memmap_node((mpn_t){ mpn.v + BLOCK_PAGES - 1 }), node);
		nodemem_zero(mpn, BLOCK_PAGES);
		take(mpn, BLOCK_PAGES);
		n++;
	}
	return n;
}

static void all_back(void)
{
	for (u32 i = 0; i < PAGES; i++)
		if (given[i])
			give_back(i);
	assert_int_equal(all_free(), nfree);
}

/* Node 0: the monitor's first bytes and the kept pages cost a block each; the last is not whole. */
static void blocks_are_whole_and_aligned(void **state)
{
	(void)state;
	assert_int_equal(take_blocks(0), 2);
	assert_int_equal(take_blocks(1), 3); /* pages 1100 .. 2199; the first is nodemem's own */
	assert_int_equal(all_free(), nfree - 5 * BLOCK_PAGES);
	all_back();
	assert_int_equal(take_blocks(0), 2); /* they are blocks again */
	all_back();
}

static void every_page_is_given_once(void **state)
{
	(void)state;
	for (u64 i = 0; i < nfree; i++)
		take(nodemem_alloc(i % NODES), 1);
	assert_false(mpn_valid(nodemem_alloc(0)));
	assert_int_equal(all_free(), 0);
	assert_int_equal(take_blocks(0) + take_blocks(1) + take_blocks(2), 0);
	for (u32 i = 0; i < KEPT_BYTES / PAGE_SIZE; i++)
		assert_false(given[index_of(maddr_mpn((maddr_t){ KEPT })) + i]);
	all_back();
}

static void pages_come_from_parts_before_blocks(void **state)
{
	u32 blocks = take_blocks(2), parts;

	(void)state;
	all_back();
	parts = nodemem_free_pages(2) - blocks * BLOCK_PAGES;
	for (u32 i = 0; i < parts; i++)
		take(nodemem_alloc(2), 1);
	assert_int_equal(take_blocks(2), blocks);
	all_back();
	for (u32 i = 0; i < parts + 1; i++)
		take(nodemem_alloc(2), 1);
	assert_int_equal(take_blocks(2), blocks - 1);
	all_back();
}

static void a_full_node_takes_pages_of_the_next_but_no_blocks(void **state)
{
	mpn_t mpn;

	(void)state;
	while (nodemem_free_pages(1))
		take(nodemem_alloc(1), 1);
	mpn = nodemem_alloc(1);
	assert_int_equal(memmap_node(mpn), 2);
	take(mpn, 1);
	assert_false(mpn_valid(nodemem_alloc_block(1, false)));
	all_back();
}

/* Nodes 0 1 / 2: node 0 is nearer to 1 than node 2, the next by number. */
static void a_full_node_takes_pages_of_the_nearest(void **state)
{
	(void)state;
	topology_connect(NODES, TOPOLOGY_MESH);
	while (nodemem_free_pages(1))
		take(nodemem_alloc(1), 1);
	while (nodemem_free_pages(0)) {
		mpn_t mpn = nodemem_alloc(1);

		assert_int_equal(memmap_node(mpn), 0);
		take(mpn, 1);
	}
	assert_int_equal(memmap_node(nodemem_alloc(1)), 2);
}

/* From node 0 to node 2, which has the last free page. */
static void move_a_page(void)
{
	mpn_t to = nodemem_alloc_here(2);
	u32 index = 0;

	assert_true(mpn_valid(to));
	given[index_of(to)] = true;
	memmap_give(to, 1, (gpn_t){ 0 });
	while (!given[index])
		index++;
	give_back(index);
}

static void a_page_that_moves_is_no_reason_to_find_none(void **state)
{
	(void)state;
	while (all_free() > 1)
		take(nodemem_alloc(0), 1);
	assert_int_equal(nodemem_free_pages(2), 1);
	during_alloc = move_a_page;
	take(nodemem_alloc(0), 1);
	assert_null(during_alloc);
	all_back();
}

static void take_block(mpn_t first)
{
	nodemem_zero(first, BLOCK_PAGES);
	take(first, BLOCK_PAGES);
}

static void take_unzeroed(mpn_t mpn, u32 n)
{
	nodemem_zero(mpn, n);
	take(mpn, n);
}

static void certain_pages_can_be_had(void **state)
{
	mpn_t first, second;

	(void)state;
	for (u32 n = 1; n <= 8; n += 7) {
		first = nodemem_alloc_within(1, 17, n);
		assert_int_equal(memmap_node(first), 1);
		assert_int_equal(first.v % BLOCK_PAGES, 17);
		assert_false(mpn_valid(nodemem_alloc_exact(first, n))); /* on its way to somebody */
		take_unzeroed(first, n);
		second = nodemem_alloc_exact((mpn_t){ first.v + n }, n);
		assert_int_equal(second.v, first.v + n);
		take_unzeroed(second, n);
		give_back(index_of(first));
		assert_false(mpn_valid(nodemem_alloc_exact(first, 8))); /* not all of them */
		assert_int_equal(nodemem_alloc_exact(first, 1).v, first.v);
		take_unzeroed(first, 1);
		first = nodemem_alloc_block(2, false); /* of a block that is whole */
		take_block(first);
		for (u32 i = 0; i < BLOCK_PAGES; i++)
			give_back(index_of(first) + i);
		second = nodemem_alloc_exact((mpn_t){ first.v + BLOCK_PAGES - n }, n);
		assert_int_equal(second.v, first.v + BLOCK_PAGES - n);
		take_unzeroed(second, n);
		all_back();
	}
	while (mpn_valid(first = nodemem_alloc_block(1, false)))
		take_block(first);
	assert_false(mpn_valid(nodemem_alloc_within(1, 0, 1)));
	all_back();
}

/* Node 1 has two blocks that are the halves of 2 MB, and one whose neighbour is in use; node 2 two of each. */
static void halves_of_two_blocks_are_kept_for_each_other(void **state)
{
	mpn_t odd, even, alone;

	(void)state;
	even = nodemem_alloc_block(2, false);
	take_block(even);
	assert_int_equal(even.v % (2 * BLOCK_PAGES), 0);
	odd = nodemem_alloc_block_at(2, (mpn_t){ even.v + BLOCK_PAGES });
	assert_int_equal(odd.v, even.v + BLOCK_PAGES);
	take_block(odd);
	assert_false(mpn_valid(nodemem_alloc_block_at(2, odd)));
	assert_false(mpn_valid(nodemem_alloc_block_at(1, even))); /* another node's */
	for (u32 i = 0; i < BLOCK_PAGES; i++)
		give_back(index_of(odd) + i);
	alone = nodemem_alloc_block(2, true); /* only halves are left: any */
	assert_true(mpn_valid(alone));
	take_block(alone);
	all_back();
	odd = nodemem_alloc_block(2, true);
	take_block(odd);
	assert_int_equal(odd.v, even.v + BLOCK_PAGES);
	take_unzeroed(nodemem_alloc_exact(even, 1), 1);
	assert_false(mpn_valid(nodemem_alloc_block_at(2, even))); /* not whole */
	all_back();
}

static void one_page_in_use_holds_its_block(void **state)
{
	u32 blocks = take_blocks(1), held = 0, i;

	(void)state;
	all_back();
	for (i = 0; nodemem_free_pages(1); i++)
		take(nodemem_alloc(1), 1);
	for (i = NODE_PAGES; i < 2 * NODE_PAGES; i++)
		if (given[i] && i % BLOCK_PAGES)
			give_back(i);
	for (i = NODE_PAGES; i < 2 * NODE_PAGES; i++)
		held += given[i];
	assert_true(held >= blocks);
	assert_int_equal(take_blocks(1), 0);
	for (i = NODE_PAGES; i < 2 * NODE_PAGES; i++)
		if (given[i])
			give_back(i);
	assert_int_equal(take_blocks(1), blocks);
	all_back();
}

static void at_random(void **state)
{
	u32 seed = 1, blocks[NODES];

	(void)state;
	for (u32 i = 0; i < NODES; i++)
		blocks[i] = take_blocks(i);
	all_back();
	for (u32 i = 0; i < 200000; i++) {
		u32 what, index;

		seed = seed * 1664525 + 1013904223;
		what = seed >> 8 & 255;
		index = (seed >> 16) % PAGES;
		if (given[index] && (what < 128 || i % 20000 > 15000))
			give_back(index);
		else if (what >= 130 && nodemem_free_pages(0) + nodemem_free_pages(1))
			take(nodemem_alloc(what % NODES), 1);
		else if (what == 129) {
			mpn_t mpn = nodemem_alloc_block(index % NODES, seed >> 24 & 1);

			if (mpn_valid(mpn)) {
				nodemem_zero(mpn, BLOCK_PAGES);
				take(mpn, BLOCK_PAGES);
			}
		}
	}
	all_back();
	for (u32 i = 0; i < NODES; i++)
		assert_int_equal(take_blocks(i), blocks[i]);
	all_back();
}

static void promises_end_with_the_memory(void **state)
{
	u64 left = nodemem_unreserved();

	(void)state;
	assert_int_equal(nodemem_reserve(left + 1), -ENOMEM);
	assert_int_equal(nodemem_reserve(left - 3), 0);
	assert_int_equal(nodemem_reserve(4), -ENOMEM);
	assert_int_equal(nodemem_reserve(3), 0);
	nodemem_unreserve(left);
	assert_int_equal(nodemem_unreserved(), left);
}

/* Neighbouring pages for the monitor itself: aligned, zero, promised, of this node, and whole blocks again afterwards. */
static void neighbours_are_kept_and_return(void **state)
{
	u64 left = nodemem_unreserved();
	u32 blocks[NODES];
	mpn_t kept[40];
	u32 pages[40];

	(void)state;
	for (u32 i = 0; i < NODES; i++)
		blocks[i] = take_blocks(i);
	all_back();
	for (u32 i = 0; i < 40; i++) {
		u32 align = 1u << i % 4;
		mpn_t first;

		pages[i] = i == 5 ? BLOCK_PAGES + 30 : 1 + i % 11;
		kept[i] = nodemem_keep(i % NODES, pages[i], align);
		first = kept[i];
		assert_true(mpn_valid(first));
		assert_int_equal(first.v % align, 0);
		assert_int_equal(memmap_node(first), i % NODES);
		left -= pages[i];
		assert_int_equal(nodemem_unreserved(), left);
		for (u32 k = 0; k < pages[i]; k++) {
			mpn_t page = { first.v + k };
			const u8 *bytes = fake_mpn_ptr(page);

			assert_false(given[index_of(page)]);
			given[index_of(page)] = true;
			assert_int_equal(memmap_page(page)->state, PAGE_MONITOR);
			assert_int_equal(bytes[0] | bytes[PAGE_SIZE - 1], 0);
		}
	}
	assert_false(mpn_valid(nodemem_keep(1, NODE_PAGES, 1))); /* it has others */
	assert_int_equal(nodemem_unreserved(), left);
	for (u32 i = 0; i < 40; i++) {
		nodemem_return(kept[i], pages[i]);
		memset(&given[index_of(kept[i])], 0, pages[i]);
	}
	assert_int_equal(all_free(), nfree);
	for (u32 i = 0; i < NODES; i++)
		assert_int_equal(take_blocks(i), blocks[i]);
}

/*
 * A page that its guest has freed, or that a VM has left, begins anew with whoever gets it next: it has not moved, nobody has
 * missed on it, and it is not one that comes back.
 */
static void who_gets_a_page_gets_none_of_its_past(void **state)
{
	struct heat seen;
	mpn_t page;

	(void)state;
	heat_use_samples(false);
	for (u32 i = 0; i < NODES; i++)
		heat_init_node(i, maddr_mpn(topology_base(i)), NODE_PAGES,
			       calloc(1, heat_bytes(NODE_PAGES)));
	heat_set(48, 8, 4, 100);
	heat_clock(10);
	page = nodemem_alloc_unzeroed(1);
	heat_moved(nodemem_alloc_unzeroed(2), page);
	for (u32 i = 0; i < 10; i++)
		heat_sample(2, page, true);
	seen = heat_read(2, page);
	assert_true(seen.mine == 40 && seen.writes == 40 && seen.age == 0 && seen.back);
	assert_int_equal(heat_read(0, page).others, 1);
	nodemem_free(page);
	seen = heat_read(2, page);
	assert_true(!seen.mine && !seen.writes && seen.age == ~0u && !seen.back);
	assert_int_equal(heat_read(0, page).others, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(blocks_are_whole_and_aligned, fill),
		cmocka_unit_test_setup(every_page_is_given_once, fill),
		cmocka_unit_test_setup(pages_come_from_parts_before_blocks, fill),
		cmocka_unit_test_setup(a_full_node_takes_pages_of_the_next_but_no_blocks, fill),
		cmocka_unit_test_setup(a_full_node_takes_pages_of_the_nearest, fill),
		cmocka_unit_test_setup(a_page_that_moves_is_no_reason_to_find_none, fill),
		cmocka_unit_test_setup(certain_pages_can_be_had, fill),
		cmocka_unit_test_setup(halves_of_two_blocks_are_kept_for_each_other, fill),
		cmocka_unit_test_setup(one_page_in_use_holds_its_block, fill),
		cmocka_unit_test_setup(at_random, fill),
		cmocka_unit_test_setup(neighbours_are_kept_and_return, fill),
		cmocka_unit_test_setup(promises_end_with_the_memory, fill),
		cmocka_unit_test_setup(who_gets_a_page_gets_none_of_its_past, fill),
	};

	return cmocka_run_group_tests_name("nodemem", tests, NULL, end);
}
