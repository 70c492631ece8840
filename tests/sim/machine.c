/* SPDX-License-Identifier: MIT */
/*
 * The machine: guest pages, their masters and replicas, and what a miss and a move take. Does for
 * policy and counters what numa/balance.c, migrate.c and replicate.c do on the real one, without
 * the copying.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/mem/memmap.h"
#include "kernel/panic.h"
#include "numa/heat.h"
#include "numa/ledger.h"
#include "tests/sim/sim.h"
#include "tests/sim/table.h"

#define FIRST	     0x80000ul
#define VM	     1
#define LOOKS	     256u /* as numa/balance.c, like the next one */
#define LOOKS_A_PAGE 16u
#define GATHER_TICKS 5
#define BATCH_MAX    64 /* of policy.batch */

struct totals totals;
struct steps steps_sample, steps_candidate, steps_move;

static const struct policy *policy;
static enum source source;
static struct guest_page {
	u32 master; /* from FIRST */
	u32 replicas;
	u32 home; /* at first */
} * guest;
static u32 node_pages;	      /* of each node */
static struct table replicas; /* guest page and node -> machine page from FIRST, plus 1; 0: none */
static struct {
	void *heat, *ledger;
	struct page *entries;
	u32 *free; /* stack */
	u32 nfree;
	u64 random;
	u32 waited;
} memory[NODES];

/* ---- steps: gcc calls this at each basic block of the monitor's files, and what clears memory is
 * counted by the word ---- */

static u64 blocks;

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void) { blocks++; }

void *__real_memset(void *to, int value, size_t n);
void *__wrap_memset(void *to, int value, size_t n);
void *__wrap_memset(void *to, int value, size_t n)
{
	blocks += n / 8;
	return __real_memset(to, value, n);
}

static void count_steps(struct steps *s, u64 before)
{
	u64 taken = blocks - before;

	s->calls++;
	s->all += taken;
	s->most = MAX(s->most, taken);
}

_Noreturn void panic(const char *fmt, ...)
{
	fprintf(stderr, "panic: %s\n", fmt);
	abort();
}

/* ---- memory ---- */

static mpn_t mpn_of(u32 index) { return (mpn_t){ FIRST + index }; }

static u32 take(u32 node) { return memory[node].free[--memory[node].nfree]; }

/* It is FREE by now. */
static void give_back(u32 index)
{
	u32 node = index / node_pages;

	memory[node].free[memory[node].nfree++] = index;
}

static void create_node(u32 node)
{
	u32 first = node * node_pages;

	memory[node].heat = calloc(1, heat_bytes(node_pages));
	memory[node].ledger = calloc(1, sizeof(struct ledger));
	memory[node].entries = calloc(node_pages, sizeof(struct page));
	memory[node].free = malloc(node_pages * sizeof(u32));
	memory[node].nfree = 0;
	memory[node].random = node * 77 + 1;
	memmap_init_node(node, mpn_of(first), node_pages, memory[node].entries);
	ledger_init_node(node, memory[node].ledger);
	heat_init_node(node, mpn_of(first), node_pages, memory[node].heat);
	for (u32 i = node_pages; i-- > 0;) {
		memmap_free_at_boot(mpn_of(first + i));
		memory[node].free[memory[node].nfree++] = first + i;
	}
}

void machine_create(u32 pages, u32 room, u32 (*home)(u32 page), enum source s,
		    const struct policy *p)
{
	u32 *use = calloc(NODES, sizeof(u32)), most = 0;

	for (u32 g = 0; g < pages; g++) {
		u32 n = ++use[home(g)];

		most = MAX(most, n);
	}
	free(use);
	node_pages = most + room;
	policy = p;
	source = s;
	totals = (struct totals){ 0 };
	heat_use_samples(s == SEES_ALL);
	for (u32 i = 0; i < NODES; i++)
		create_node(i);
	heat_set(policy_moves(p) ? p->trigger : HEAT_NEVER, p->sharing,
		 s == SEES_ALL ? 1 : p->weight, p->interval);
	table_create(&replicas);
	guest = calloc(pages, sizeof(*guest));
	for (u32 g = 0; g < pages; g++) {
		guest[g].master = take(home(g));
		guest[g].home = home(g);
		memmap_give(mpn_of(guest[g].master), VM, (gpn_t){ g });
	}
}

