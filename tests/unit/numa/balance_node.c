/* SPDX-License-Identifier: MIT */
/* The machine of test_balance.c: balance.c itself, and stand-ins of what it calls; included by that. */

#include "tests/unit/unit.h"

#include "kernel/console/console.h"
#include "kernel/log.h"
#include "kernel/mem/memmap.h"
#include "kernel/mem/pmap_state.h"
#include "kernel/options.h"
#include "kernel/vm/vm.h"
#include "numa/balance.h"
#include "numa/heat.h"
#include "numa/ledger.h"
#include "numa/magic.h"
#include "numa/move.h"
#include "numa/numa.h"
#include "numa/placement.h"

#include "numa/balance.c"

#define NODES	      3
#define NODE_PAGES    1024u
#define PAGE(node, i) ((mpn_t){ 0x80000 + (u64)(node)*NODE_PAGES + (i) })
#define VM_PAGES      1000

unsigned nnodes = NODES, nvms = 2;
struct vm *vms[MAX_VMS];
bool latency_on;

static struct vm vm;
static struct pmap_page vm_pages[VM_PAGES]; /* guest page i is machine page i of node 0 */
static struct pmap_entry view[1];
static struct node node[NODES];
static struct page entries[NODES][NODE_PAGES];
static u64 move_us, now_us; /* of a move, and in all */
static void *given[64];
static u32 ngiven;
static u64 ms, free_pages, unreserved;
static enum placement place;
static mpn_t migrated[200], replicated[200];
static u32 nmigrated, nreplicated;
static char said[4000];
bool fetch_on; /* spread=1 */
static bool it_follows;
static u32 votes[NODES];
static u64 local_misses;

/* ---- stand-ins ---- */

void lock_assert(const struct lock *l) { (void)l; }

static mpn_t shared; /* the only one that is */
static bool alone;   /* its users are on node 1 only */

bool share_is(mpn_t page) { return mpn_valid(shared) && page.v == shared.v; }

struct vm *share_user_on(mpn_t page, u32 of, gpn_t *gpn)
{
	(void)of;
	*gpn = (gpn_t){ page.v - PAGE(0, 0).v };
	return &vm;
}

bool migrate_shared(u32 n, mpn_t page)
{
	assert_int_equal(n, 1);
	assert_true(share_is(page));
	return alone;
}

void pmap_large_changed_locked(struct pmap *p, gpn_t gpn, u32 of) { (void)p, (void)gpn, (void)of; }

_Noreturn void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

static void say(const char *fmt, va_list ap)
{
	size_t len = strlen(said);

	vsnprintf(said + len, sizeof(said) - len, fmt, ap);
}

void log_line(const char *module, const char *fmt, ...)
{
	va_list ap;

	assert_string_equal(module, "numa");
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void kprintf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void *fake_mpn_ptr(mpn_t mpn)
{
	fail_msg("nobody reads page %lx", (long)mpn.v);
	return NULL;
}

struct magic *magic(void) { return NULL; }
bool option_on(enum option o) { return o < OPTIONS; }
u64 count64(void) { return ms * COUNT_MS + now_us * COUNT_MS / 1000; }
u32 latency_ns(u32 from, u32 to) { return from == to ? 300 : 900; }
u64 topology_bytes(u32 n) { return n < NODES ? NODE_PAGES * PAGE_SIZE : 0; }
maddr_t topology_base(u32 n) { return mpn_maddr(PAGE(n, 0)); }
u64 nodemem_free_pages(u32 n) { return n < NODES ? free_pages : 0; }
u64 nodemem_unreserved(void) { return unreserved; }
void placement_set(enum placement p) { place = p; }
u64 numa_local_misses(u32 n) { return n < NODES ? local_misses : 0; }

void fetch_vote(struct node *n, u32 home, u32 pages)
{
	assert_in_range(n->id, 0, NODES - 1);
	votes[home] += pages;
}

bool fetch_follows(struct node *n, u64 page_ns)
{
	assert_in_range(page_ns, 1, 1000000);
	return n->id == 1 && it_follows;
}

void *nodemem_boot_alloc(u32 n, size_t bytes, size_t align)
{
	assert_in_range(n, 0, NODES - 1);
	assert_int_equal(align, 128);
	given[ngiven] = calloc(1, bytes);
	return given[ngiven++];
}

unsigned migrate_pages(u32 n, const mpn_t *pages, unsigned count)
{
	assert_int_equal(n, 1);
	if (nmigrated + count <= ARRAY_SIZE(migrated))
		memcpy(migrated + nmigrated, pages, count * sizeof(*pages));
	nmigrated += count;
	now_us += move_us * count;
	return count;
}

/* The last of them finds no page. */
unsigned replicate_pages(u32 n, const mpn_t *pages, unsigned count)
{
	assert_int_equal(n, 1);
	memcpy(replicated + nreplicated, pages, count * sizeof(*pages));
	nreplicated += count;
	return count - 1;
}
