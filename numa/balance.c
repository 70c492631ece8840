/* SPDX-License-Identifier: MIT */
/*
 * At each tick a node looks at the pages it keeps missing on, asks the policy, and fetches those
 * that it says: who gains does the work. Also what the policy is, by command line and prompt.
 */
#include <string.h>
#include "arch/mips/arch.h"
#include "kernel/console/console.h"
#include "kernel/errno.h"
#include "kernel/log.h"
#include "kernel/mem/memmap.h"
#include "kernel/mem/share.h"
#include "kernel/options.h"
#include "kernel/panic.h"
#include "kernel/sched/fetch.h"
#include "kernel/vm/vm.h"
#include "kernel/words.h"
#include "numa/balance.h"
#include "numa/heat.h"
#include "numa/ledger.h"
#include "numa/move.h"
#include "numa/numa.h"
#include "numa/placement.h"

/*
 * A tick's budget, of 4,000,000 cycles at 400 MHz: LOOKS candidates at about 500 cycles are 3 %,
 * policy.batch (64) moves at 16,000 are 26 %; as long as moves pay, which the ledger knows. A processor
 * with all its time spent in remote misses makes 11,000 in a tick, which is 340 pages at 32 each: neither
 * bound is met for long. What is left stays in the ring for the next tick, unless there is nothing to pay
 * for it.
 */
#define LOOKS	     256u
#define BATCH_MAX    64 /* of policy.batch */
#define GATHER_TICKS 5
#define LOOKS_A_PAGE 16u /* that may be paid for: as much again as a third of it */

static struct policy policy; /* node 0 writes, all read: any mixture of old and new is valid */

static struct balance_stats *stats[MAX_NODES]; /* in each node's memory */

const struct balance_stats *balance_stats(u32 node) { return stats[node]; }

const struct policy *balance_policy(void) { return &policy; }

/* ---- the tick ---- */

struct work {
	mpn_t migrate[BATCH_MAX], replicate[BATCH_MAX], shared[BATCH_MAX];
	u32 nmigrate, nreplicate, nshared;
	enum policy_trust trust; /* before anything was spent on it */
	u32 least;		 /* misses of a page that are asked for, of the last one */
	u64 misses;		 /* of all pages that are to move */
};

/*
 * The page is the guest's kernel's: the node reaches it by a large pair of the windows, and no page table of the guest's has led there. It had
 * better stay: its 32 KB would be small pages from then on, each with misses of its own, and that costs more than the page's misses do (docs/experiments/scaling.md).
 * Of a guest that the monitor walks tables for: another may have all of its memory in the windows.
 */
static bool is_paired(const struct vm *vm, gpn_t gpn, u32 node)
{
	return option_on(OPTION_KEPT) && vm->nvcpus && vm->vcpus[0]->arch.walker.on &&
	       pmap_has_view(&vm->pmap, node) && pmap_is_pair_only(&vm->pmap, gpn, node);
}

/* Who owns the page and where it is seen. Unlocked: what has changed meanwhile, numa/move.h finds
 * out. */
static void find_owner(struct policy_page *page, u32 node, mpn_t mpn)
{
	const struct page *p = memmap_page(mpn);
	struct pmap_copies copies;
	const struct vm *vm;
	gpn_t gpn;

	if (share_is(mpn)) {
		vm = share_user_on(mpn, node, &gpn);
		if (!vm)
			return;
	} else if (p && p->state == PAGE_GUEST && p->owner < nvms) {
		vm = vms[p->owner];
		gpn.v = p->gpn;
		page->moves = p->moves;
	} else {
		return;
	}
	copies = pmap_copies(&vm->pmap, gpn);
	page->replicated = !nodemask_empty(copies.replicas);
	page->local |= nodemask_has(copies.replicas, node);
	page->movable = vm_is_up(vm) && copies.master.v == mpn.v &&
			pmap_has_view(&vm->pmap, node) && !is_paired(vm, gpn, node);
}

/* What a move costs now, in misses on memory of another node. */
static u32 price(u32 node, int from)
{
	return from < 0 ? 0
			: ledger_price(node, latency_ns(node, (u32)from) - latency_ns(node, node));
}