void machine_destroy(void)
{
	for (u32 i = 0; i < NODES; i++) {
		free(memory[i].heat);
		free(memory[i].ledger);
		free(memory[i].entries);
		free(memory[i].free);
	}
	free(guest);
	table_destroy(&replicas);
}

static u64 now_ms;

void machine_time(u64 ms)
{
	now_ms = ms;
	heat_clock(ms);
}

/* ---- moves ---- */

static u64 replica_key(u32 page, u32 node) { return (u64)page * NODES + node + 1; }

static u32 copy_on(u32 page, u32 node, bool *local)
{
	u32 index = guest[page].master;
	u64 *replica;

	*local = index / node_pages == node;
	if (*local || !guest[page].replicas)
		return index;
	replica = table_find(&replicas, replica_key(page, node));
	*local = replica && *replica;
	return *local ? (u32)*replica - 1 : index;
}

/* As numa/batch.c. */
static void note(u32 page, u32 node, u32 from, u32 to)
{
	struct ledger_arrival a = { .copy = mpn_of(to),
				    .owner = VM,
				    .gpn = { page },
				    .from = from / node_pages,
				    .gain = REMOTE_NS - LOCAL_NS,
				    .loss = REMOTE_NS - LOCAL_NS };

	if (!heat_sees_local())
		a.before = heat_count(node, mpn_of(from));
	ledger_arrive(node, &a);
}

bool machine_is_local(u32 node, u32 page)
{
	bool local;

	copy_on(page, node, &local);
	return local;
}

static void migrate(u32 page, u32 node)
{
	u32 from = guest[page].master, to = take(node);
	u64 before = blocks;

	note(page, node, from, to);

	memmap_move(mpn_of(from), mpn_of(to));
	give_back(from);
	guest[page].master = to;
	heat_moved(mpn_of(from), mpn_of(to));
	count_steps(&steps_move, before);
	totals.migrated++;
}

static void replicate(u32 page, u32 node)
{
	u32 to = take(node);
	u64 before = blocks;

	note(page, node, guest[page].master, to);
	memmap_give_replica(mpn_of(to), VM, (gpn_t){ page });
	heat_forget(mpn_of(to));
	count_steps(&steps_move, before);
	*table_put(&replicas, replica_key(page, node)) = to + 1;
	guest[page].replicas++;
	totals.replicated++;
}

/* The writer's copy stays, as in numa/replicate.c. */
static void collapse(u32 page, u32 writer)
{
	u32 master = guest[page].master, kept = master;

	for (u32 node = 0; node < NODES; node++) {
		u64 *replica = table_find(&replicas, replica_key(page, node));

		if (!replica || !*replica)
			continue;
		if (node == writer) {
			kept = (u32)*replica - 1;
		} else {
			memmap_take_back(mpn_of((u32)*replica - 1), VM);
			give_back((u32)*replica - 1);
		}
		*replica = 0;
	}
	if (kept != master) {
		memmap_promote(mpn_of(master), mpn_of(kept));
		give_back(master);
	} else {
		memmap_moved(mpn_of(kept));
	}
	guest[page].master = kept;
	guest[page].replicas = 0;
	heat_moved(mpn_of(master), mpn_of(kept));
	totals.collapsed++;
}

/* ---- what a node does ---- */

static void sample(u32 node, u32 index, bool write, bool local)
{
	u64 before = blocks;

	if (source == SEES_SAMPLES && (local || random_below(&memory[node].random, policy->weight)))
		return;
	heat_sample(node, mpn_of(index), write);
	count_steps(&steps_sample, before);
}

u32 machine_miss(u32 node, struct event e)
{
	u32 ns = 0, index;
	bool local;

	if (e.write && guest[e.page].replicas) {
		collapse(e.page, node);
		ledger_pay(node, COLLAPSE_NS, 0);
		ns = COLLAPSE_NS;
	}
	index = copy_on(e.page, node, &local);
	ns += local ? LOCAL_NS : REMOTE_NS;
	totals.misses++;
	totals.local += local;
	totals.ns += ns;
	totals.static_ns += guest[e.page].home == node ? LOCAL_NS : REMOTE_NS;
	sample(node, index, e.write, local);
	return ns;
}

