/* SPDX-License-Identifier: MIT */
/* The two VMs of numa_vm.h, and stand-ins of the rest of the monitor. */
#include "tests/unit/numa_vm.h"

#include "kernel/errno.h"
#include "kernel/mem/pmap_state.h"
#include "kernel/options.h"
#include "kernel/panic.h"
#include "kernel/mem/shootdown.h"
#include "numa/placement.h"

struct vm vm_a, vm_b;
struct vm *vms[MAX_VMS] = { &vm_a, &vm_b };
unsigned nvms = 2, nnodes = NODES;
struct node *nodes[MAX_NODES];
bool is_free[NODES * NODE_PAGES];
int locks_held, flushes;
u32 locks_taken;
bool large, blocks, neighbours, zero;
u32 largest;
u64 reserved, reserve_limit;
void (*during_shootdown)(void), (*during_copy)(void), (*during_look)(void), (*during_unlock)(void);

#define PAIRS ((VM_PAGES + PIECE_PAGES - 1) / PIECE_PAGES * PIECE_PAIRS)

static struct node node[NODES];
static u32 makes_large; /* the node that makes a pair */
static struct page pages[NODES][NODE_PAGES];
static u8 storage[2][NODES + 1][VM_PAGES * sizeof(struct pmap_entry) + 2 * PAGE_SIZE]
	__attribute__((aligned(16)));
/* what a page holds: its first word stands for all of it */
static u64 contents[NODES * NODE_PAGES][PAGE_SIZE / 8];
/*
 * of a node's small pages, TLB and L2TLB: the EntryLo under which it may still reach a guest page
 */
static u64 tlb[NODES][2][VM_PAGES];
/* of its large pages: what the refill handler may have put there of each word */
static u64 tlb_large[NODES][2][PAIRS];

_Noreturn void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

/* As kernel/lock.c: in the order of their ranks, so one range at a time. */
static const struct lock *held[4];

void lock_take(struct lock *l)
{
	assert_true(locks_held < 4 && l->rank);
	assert_true(!locks_held || held[locks_held - 1]->rank < l->rank);
	held[locks_held++] = l;
	locks_taken++;
}

void lock_assert(const struct lock *l)
{
	bool found = false;

	for (int i = 0; i < locks_held; i++)
		found |= held[i] == l;
	assert_true(found);
}

void lock_release(struct lock *l)
{
	assert_true(locks_held > 0);
	assert_ptr_equal(held[--locks_held], l);
	if (!locks_held && during_unlock)
		during_unlock();
}

/* Somebody waits for what nobody here would do: expect_assert_failure. */
void (*during_yield)(void);
void arch_yield(void)
{
	mock_assert(during_yield != NULL, "waits", __FILE__, __LINE__);
	during_yield();
}

u32 answers;
void shootdown_answer(struct node *n)
{
	(void)n;
	assert_int_equal(locks_held, 0);
	answers++;
}

void node_heed_stop(const struct node *n) { (void)n; }

void node_read_mail(struct node *n) { (void)n; }

struct node *node_self(void) { return &node[0]; }

u64 count64(void)
{
	static u64 now;

	return now += 10;
}

void *fake_mpn_ptr(mpn_t mpn)
{
	if (mpn.v == FIRST(NODES))
		return kept_pages;
	if (mpn.v < FIRST(0))
		return zero_page(mpn);
	assert_in_range(mpn.v, FIRST(0), FIRST(NODES) - 1);
	if (during_look)
		during_look();
	return contents[mpn.v - FIRST(0)];
}

bool option_on(enum option o) { return o == OPTION_LARGE ? large : o != OPTION_ZERO || zero; }

u32 mmu_largest_pair(void) { return largest; }

/* ---- free pages ---- */

mpn_t take_free(u32 index)
{
	mpn_t mpn = { FIRST(0) + index };

	is_free[index] = false;
	memmap_page(mpn)->left_by = 0;
	return mpn;
}

mpn_t nodemem_alloc_here(u32 of)
{
	for (u32 i = 0; i < NODE_PAGES; i++) {
		u32 index = of * NODE_PAGES + i;

		if (!is_free[index])
			continue;
		return take_free(index);
	}
	return MPN_NONE;
}

u32 topology_near(u32 of, u32 i) { return (of + i) % NODES; }

mpn_t nodemem_alloc_unzeroed(u32 of)
{
	mpn_t mpn = MPN_NONE;

	for (u32 i = 0; i < NODES && !mpn_valid(mpn); i++)
		mpn = nodemem_alloc_here(topology_near(of, i));
	return mpn;
}

