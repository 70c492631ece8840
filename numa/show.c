/* SPDX-License-Identifier: MIT */
/*
 * What the prompt shows of placement: who misses on whose memory, what was moved, which pages are
 * hot. Reads what other nodes write without a lock: figures may be a moment old. Misses are MAGIC's
 * where the timing model runs; else what injected delays were charged for, with the local misses
 * that came to the C side. The live map and the log are map.c's.
 */
#include <string.h>
#include "kernel/console/console.h"
#include "kernel/log.h"
#include "kernel/mem/memmap.h"
#include "kernel/vm/vm.h"
#include "numa/balance.h"
#include "numa/heat.h"
#include "numa/latency.h"
#include "numa/magic.h"
#include "numa/show.h"
#include "numa/topology.h"

#define HOTTEST 8

u64 show_misses(u32 from, u32 to)
{
	const struct magic *model = magic_model();

	return model ? model->misses[from][to] : latency_counts(from)->refills[to];
}

u64 show_percent(u64 part, u64 whole) { return whole ? (part * 100 + whole / 2) / whole : 100; }

u64 show_guest_pages(u32 node)
{
	return ((topology_bytes(node) - nodemem_monitor_bytes(node)) >> PAGE_SHIFT) -
	       nodemem_free_pages(node);
}

u64 numa_misses(u32 node)
{
	u64 sum = 0;

	for (u32 to = 0; to < nnodes; to++)
		sum += show_misses(node, to);
	return sum;
}

u64 numa_local_misses(u32 node) { return show_misses(node, node); }

u64 numa_local_percent(u32 node)
{
	return show_percent(show_misses(node, node), numa_misses(node));
}

const char *show_nobody_counts(void)
{
	return magic_model() || latency_on
		       ? NULL
		       : "nobody counts misses: start with latency=on, or under the timing model";
}

static const char *source_name(void)
{
	const char *nobody = show_nobody_counts();

	return nobody ? nobody : magic_model() ? "misses, by MAGIC" : "misses charged";
}

static u64 refused(const struct balance_stats *s)
{
	u64 sum = 0;

	for (u32 r = POLICY_LOCAL + 1; r < POLICY_MOVED; r++)
		sum += s->reason[r];
	return sum;
}

static void print_nodes(void)
{
	kprintf("node  misses       local %%  charged us  pages    migrated  replicated  collapsed  refused\n");
	for (u32 i = 0; i < nnodes; i++) {
		const struct node_stats *moves = &nodes[i]->stats;
		const struct latency_count *c = latency_counts(i);
		u64 ns = 0;

		for (u32 j = 0; j < nnodes; j++)
			ns += c->ns[j];
		kprintf("%4u  %-11lu  %7lu  %-10lu  %-7lu  %-8lu  %-10lu  %-9lu  %lu\n", i,
			numa_misses(i), numa_local_percent(i), ns / 1000, show_guest_pages(i),
			moves->migrated.pages, moves->replicated.pages, moves->collapsed,
			refused(balance_stats(i)));
	}
}

/* ---- the hottest pages ---- */

struct hot {
	mpn_t mpn;
	u32 misses; /* of all nodes, in this interval */
};

static void keep_hottest(struct hot *hottest, mpn_t mpn, u32 misses)
{
	u32 at = HOTTEST - 1;

	if (misses <= hottest[at].misses)
		return;
	for (; at > 0 && misses > hottest[at - 1].misses; at--)
		hottest[at] = hottest[at - 1];
	hottest[at] = (struct hot){ mpn, misses };
}

static void look_at_node(u32 node, struct hot *hottest)
{
	u64 first = maddr_mpn(topology_base(node)).v,
	    end = first + (topology_bytes(node) >> PAGE_SHIFT);

	for (u64 i = first; i < end; i++) {
		mpn_t mpn = { i };
		u8 state = memmap_page(mpn)->state;

		if (state == PAGE_GUEST || state == PAGE_REPLICA)
			keep_hottest(hottest, mpn, heat_all(mpn, nnodes));
	}
}

static void print_page(const struct hot *h)
{
	const struct page *p = memmap_page(h->mpn);
	struct heat first = heat_read(0, h->mpn);
	char age[24] = "never";

	if (first.age != ~0u)
		ksnprintf(age, sizeof(age), "%u ms ago", first.age);
	kprintf("%9lx  %4d  %-12s  %8x  %-7s  %6u  %5u  %-14s ", h->mpn.v, memmap_node(h->mpn),
		p->owner < nvms ? vms[p->owner]->name : "-", p->gpn,
		p->state == PAGE_REPLICA ? "replica" : "master", h->misses, p->moves, age);
	for (u32 i = 0; i < nnodes; i++)
		kprintf(" %u", heat_read(i, h->mpn).mine);
	kprintf("\n");
}

static void print_hottest(void)
{
	struct hot hottest[HOTTEST] = { { { 0 }, 0 } };

	if (heat_source() == HEAT_NONE)
		return;
	for (u32 i = 0; i < nnodes; i++)
		look_at_node(i, hottest);
	if (hottest[0].misses)
		kprintf("     page  node  VM             as page  copy     misses  moves  moved           misses of each node, in this interval\n");
	for (u32 i = 0; i < HOTTEST && hottest[i].misses; i++)
		print_page(&hottest[i]);
}

COMMAND(numa, "[map [once|MS]]",
	"local and remote misses, moves, the hottest pages; who misses where, live")
{
	if (argc > 1 && !strcmp(argv[1], "map")) {
		map_show(argc > 2 ? argv[2] : NULL);
		return;
	}
	if (argc > 1) {
		kprintf("numa: found %s, allowed map, map once, or nothing\n", argv[1]);
		return;
	}
	kprintf("policy %s; %s\n", policy_name(balance_policy()->kind), source_name());
	print_nodes();
	print_hottest();
}
