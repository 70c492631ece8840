/* SPDX-License-Identifier: MIT */
/*
 * A machine of three small nodes for numa/nodemem.c, and what was taken of it: all that is given is free until then, and zero.
 */
#ifndef TESTS_UNIT_NUMA_NODEMEM_MACHINE_H
#define TESTS_UNIT_NUMA_NODEMEM_MACHINE_H

#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/lock.h"
#include "kernel/log.h"
#include "kernel/mem/memmap.h"
#include "kernel/mem/share.h"
#include "kernel/node.h"
#include "kernel/options.h"
#include "kernel/panic.h"
#include "kernel/vm/vm.h"
#include "numa/topology.h"

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
static bool cleans = true, checks; /* options */

/* ---- stand-ins ---- */

void *fake_mpn_ptr(mpn_t mpn); /* tests/unit/fake/host.h */
void *fake_mpn_ptr(mpn_t mpn)
{
	u64 index = mpn.v - (BASE >> PAGE_SHIFT);

	assert_in_range(index, 0, PAGES - 1);
	return memory + index * PAGE_SIZE;
}

/* What `mem` asks of the rest, for people. */
struct node *node_self(void) { return NULL; }
void node_read_mail(struct node *n) { (void)n; }
bool share_is_for_ever(mpn_t page) { return !mpn_valid(page); }
void share_count(u64 *pages, u64 *for_ever) { *pages = *for_ever = 0; }
struct pmap_copies pmap_copies(const struct pmap *p, gpn_t gpn)
{
	(void)p, (void)gpn;
	return (struct pmap_copies){ 0 };
}

_Noreturn void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

bool option_on(enum option o) { return o != OPTION_CLEAN || cleans; }
bool option_check(void) { return checks; }

void lock_take(struct lock *l) { assert_int_equal(l->next++, 0); }
void lock_assert(const struct lock *l) { assert_int_equal(l->next, 1); }

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
		static const u8 zeros[PAGE_SIZE];

		assert_false(given[index_of(page)]);
		given[index_of(page)] = true;
		assert_memory_equal(fake_mpn_ptr(page), zeros, PAGE_SIZE);
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

	while (mpn_valid(mpn = nodemem_alloc_block(node))) {
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

#endif /* TESTS_UNIT_NUMA_NODEMEM_MACHINE_H */