/* Its own counter says so, which is one line of memory, mostly of another node: most pages that stay stay for that. */
static bool is_cold(u32 node, mpn_t mpn, u32 least)
{
	return memmap_node(mpn) != (int)node && heat_count(node, mpn) < least;
}

/* What the counters say. The rest is as good as it can be. */
static struct policy_page glance(u32 node, mpn_t mpn, u32 least)
{
	struct heat heat = heat_read(node, mpn);

	return (struct policy_page){
		.least = least,
		.movable = true,
		.local = memmap_node(mpn) == (int)node,
		.back = heat.back,
		.mine = heat.mine,
		.others = heat.others,
		.writes = heat.writes,
		.upgrades = heat.upgrades,
		.age = heat.age,
		.free = ~0ul,
	};
}

static void look(struct policy_page *page, u32 node, mpn_t mpn)
{
	page->movable = false;
	page->free = MIN(nodemem_free_pages(node), nodemem_unreserved());
	find_owner(page, node, mpn);
}

/* A page that the node misses on much is offered more than once in a tick. */
static bool add(mpn_t *list, u32 *n, mpn_t mpn)
{
	for (u32 i = 0; i < *n; i++)
		if (list[i].v == mpn.v)
			return false;
	list[(*n)++] = mpn;
	return true;
}

static void consider(u32 node, mpn_t mpn, struct work *work)
{
	bool in_doubt = work->trust == POLICY_DOUBT, added;
	struct policy_verdict verdict;
	struct policy_page page;

	work->least =
		policy_least(&policy, work->trust, in_doubt ? price(node, memmap_node(mpn)) : 0);
	stats[node]->candidates++;
	if (is_cold(node, mpn, work->least)) {
		stats[node]->reason[POLICY_COLD]++;
		return;
	}
	page = glance(node, mpn, work->least);
	verdict = policy_decide(&policy, &page);
	if (verdict.action != POLICY_STAY) {
		look(&page, node, mpn);
		verdict = policy_decide(&policy, &page);
	}
	stats[node]->reason[verdict.reason]++;
	/* Who has just stopped using it counts until the interval ends, unless it starts afresh. */
	if (verdict.reason == POLICY_WRITTEN || verdict.reason == POLICY_SHARED)
		heat_clear(mpn);
	if (verdict.action == POLICY_STAY)
		return;
	if (share_is(mpn))
		added = add(work->shared, &work->nshared, mpn);
	else if (verdict.action == POLICY_DO_MIGRATE)
		added = add(work->migrate, &work->nmigrate, mpn);
	else
		added = add(work->replicate, &work->nreplicate, mpn);
	work->misses += added ? page.mine : 0;
}

/*
 * Shared pages come for those who use them here only, all with one page; who uses one on several nodes has a replica.
 * How many came.
 */
static u32 work_on_shared(u32 node, struct work *work)
{
	u32 came = 0;

	for (u32 i = 0; i < work->nshared; i++) {
		if (policy_migrates(&policy) && migrate_shared(node, work->shared[i]))
			came++;
		else
			add(work->replicate, &work->nreplicate, work->shared[i]);
	}
	stats[node]->migrated += came;
	return came;
}

static u64 now_ns(void) { return count64() * 1000000 / COUNT_MS; }

/* What other nodes have spent on answers to this one's shootdowns. */
static u64 answers_ns(const struct node *n)
{
	return (n->stats.migrated.answers + n->stats.replicated.answers) * 1000000 / COUNT_MS;
}

/* None of them moves; who goes on to be missed on comes again. */
static void leave(u32 node, const struct work *work)
{
	u32 n = work->nmigrate + work->nreplicate + work->nshared;

	stats[node]->reason[POLICY_MOVED] -= n;
	stats[node]->reason[POLICY_FEW] += n;
}

