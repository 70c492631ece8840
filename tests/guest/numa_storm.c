/* SPDX-License-Identifier: MIT */
/*
 * Rule: whatever moves, memory is memory: no write is lost, LL and SC make atomic updates, what a
 * lock protects is consistent, and all addresses of a page show the same bytes. docs/guest-abi.md,
 * VCPUs on other nodes.
 *
 * Method: eight VCPUs, 150,000 operations each (or operations=N), on 48 pages, which they reach through the csseg
 * window, xsseg and the user pages of their page walker. Each has a few favourite pages that change
 * now and then, so that pages are worth moving, and to another node later. Operations: a word of
 * its own, an atomic counter, a pair of words under a lock, a table that is read by all and
 * sometimes written under the lock. In the end all sums must come out.
 *
 * Needs: vcpus=8 nodes=8
 */
#include "tests/guest/numa.h"
#include "tests/guest/walk.h"

#define PAGES	   48
#define FAVOURITES 5
#define STAY	   20000 /* operations before a VCPU has other favourites */

/* A page: what lies on which word. The rest is the table. */
#define OWN(id) ((id)*LINE_WORDS)
#define COUNTER (8 * LINE_WORDS)
#define LOCK	(9 * LINE_WORDS)
#define PAIR	(10 * LINE_WORDS)
#define TABLE	(12 * LINE_WORDS)

static volatile u64 over, torn, refused;
static u64 operations;
static u64 locked[SMP], own[SMP][PAGES];

static volatile u64 *address(unsigned page, u64 r)
{
	switch (r % 3) {
	case 0: return page_va(page);
	case 1: return (volatile u64 *)(DISCO_XSSEG_BASE + page_pa(page));
	default: return (volatile u64 *)(VA_USER + page * PAGE_SIZE);
	}
}

static void take(volatile u64 *lock, u64 id)
{
	u64 none = 0;

	while (!__atomic_compare_exchange_n(lock, &none, id + 1, false, __ATOMIC_ACQUIRE,
					    __ATOMIC_RELAXED)) {
		none = 0;
		hypercall(DISCO_HC_YIELD, 0, 0);
	}
}

static void under_lock(unsigned page, u64 id, u64 r)
{
	volatile u64 *a = address(page, r), *b = address(page, r / 3);

	take(&a[LOCK], id);
	if (a[PAIR] != b[PAIR + LINE_WORDS])
		torn++;
	a[PAIR]++;
	b[PAIR + LINE_WORDS]++;
	if (r % 64 == 0)
		for (unsigned w = TABLE; w < PAGE_WORDS; w += LINE_WORDS)
			b[w] = a[PAIR];
	locked[id]++;
	__atomic_store_n(&b[LOCK], 0, __ATOMIC_RELEASE);
}

static void read_table(unsigned page, u64 r)
{
	const volatile u64 *a = address(page, r);
	u64 pair = 0, last;

	for (unsigned w = TABLE; w < PAGE_WORDS; w += LINE_WORDS)
		pair |= a[w];
	last = a[PAIR + LINE_WORDS];
	if (a[TABLE] > last + 1) /* the table holds what the pair was */
		torn++;
	asm volatile("" : : "r"(pair));
}

static void operation(unsigned page, u64 id, u64 *seed)
{
	u64 r = numa_random(seed);
	unsigned kind = r & 15;

	r >>= 4;
	if (kind < 6) {
		address(page, r)[OWN(id)]++;
		own[id][page]++;
	} else if (kind < 8) {
		smp_add(&address(page, r)[COUNTER], 1);
	} else if (kind < 9) {
		under_lock(page, id, r);
	} else {
		read_table(page, r);
	}
}

static void storm(u64 id)
{
	u64 seed = id + 1, first = 0;

	if (walk_setup() || walk_switch(id, walk_root))
		refused++;
	for (u64 n = 0; n < operations; n++) {
		u64 r = numa_random(&seed);

		if (n % STAY == 0)
			first = r % PAGES;
		operation((r & 15 ? first + (r >> 4) % FAVOURITES : r >> 4) % PAGES, id, &seed);
	}
	smp_add(&over, 1);
}

static void check_page(unsigned page, u64 *counters, u64 *pairs)
{
	const volatile u64 *a = page_va(page);

	for (unsigned id = 0; id < SMP; id++)
		check_eq(text("page %u, word of VCPU %u", page, id), a[OWN(id)], own[id][page]);
	check_eq(text("page %u, pair", page), a[PAIR], a[PAIR + LINE_WORDS]);
	*counters += a[COUNTER];
	*pairs += a[PAIR];
}

/* How many of a VCPU's operations are atomic counts. */
static u64 counts_of(u64 id)
{
	u64 seed = id + 1, counts = 0;

	for (u64 n = 0; n < operations; n++) {
		u64 kind;

		numa_random(&seed);
		kind = numa_random(&seed) & 15;
		counts += kind == 6 || kind == 7;
	}
	return counts;
}

int main(void)
{
	u64 counters = 0, pairs = 0, counted = 0, taken = 0;

	need_monitor();
	operations = guest_number("operations=", 150000);
	walk_tables();
	walk_describe(walk_pointer(walk_root));
	for (unsigned p = 0; p < PAGES; p++)
		*walk_entry(walk_last, VA_USER + p * PAGE_SIZE) = PTE(page_pa(p), PRESENT | WRITE);
	smp_start_all(storm);
	storm(0);
	check(smp_wait(&over, SMP), "%lu VCPUs ended", (unsigned long)over);
	for (unsigned p = 0; p < PAGES; p++)
		check_page(p, &counters, &pairs);
	for (unsigned id = 0; id < SMP; id++) {
		counted += counts_of(id);
		taken += locked[id];
	}
	check_eq("atomic counts", counters, counted);
	check_eq("under locks", pairs, taken);
	check_eq("torn", torn, 0);
	check_eq("walker refused", refused, 0);
	return verdict();
}