/* What a node has in hand, as numa/balance.c has it. */
struct work {
	enum policy_trust trust;
	u32 least, n;
	u64 misses;
	struct {
		u32 page;
		enum policy_action action;
	} move[BATCH_MAX];
};

static bool is_in(const struct work *work, u32 page)
{
	for (u32 i = 0; i < work->n; i++)
		if (work->move[i].page == page)
			return true;
	return false;
}

static struct policy_verdict consider(u32 node, mpn_t mpn, struct work *work)
{
	const struct page *p = memmap_page(mpn);
	struct heat heat = heat_read(node, mpn);
	struct policy_page facts = {
		.least =
			policy_least(policy, work->trust, ledger_price(node, REMOTE_NS - LOCAL_NS)),
		.local = memmap_node(mpn) == (int)node,
		.back = heat.back,
		.mine = heat.mine,
		.others = heat.others,
		.writes = heat.writes,
		.age = heat.age,
		.free = memory[node].nfree - MIN(memory[node].nfree, work->n),
	};
	struct policy_verdict verdict;
	u32 page = 0;
	bool local;

	if (p->state == PAGE_GUEST) {
		page = p->gpn;
		facts.moves = p->moves;
		facts.replicated = guest[page].replicas;
		facts.movable = true;
		copy_on(page, node, &local);
		facts.local |= local;
	}
	verdict = policy_decide(policy, &facts);
	if (verdict.action != POLICY_STAY && !is_in(work, page)) {
		work->move[work->n].page = page;
		work->move[work->n++].action = verdict.action;
		work->misses += facts.mine;
		work->least = facts.least;
	}
	return verdict;
}

static void move(u32 node, const struct work *work)
{
	for (u32 i = 0; i < work->n; i++) {
		if (work->move[i].action == POLICY_DO_MIGRATE)
			migrate(work->move[i].page, node);
		else
			replicate(work->move[i].page, node);
	}
}

/* As numa/balance.c: returns how many moved, and adds what it took. */
static u32 work_on(u32 node, u32 most, u32 *ns)
{
	struct work work = { .trust = ledger_trust(node, policy) };
	mpn_t mpn;

	for (u32 i = 0; i < MIN(LOOKS, most * LOOKS_A_PAGE) && work.n < most; i++) {
		u64 before = blocks;
		struct policy_verdict v;

		if (!heat_next(node, &mpn))
			break;
		v = consider(node, mpn, &work);
		if (v.reason == POLICY_WRITTEN || v.reason == POLICY_SHARED)
			heat_clear(mpn);
		count_steps(&steps_candidate, before);
		*ns += LOOK_NS;
		totals.looks++;
	}
	if (!policy_is_batch(policy, work.trust, work.misses, work.least))
		return 0;
	move(node, &work);
	*ns += work.n * MOVE_NS;
	return work.n;
}

/* As numa/balance.c. */
static bool is_enough(u32 node)
{
	u32 waiting = heat_waiting(node);

	if (!waiting || (waiting < policy->gather && ++memory[node].waited < GATHER_TICKS))
		return false;
	memory[node].waited = 0;
	return true;
}

/* A batch of `most` pages at most, if there is something to pay for it: how many came, and what they took. */
static u32 spend(u32 node, u32 most, u32 *took)
{
	u32 moves = MIN(ledger_pages(node, policy), most), ns = 0;

	if (moves)
		moves = work_on(node, moves, &ns);
	else
		heat_drop(node);
	ledger_pay(node, ns, moves);
	totals.ns += ns;
	*took += ns;
	return moves;
}

u32 machine_tick(u32 node)
{
	bool guess = !ledger_of(node)->known;
	u32 came, ns = 0;

	ledger_tick(node, policy, now_ms * 1000000);
	if (!is_enough(node))
		return 0;
	came = spend(node, policy->batch, &ns);
	if (guess && came && came < policy->batch)
		spend(node, policy->batch - came, &ns);
	return ns;
}
