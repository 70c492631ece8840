/* SPDX-License-Identifier: MIT */
/*
 * What remote memory costs, and delays that make it so on a machine without NUMA: TLB misses stand
 * for cache misses. A miss on a line of a remote page that the filter does not hold waits as long
 * as `misses` cache misses take longer than local ones; so many lines are thought to come into the
 * cache then, which is what the filter's size goes by. So that pages in use keep missing, remote
 * translations stay out of the L2TLB and leave the TLB at each tick; so that the first write is
 * seen, they are not writable before. All delays are defined here and nowhere else. What cannot be
 * seen: writes of the home node to its own page. How well that does: docs/numa.md.
 */
#include "arch/mips/arch.h"
#include "kernel/console/console.h"
#include "kernel/log.h"
#include "kernel/mem/memmap.h"
#include "kernel/panic.h"
#include "kernel/mem/shootdown.h"
#include "kernel/vm/vcpu.h"
#include "kernel/words.h"
#include "numa/filter.h"
#include "numa/heat.h"
#include "numa/latency.h"
#include "numa/magic.h"
#include "numa/topology.h"

#define LOCAL_NS  300u
#define REMOTE_NS 900u
#define HOP_NS	  150u /* each hop behind the first */

#define CACHE_LINES 8192u /* 1 MB */
#define LINE_SHIFT  7
#define PAGES	    256u /* used lately: enough for the TLB's, and for any one instruction's */
#define MARKS	    4096u

/* Cache misses that one charged TLB miss stands for, in hundredths, by how a program uses memory
 * (`make calibrate`). The first is the default. */
static const struct {
	const char *name;
	u32 misses;
} classes[] = { { "clustered", 420 }, { "scattered", 100 }, { "sequential", 3200 } };
#define MISSES_MAX 10000u

bool latency_on;
static u32 misses;
static bool ready;			 /* nodes have filters; fixed after boot */
static u32 matrix[MAX_NODES][MAX_NODES]; /* ns; fixed after boot */

/*
 * Who wrote a page last, by hash of its number: a count, and the node in the low bits. A page that
 * another node has written since it came into a filter is not in that cache any more. Any node,
 * unlocked: what gets lost is a miss.
 */
static u32 marks[MARKS];
#define MARK_NODE (MAX_NODES - 1)

static struct latency_node {
	struct filter lines, pages; /* a page's mark is the tick of its last write */
	struct latency_count count;
	u32 tick; /* from 1 */
} * state[MAX_NODES];

/* ---- what it costs ---- */

u32 latency_ns(u32 from, u32 to) { return matrix[from][to]; }

static u32 default_ns(const struct vmdesc_list *given, u32 hops)
{
	u32 local = given->count ? given->value[0] : LOCAL_NS;
	u32 remote = given->count ? given->value[1] : REMOTE_NS;
	u32 hop = given->count == 3 ? given->value[2] : HOP_NS;

	return hops ? remote + (hops - 1) * hop : local;
}

/* The rows are as many as the description has nodes; the machine may have fewer. */
static void fill_matrix(const struct machine_desc *m)
{
	const struct vmdesc_list *given = &m->latency_ns;
	bool whole = given->count > 3;

	for (u32 from = 0; from < nnodes; from++)
		for (u32 to = 0; to < nnodes; to++)
			matrix[from][to] = whole ? given->value[from * m->nodes + to]
						 : default_ns(given, topology_distance(from, to));
	if (whole)
		topology_sort(nnodes, latency_ns);
}

/* ---- on and off ---- */

/* The timing model charges misses itself: two bills for one miss would be wrong. */
static bool model_charges(void) { return magic_model() && magic_model()->stalls; }

/* Each charge brings that many lines into the cache. */
static u32 filter_size(void) { return MAX(PAGES, MIN(CACHE_LINES, CACHE_LINES * 100 / misses)); }

static void change_node(struct node *n, const void *what)
{
	(void)what;
	filter_clear(&state[n->id]->lines, filter_size());
	filter_clear(&state[n->id]->pages, PAGES);
	for (u32 i = 0; i < n->nvcpus; i++)
		arch_vcpu_set_paths(n->vcpus[i]);
	mmu_flush_node();
}

static void set_on(bool on)
{
	latency_on = on;
	shootdown(nodemask_first(nnodes), change_node, NULL);
}

/* A class, or a number of misses, in hundredths; 0: neither. on: what it was. */
static u32 misses_of(struct word w)
{
	u64 hundredths = 0;

	if (word_is(w, "on"))
		return misses;
	for (u32 i = 0; i < ARRAY_SIZE(classes); i++)
		if (word_is(w, classes[i].name))
			return classes[i].misses;
	word_hundredths(w, MISSES_MAX, &hundredths);
	return hundredths;
}

enum { REQUEST_WRONG, REQUEST_OFF, REQUEST_ON };

/* The reason of a refusal is told. */
static int request(struct word word, const char *where)
{
	u32 n = misses_of(word);
	char found[32];

	if (word_is(word, "off"))
		return REQUEST_OFF;
	if (!n) {
		word_copy(found, sizeof(found), word);
		log_line("latency",
			 "%s: found %s, allowed on, off, clustered, scattered, sequential, misses per charge 0.01..%u",
			 where, found, MISSES_MAX / 100);
		return REQUEST_WRONG;
	}
	if (model_charges()) {
		log_line("latency", "%s: stays off: the timing model makes misses cost time",
			 where);
		return REQUEST_WRONG;
	}
	misses = n;
	return REQUEST_ON;
}

void latency_configure(const struct machine_desc *machine, const char *words)
{
	struct word word = words_value(words, "latency=");
	int what = REQUEST_WRONG;

	topology_connect(nnodes, machine->topology);
	fill_matrix(machine);
	misses = classes[0].misses;
	if (word.at)
		what = request(word, "latency=");
	ready = what != REQUEST_WRONG;
	latency_on = what == REQUEST_ON;
}