mpn_t nodemem_alloc(u32 of)
{
	mpn_t mpn = nodemem_alloc_unzeroed(of);

	if (mpn_valid(mpn))
		memset(fake_mpn_ptr(mpn), 0, PAGE_SIZE);
	return mpn;
}

mpn_t nodemem_alloc_exact(mpn_t want, u32 n)
{
	u32 first = want.v - FIRST(0);

	if (n > 1 && !neighbours)
		return MPN_NONE;
	for (u32 i = first; i < first + n; i++)
		if (i >= NODES * NODE_PAGES || !is_free[i])
			return MPN_NONE;
	for (u32 i = 0; i < n; i++)
		take_free(first + i);
	return want;
}

void (*during_zero)(void);

void nodemem_zero(mpn_t first, u32 npages)
{
	if (during_zero)
		during_zero();
	memset(fake_mpn_ptr(first), 0, npages * PAGE_SIZE);
}

void nodemem_free(mpn_t mpn)
{
	assert_false(is_free[mpn.v - FIRST(0)]);
	assert_int_equal(memmap_page(mpn)->state, PAGE_FREE);
	is_free[mpn.v - FIRST(0)] = true;
}

int nodemem_reserve(u64 n)
{
	if (reserved + n > reserve_limit)
		return -ENOMEM;
	reserved += n;
	return 0;
}

void nodemem_unreserve(u64 n)
{
	s64 beyond = -(s64)(vm_a.pmap.used + vm_b.pmap.used);

	assert_true(n <= reserved);
	reserved -= n;
	for (u32 i = 0; i < NODES * NODE_PAGES; i++)
		beyond += memmap_page((mpn_t){ FIRST(0) + i })->state != PAGE_FREE;
	assert_true(beyond <= (s64)reserved); /* somebody else counts on the page from now on */
}

/* ---- translations ---- */

static void flush_large(u32 of)
{
	memset(tlb_large[of], 0, sizeof(tlb_large[of]));
	flushes++;
}

/* As arch/mips/forget.c. */
static bool is_held(const struct vm *vm, gpn_t gpn, u32 of)
{
	u64 *held = &vm->pmap.view[of].held[gpn.v / PIECE_PAGES];

	if (!(*held & BIT(gpn.v % PIECE_PAGES >> LARGE_SHIFT)))
		return false;
	*held = 0;
	for (u32 i = 0; i < PIECE_PAIRS; i++)
		if (vm->pmap.view[of].large[gpn.v / PIECE_PAGES * PIECE_PAIRS + i])
			*held |= BIT(i);
	return true;
}

/* Of the node that makes a large pair. */
void mmu_flush_node(void) { memset(tlb_large[makes_large], 0, sizeof(tlb_large[0])); }

/* As the real one: by its tag if there is one translation, by the machine page if many. */
void mmu_drop_pages(struct node *n, const void *what)
{
	const struct mmu_drop *d = what;
	struct page_filter machine = d->machine;

	for (u32 i = 0; i < d->n; i++) {
		struct pmap_entry *e = pmap_entry(&d->vm->pmap, d->page[i], n->id);
		u64 *cached = &tlb[n->id][d->vm == &vm_b][d->page[i].v];

		if (e->lo)
			page_filter_add(&machine, arch_entry_page(e->lo));
		if (!pmap_is_many(e->back) || page_filter_has(&machine, arch_entry_page(*cached)))
			*cached = 0;
		e->back = 0;
		if (is_held(d->vm, d->page[i], n->id))
			flush_large(n->id);
	}
}

void shootdown(struct nodemask targets, shootdown_fn flush, const void *what)
{
	void (*before)(void) = during_shootdown, (*after)(void) = during_copy;

	assert_int_equal(targets.bits >> NODES, 0);
	during_shootdown = during_copy = NULL;
	if (before)
		before();
	for_each_node(i, targets)
		flush(&node[i], what);
	if (after)
		after();
}

/* By three address spaces in turn, each with a translation of its own. */
static u64 *access_as(struct vm *vm, u64 gpn, u32 of, bool write)
{
	static u32 turn;
	u64 *cached = &tlb[of][vm == &vm_b][gpn];

	if (!*cached || (write && !arch_entry_writable(*cached))) {
		*cached = write ? pmap_use_to_write(vm, (gpn_t){ gpn }, of)
				: pmap_use(vm, (gpn_t){ gpn }, of);
	}
	pmap_note(pmap_entry(&vm->pmap, (gpn_t){ gpn }, of), BIT(13) * (gpn + 1) + 1 + turn++ % 3);
	assert_int_not_equal(*cached, 0);
	assert_true(!write || arch_entry_writable(*cached));
	return fake_mpn_ptr(arch_entry_page(*cached));
}