/* Looks at candidates, and moves as many pages as there may be. How many came. */
static u32 work_on(u32 node, u32 pages)
{
	struct work work = { .trust = ledger_trust(node, &policy) };
	u32 came = 0, n;
	mpn_t mpn;

	for (u32 i = 0; i < MIN(LOOKS, pages * LOOKS_A_PAGE) &&
			work.nmigrate + work.nreplicate + work.nshared < pages;
	     i++) {
		if (!heat_next(node, &mpn))
			break;
		consider(node, mpn, &work);
	}
	if (!policy_is_batch(&policy, work.trust, work.misses, work.least)) {
		leave(node, &work);
		return 0;
	}
	came += work_on_shared(node, &work);
	if (work.nmigrate) {
		n = migrate_pages(node, work.migrate, work.nmigrate);
		stats[node]->migrated += n;
		came += n;
	}
	if (work.nreplicate) {
		n = replicate_pages(node, work.replicate, work.nreplicate);
		stats[node]->replicated += n;
		came += n;
	}
	return came;
}

/*
 * Candidates are looked at together: each batch of moves asks other nodes for a shootdown, and these look through
 * their L2TLBs for any number of pages.
 */
static bool is_enough(u32 node)
{
	struct balance_stats *s = stats[node];
	u32 waiting = heat_waiting(node);

	if (!waiting || (waiting < policy.gather && ++s->waited < GATHER_TICKS))
		return false;
	s->waited = 0;
	return true;
}

/* A batch of `most` pages at most, if there is something to pay for it; began: since when the node is at it. How many came. */
static u32 spend(const struct node *n, u64 began, u32 most)
{
	u64 answers = answers_ns(n);
	u32 pages = MIN(ledger_pages(n->id, &policy), most), dropped;

	if (pages) {
		pages = work_on(n->id, pages);
	} else {
		dropped = heat_drop(n->id);
		stats[n->id]->candidates += dropped;
		stats[n->id]->reason[POLICY_POOR] += dropped;
	}
	ledger_pay(n->id, now_ns() - began + answers_ns(n) - answers, pages);
	return pages;
}

/*
 * Where what the current VCPU misses on is, as the scheduler wants to know it. True: the VCPU goes there, and nothing is
 * moved for it.
 */
static bool follows(struct node *n)
{
	struct balance_stats *s = stats[n->id];
	u64 local = numa_local_misses(n->id);
	u32 waiting = MIN(heat_waiting(n->id), LOOKS);

	fetch_vote(n, n->id, (u32)((local - s->local) / policy.trigger));
	s->local = local;
	for (u32 i = 0; i < waiting; i++) {
		int home = memmap_node(heat_peek(n->id, i));

		if (home >= 0)
			fetch_vote(n, (u32)home, 1);
	}
	return fetch_follows(n, ledger_of(n->id)->each);
}

void numa_tick(struct node *n)
{
	u32 most = MIN(policy.batch, (u32)BATCH_MAX), came;
	u64 start = now_ns();
	bool guess;

	if (n->id == 0)
		heat_clock(count64() / COUNT_MS);
	if (!policy_moves(&policy))
		return;
	ledger_tick(n->id, &policy, start);
	if (!is_enough(n->id)) {
		ledger_pay(n->id, now_ns() - start, 0);
		return;
	}
	if (fetch_on && follows(n)) {
		heat_drop(n->id);
		ledger_pay(n->id, now_ns() - start, 0);
		return;
	}
	guess = !ledger_of(n->id)->known;
	came = spend(n, start, most);
	if (guess && came && came < most)
		spend(n, now_ns(), most - came);
}

/* ---- which policy ---- */

static enum placement placement_of(u32 kind)
{
	switch (kind) {
	case POLICY_NONE: return PLACE_HOME;
	case POLICY_ROUND_ROBIN: return PLACE_ROUND_ROBIN;
	default: return PLACE_FIRST_TOUCH;
	}
}

static void apply(const struct policy *p)
{
	policy = *p;
	placement_set(placement_of(p->kind));
	heat_set(policy_moves(p) ? p->trigger : HEAT_NEVER, p->sharing, p->weight, p->interval);
}

/* policy=NAME,PARAMETER=VALUE...; without: both, if anybody counts misses. */
static struct policy policy_of(const char *words)
{
	struct policy p = policy_default, wanted;
	char why[POLICY_ERROR_BYTES];
	struct word list = words_value(words, "policy="), word;

	if (magic() || latency_on)
		p.kind = POLICY_BOTH;
	wanted = p;
	while ((word = list_next(&list)).at) {
		if (policy_set(&wanted, word, why)) {
			log_line("numa", "policy=: %s", why);
			return p;
		}
	}
	return wanted;
}

