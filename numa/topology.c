/* SPDX-License-Identifier: MIT */
/* Which machine memory belongs to which node: equal contiguous ranges, and how far nodes are from
 * each other. */
#include "kernel/node.h"
#include "numa/topology.h"

struct range topology[MAX_NODES];
static struct range kept;

void topology_init(u32 n, maddr_t base, u64 bytes, maddr_t boot_end)
{
	u64 share = ROUND_DOWN(bytes / n, PAGE_SIZE);

	for (u32 i = 0; i < n; i++) {
		struct range *r = &topology[i];

		r->base.v = base.v + i * share;
		r->bytes = share;
		r->boot_next.v = MIN(MAX(r->base.v, boot_end.v), r->base.v + share);
	}
}

void topology_keep(maddr_t start, u64 bytes)
{
	kept.base = start;
	kept.bytes = bytes;
}

maddr_t topology_behind_kept(maddr_t start, u64 bytes)
{
	u64 end = kept.base.v + kept.bytes;

	return start.v < end && kept.base.v < start.v + bytes ? (maddr_t){ end } : start;
}

maddr_t topology_base(u32 node) { return topology[node].base; }

u64 topology_bytes(u32 node) { return topology[node].bytes; }

/* A crossbar: every other node is one hop away. */
u32 topology_distance(u32 from, u32 to) { return from != to; }

static enum placement placement;

enum placement numa_placement(void) { return placement; }

void numa_place(enum placement p) { placement = p; }