void leave_node(const struct vm *vm, u32 of)
{
	memset(tlb[of][vm == &vm_b], 0, sizeof(tlb[of][0]));
	memset(tlb_large[of][vm == &vm_b], 0, sizeof(tlb_large[of][0]));
}

u64 read_as(struct vm *vm, u64 gpn, u32 of) { return *access_as(vm, gpn, of, false); }

void write_as(struct vm *vm, u64 gpn, u32 of, u64 val)
{
	u64 *word = access_as(vm, gpn, of, true);

	word[0] = word[PAGE_SIZE / 8 - 1] = val;
}

u64 lo_of(const struct vm *vm, u64 gpn, u32 of)
{
	return vm->pmap.view[of].entry ? pmap_entry(&vm->pmap, (gpn_t){ gpn }, of)->lo : 0;
}

u32 large_word(const struct vm *vm, u64 gpn, u32 of)
{
	u64 pair = vm->pmap.view[of].large[gpn >> LARGE_SHIFT];

	return pair ? arch_large_pages(pair) : 0;
}

u32 large_of(struct vm *vm, u64 gpn, u32 of)
{
	u64 pair;

	pmap_use(vm, (gpn_t){ gpn }, of);
	makes_large = of;
	pair = pmap_large(vm, (gpn_t){ gpn }, of);
	assert_int_equal(pair, vm->pmap.view[of].large[gpn >> LARGE_SHIFT]);
	return large_word(vm, gpn, of);
}

/* ---- the whole ---- */

/* of each machine page that is shared */
static u32 users[NODES * NODE_PAGES];

/*
 * The refill handler may take any word at any time; what it took must be what the view shows, with no
 * more rights, until it is taken back.
 */
static void check_large(struct vm *vm, u32 of)
{
	struct pmap_view *view = &vm->pmap.view[of];

	for (u32 i = 0; view->entry && i < PAIRS; i++) {
		u64 *cached = &tlb_large[of][vm == &vm_b][i], first, lo;

		if (view->large[i])
			*cached = view->large[i];
		if (!*cached)
			continue;
		first = ROUND_DOWN(i << LARGE_SHIFT, arch_large_pages(*cached));
		lo = arch_large_lo(*cached);
		assert_true(view->held[first / PIECE_PAGES] & BIT(i % PIECE_PAIRS));
		assert_true(first + arch_large_pages(*cached) <= VM_PAGES);
		assert_int_equal(arch_entry_page(lo).v % (arch_large_pages(*cached) / 2), 0);
		for (u32 k = 0; k < arch_large_pages(*cached); k++) {
			u64 small = lo_of(vm, first + k, of);

			assert_int_equal(arch_entry_page(small).v, arch_entry_page(lo).v + k);
			assert_true(!arch_entry_writable(lo) || arch_entry_writable(small));
			if (view->large[i])
				assert_int_equal(view->large[(first + k) >> LARGE_SHIFT],
						 view->large[i]);
		}
	}
}

static void check_page(const struct vm *vm, u64 gpn, bool owned[])
{
	const struct pmap_page *page = &vm->pmap.page[gpn];
	u32 seen = 0;

	mpn_t master = pmap_master(*page);

	if (pmap_is_shared(*page)) {
		users[master.v - FIRST(0)]++;
	} else if (page->master) {
		assert_int_equal(memmap_page(master)->state, PAGE_GUEST);
		assert_int_equal(memmap_page(master)->gpn, gpn);
		assert_false(owned[master.v - FIRST(0)]);
		owned[master.v - FIRST(0)] = true;
	}
	for (u32 of = 0; of < NODES; of++) {
		u64 lo = lo_of(vm, gpn, of), cached = tlb[of][vm == &vm_b][gpn];
		mpn_t mpn = arch_entry_page(lo);

		if (cached) {
			assert_int_equal(cached & ENTRYLO_PFN, lo & ENTRYLO_PFN);
			assert_true(!arch_entry_writable(cached) || arch_entry_writable(lo));
			assert_int_not_equal(pmap_entry(&vm->pmap, (gpn_t){ gpn }, of)->back, 0);
		}
		assert_int_equal(!lo, !(vm->pmap.shown[gpn] & BIT(of)));
		if (!lo)
			continue;
		assert_true((page->master && !page->replicas && !pmap_is_shared(*page)) ==
			    arch_entry_writable(lo));
		if (page->replicas & BIT(of)) {
			assert_int_equal(memmap_page(mpn)->state, PAGE_REPLICA);
			assert_int_equal(memmap_node(mpn), of);
			owned[mpn.v - FIRST(0)] = true;
			seen |= BIT(of);
		} else {
			assert_int_equal(mpn.v, page->master ? master.v : ZERO_PAGE(of).v);
		}
	}
	assert_int_equal(seen, page->replicas);
}