/* Samples take memory, so there are none if nobody would take them, or want them. */
static void choose_source(const struct policy *p)
{
	if (magic())
		heat_use_magic(magic());
	else if (latency_on || policy_moves(p))
		heat_use_samples(false);
}

void numa_configure(const char *words)
{
	struct policy p = policy_of(words);

	choose_source(&p);
	apply(&p);
	if (policy_moves(&p) && !magic() && !latency_on)
		log_line("numa",
			 "policy %s: nobody counts misses yet: latency on, or the timing model, would",
			 policy_name(p.kind));
}

void numa_init_node(u32 node)
{
	u32 npages = topology_bytes(node) >> PAGE_SHIFT;
	void *heat = NULL, *ledger = nodemem_boot_alloc(node, sizeof(struct ledger), 128);

	stats[node] = nodemem_boot_alloc(node, sizeof(*stats[node]), 128);
	if (heat_source() != HEAT_NONE)
		heat = nodemem_boot_alloc(node, heat_bytes(npages), 128);
	if (!ledger || !stats[node] || (heat_source() != HEAT_NONE && !heat))
		panic("node %u: no memory for counters of misses", node);
	ledger_init_node(node, ledger);
	if (heat)
		heat_init_node(node, maddr_mpn(topology_base(node)), npages, heat);
}

/* ---- at the prompt ---- */

static void print_policy(void)
{
	const char *name;
	u32 value;

	kprintf("policy %s:", policy_name(policy.kind));
	for (u32 i = 0; (name = policy_parameter(&policy, i, &value)); i++)
		kprintf(" %s=%u", name, value);
	kprintf("\n");
	if (heat_source() == HEAT_NONE)
		kprintf("nobody counts misses, so no page moves: start with latency=on, policy=%s, or under the timing model\n",
			policy_name(POLICY_BOTH));
}

static void print_stats(void)
{
	kprintf("node  candidates  lost      migrated  replicated");
	for (u32 r = POLICY_LOCAL; r < POLICY_MOVED; r++)
		kprintf("  %-7s", policy_reason_name(r));
	for (u32 i = 0; i < nnodes; i++) {
		const struct balance_stats *s = stats[i];

		kprintf("\n%4u  %-10lu  %-8lu  %-8lu  %-10lu", i, s->candidates, heat_lost(i),
			s->migrated, s->replicated);
		for (u32 r = POLICY_LOCAL; r < POLICY_MOVED; r++)
			kprintf("  %-7lu", s->reason[r]);
	}
	kprintf("\n");
}

static void print_ledgers(void)
{
	kprintf("node  balance us  spent us  brought us  lost us   a page ns  not moved\n");
	for (u32 i = 0; i < nnodes; i++) {
		const struct ledger *l = ledger_of(i);
		const struct balance_stats *s = stats[i];

		kprintf("%4u  %-10ld  %-8lu  %-10lu  %-8lu  %-9lu  %lu\n", i, l->balance / 1000,
			l->spent / 1000, l->gained / 1000, l->lost / 1000, l->each,
			s->reason[POLICY_MOVED] - s->migrated - s->replicated);
	}
}

/* For completion: the policies, then the parameters, ready for their values. */
static const char *policy_word(u32 i)
{
	static char word[24]; /* node 0 only */
	const char *name;
	u32 value;

	if (i < POLICY_KINDS)
		return policy_name(i);
	name = policy_parameter(&policy, i - POLICY_KINDS, &value);
	if (!name)
		return NULL;
	ksnprintf(word, sizeof(word), "%s=", name);
	return word;
}

COMMAND_WITH_WORDS(policy, "[NAME] [PARAMETER=VALUE...]",
		   "what is done about pages a node keeps missing on", policy_word)
{
	struct policy wanted = policy;
	char why[POLICY_ERROR_BYTES];

	for (int i = 1; i < argc; i++) {
		if (policy_set(&wanted, word_of(argv[i]), why)) {
			kprintf("policy: %s\n", why);
			return;
		}
	}
	if (argc > 1)
		apply(&wanted);
	print_policy();
	print_stats();
	if (policy_moves(&policy))
		print_ledgers();
}