void latency_init(u32 node)
{
	struct latency_node *s = nodemem_boot_alloc(node, sizeof(*s), 128);
	void *lines = ready ? nodemem_boot_alloc(node, filter_bytes(CACHE_LINES), 128) : NULL;
	void *pages = ready ? nodemem_boot_alloc(node, filter_bytes(PAGES), 128) : NULL;

	if (!s || (ready && (!lines || !pages)))
		panic("node %u: no memory for the filters of latency=", node);
	state[node] = s;
	s->tick = 1;
	if (!ready)
		return;
	filter_init(&s->lines, CACHE_LINES, lines);
	filter_init(&s->pages, PAGES, pages);
	filter_clear(&s->lines, filter_size());
}

const struct latency_count *latency_counts(u32 node) { return &state[node]->count; }

/* ---- a miss ---- */

/* Home node of the page; -1: not there, or no RAM. */
static int home_of(u64 lo) { return arch_entry_valid(lo) ? memmap_node(arch_entry_page(lo)) : -1; }

static bool is_remote(u32 node, u64 lo)
{
	int home = home_of(lo);

	return home >= 0 && (u32)home != node;
}

bool latency_remote(u32 node, const u64 lo[2])
{
	return is_remote(node, lo[0]) || is_remote(node, lo[1]);
}

void latency_hide(u32 node, u64 lo[2])
{
	for (unsigned i = 0; i < 2; i++)
		if (is_remote(node, lo[i]))
			lo[i] = 0;
}

static u32 *mark_of(mpn_t mpn) { return &marks[(mpn.v ^ mpn.v >> 12) % MARKS]; }

static void wait(u64 ns)
{
	u64 end = count64() + ns * COUNT_HZ / 1000000000;

	while (count64() < end)
		continue;
}

static void charge(struct node *n, mpn_t mpn, u32 home, bool write)
{
	struct latency_count *count = &state[n->id]->count;
	u32 here = latency_ns(n->id, n->id), there = latency_ns(n->id, home);
	u64 ns = there > here ? (u64)(there - here) * misses / 100 : 0;

	count->refills[home]++;
	count->ns[home] += ns;
	if (home == n->id)
		return;
	n->current->stats.charged++;
	n->current->stats.charged_ns += ns;
	heat_sample(n->id, mpn, write);
	wait(ns);
}

/* The line is used: is it a miss of the cache, too? */
static void account(struct node *n, u64 line, u32 home, bool write)
{
	struct latency_node *s = state[n->id];
	mpn_t mpn = { line >> (PAGE_SHIFT - LINE_SHIFT) };
	u32 *mark = mark_of(mpn), now = __atomic_load_n(mark, __ATOMIC_RELAXED);
	bool in;
	struct filter_entry *l = filter_use(&s->lines, line, &in);
	bool stale = in && now != l->mark && (now & MARK_NODE) != n->id;

	if (stale)
		l->written = false;
	if (write) {
		now = ((now | MARK_NODE) + 1) | n->id;
		__atomic_store_n(mark, now, __ATOMIC_RELAXED);
	}
	l->mark = now;
	if (in && !stale && (l->written || !write)) {
		s->count.cached[home]++;
		return;
	}
	l->written |= write;
	charge(n, mpn, home, write);
}

/* What of a remote page may be put in the TLB. */
static u64 shown(const struct latency_node *s, u64 lo)
{
	const struct filter_entry *p = filter_find(&s->pages, arch_entry_page(lo).v);

	if (!p)
		return 0;
	return p->mark == s->tick ? lo : arch_readonly_entry(lo);
}

void latency_refill(struct node *n, u64 va, u64 lo[2], bool write)
{
	struct latency_node *s = state[n->id];
	u64 used = lo[!!(va & PAGE_SIZE)];
	int home = home_of(used);
	mpn_t mpn = arch_entry_page(used);
	bool in;

	if (home >= 0) {
		struct filter_entry *page = filter_use(&s->pages, mpn.v, &in);

		if (write)
			page->mark = s->tick;
		account(n, (mpn_maddr(mpn).v | (va & PAGE_MASK)) >> LINE_SHIFT, home, write);
	}
	for (unsigned i = 0; i < 2; i++)
		if (is_remote(n->id, lo[i]))
			lo[i] = shown(s, lo[i]);
}

void latency_tick(struct node *n)
{
	state[n->id]->tick++;
	mmu_flush_node();
}

/* ---- at the prompt ---- */

static void print_matrix(void)
{
	kprintf("ns, from node (row) to memory of (column)\n     ");
	for (u32 to = 0; to < nnodes; to++)
		kprintf(" %5u", to);
	for (u32 from = 0; from < nnodes; from++) {
		kprintf("\n%5u", from);
		for (u32 to = 0; to < nnodes; to++)
			kprintf(" %5u", latency_ns(from, to));
	}
	kprintf("\n");
}

COMMAND(latency, "[on|off|N]",
	"delays of remote memory; N: cache misses that a TLB miss stands for")
{
	int what = argc > 1 ? request(word_of(argv[1]), "latency") : REQUEST_WRONG;

	if (what != REQUEST_WRONG && !ready) {
		kprintf("latency: there is no memory for it: start with latency=on, or with latency=off for later\n");
		return;
	}
	if (what != REQUEST_WRONG)
		set_on(what == REQUEST_ON);
	if (argc > 1 && what == REQUEST_WRONG)
		return;
	kprintf("injected delays are %s; %u.%02u cache misses to a charged TLB miss\n",
		latency_on ? "on" : "off", misses / 100, misses % 100);
	if (argc == 1)
		print_matrix();
}
