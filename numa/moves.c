/* SPDX-License-Identifier: MIT */
/* What the prompt shows of pages and VCPUs that moved, and of what moving them has cost. */
#include "kernel/console/console.h"
#include "kernel/log.h"
#include "kernel/node.h"
#include "numa/move.h"

static u64 ns_each(u64 ticks, u64 pages) { return pages ? ticks * 1000000 / COUNT_MS / pages : 0; }

static void print_moves(u32 node, const char *what, const struct move_stats *s)
{
	if (s->pages)
		kprintf("%4u  %-10s  %-8lu  %-8lu  %-7lu  %-12lu  %-7lu  %lu\n", node, what,
			s->pages, s->batches, ns_each(s->wait, s->pages),
			ns_each(s->shootdown, s->pages), ns_each(s->copy, s->pages),
			ns_each(s->total - s->wait - s->shootdown - s->copy, s->pages));
}

/* From the last look at it on one node to being in the run queue of the other. */
static void print_vcpu_moves(u32 node, const struct node_stats *s)
{
	if (s->vcpu_moves)
		kprintf("%4u  %-10s  %-8lu  %-8s  %-7s  %-12s  %-7s  %lu\n", node, "VCPUs",
			s->vcpu_moves, "-", "-", "-", "-",
			ns_each(s->vcpu_move_ticks, s->vcpu_moves));
}

COMMAND(moves, "",
	"pages and VCPUs moved to each node, and given back by VMs there, and what one has cost")
{
	kprintf("node  what        pages     batches   wait ns  shootdown ns  copy ns  rest ns\n");
	for (u32 i = 0; i < nnodes; i++) {
		const struct node_stats *s = &nodes[i]->stats;

		print_moves(i, "migrated", &s->migrated);
		print_moves(i, "replicated", &s->replicated);
		print_moves(i, "given", &s->given);
		print_vcpu_moves(i, s);
		if (s->collapsed)
			kprintf("%4u  %-10s  %lu\n", i, "collapsed", s->collapsed);
	}
}
