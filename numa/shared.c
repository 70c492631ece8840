/* SPDX-License-Identifier: MIT */
/* Migration of shared pages: to the node of those who use them, for all of them at once. */
#include <string.h>
#include "arch/mips/arch.h"
#include "kernel/mem/memmap.h"
#include "kernel/mem/pass.h"
#include "kernel/mem/share.h"
#include "kernel/node.h"
#include "numa/heat.h"
#include "numa/ledger.h"
#include "numa/move.h"
#include "numa/numa.h"

/* A page of this very node with what is in the other, which is held and so written by nobody. MPN_NONE: there is none. */
static mpn_t copy_here(u32 node, mpn_t from)
{
	mpn_t to = share_new(node);

	if (!mpn_valid(to))
		return to;
	if (memmap_node(to) != (int)node) {
		share_drop(to);
		return MPN_NONE;
	}
	memcpy(mpn_ptr(to), mpn_ptr(from), PAGE_SIZE);
	return to;
}

static void note(u32 node, mpn_t from, mpn_t to)
{
	u32 left = (u32)memmap_node(from);
	struct ledger_arrival a = {
		.copy = to,
		.owner = LEDGER_SHARED,
		.from = left,
		.gain = latency_ns(node, left) - latency_ns(node, node),
		.loss = latency_ns(left, node) - latency_ns(left, left),
	};

	if (!heat_sees_local())
		a.before = heat_count(node, from);
	ledger_arrive(node, &a);
	heat_moved(from, to);
}

/* The page is held. */
static bool move(u32 node, mpn_t from)
{
	struct move_stats *stats = &nodes[node]->stats.migrated;
	u64 start = count64();
	mpn_t to = copy_here(node, from);
	bool moved;

	if (!mpn_valid(to))
		return false;
	moved = pass_users_on(from, to, node);
	if (moved) {
		note(node, from, to);
		stats->pages++;
		stats->batches++;
		stats->total += count64() - start;
	}
	share_drop(to); /* its users have it */
	return moved;
}

bool migrate_shared(u32 node, mpn_t page)
{
	gpn_t gpn;
	bool moved;

	if (memmap_node(page) == (int)node || !share_user_only_on(page, node, &gpn))
		return false;
	if (numa_reserve_spare())
		return false;
	if (!share_hold_used(page)) {
		nodemem_unreserve(1);
		return false;
	}
	moved = move(node, page);
	share_drop(page);
	return moved;
}