/* The block that is on its way to the VM, and nobody else's. */
static void own_coming(const struct pmap_range *range, bool owned[])
{
	mpn_t block = range->coming.block;

	for (u32 i = 0; mpn_valid(block) && i < range->coming.npages; i++) {
		assert_false(owned[block.v + i - FIRST(0)]);
		owned[block.v + i - FIRST(0)] = true;
	}
}

void check_everything(void)
{
	static bool owned[NODES * NODE_PAGES];

	memset(owned, 0, sizeof(owned));
	memset(users, 0, sizeof(users));
	for (u32 of = 0; of < NODES; of++) {
		check_large(&vm_a, of);
		check_large(&vm_b, of);
	}
	for (u64 gpn = 0; gpn < VM_PAGES; gpn++) {
		check_page(&vm_a, gpn, owned);
		check_page(&vm_b, gpn, owned);
	}
	for (u32 i = 0; i < NODES * NODE_PAGES; i++) {
		const struct page *p = memmap_page((mpn_t){ FIRST(0) + i });

		if (p->state == PAGE_SHARED) {
			assert_int_equal(p->nusers, users[i]);
			assert_true(p->nusers || p->held);
			owned[i] = true;
		} else {
			assert_int_equal(users[i], 0);
		}
	}
	for (u32 i = 0; i < PMAP_RANGES; i++) {
		own_coming(&vm_a.pmap.range[i], owned);
		own_coming(&vm_b.pmap.range[i], owned);
	}
	for (u32 i = 0; i < NODES * NODE_PAGES; i++)
		if (is_free[i] == owned[i])
			fail_msg("page %u: free %d, owned %d", i, is_free[i], owned[i]);
	assert_int_equal(locks_held, 0);
}

static void reset_vm(struct vm *vm, u32 id)
{
	assert_in_range(pmap_view_bytes(VM_PAGES), 1, sizeof(storage[id][0]));
	memset(storage[id], 0, sizeof(storage[id]));
	*vm = (struct vm){
		.id = id, .home = &node[0], .node_mask = nodemask_first(3), .state = VM_RUNNING
	};
	pmap_init(&vm->pmap, storage[id][NODES], VM_PAGES);
	for (u32 i = 0; i < NODES; i++)
		pmap_add_view(&vm->pmap, i, storage[id][i]);
}

int numa_vm_reset(void **state)
{
	(void)state;
	memset(node, 0, sizeof(node));
	memset(tlb, 0, sizeof(tlb));
	memset(tlb_large, 0, sizeof(tlb_large));
	for (u32 i = 0; i < NODES; i++) {
		node[i].id = i;
		node[i].zero = ZERO_PAGE(i);
		nodes[i] = &node[i];
		memmap_init_node(i, (mpn_t){ FIRST(i) }, NODE_PAGES, pages[i]);
		for (u32 k = 0; k < NODE_PAGES; k++) {
			memmap_free_at_boot((mpn_t){ FIRST(i) + k });
			is_free[i * NODE_PAGES + k] = true;
		}
	}
	ledgers_reset();
	reset_vm(&vm_a, 0);
	reset_vm(&vm_b, 1);
	placement_set(PLACE_FIRST_TOUCH);
	locks_held = flushes = 0;
	reserved = 0;
	reserve_limit = ~0ul;
	during_shootdown = during_look = during_unlock = during_zero = during_yield = NULL;
	large = blocks = true;
	largest = LARGEST;
	zero = neighbours = false;
	return 0;
}

void release_all(struct vm *vm)
{
	u32 next = 0;

	for (u32 i = 0; i < NODES; i++) /* all nodes were flushed before */
		memset(tlb[i][vm == &vm_b], 0, sizeof(tlb[i][0]));
	while (!pmap_release_step(vm, &next))
		continue;
}
