/* SPDX-License-Identifier: MIT */
/* Which machine memory belongs to which node: equal contiguous ranges, and how many hops nodes are
 * from each other. What a hop costs is latency.c's. */
#include "kernel/node.h"
#include "kernel/vm/vmdesc.h"
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

/* ---- distances ---- */

static u32 shape, columns;	      /* fixed after boot, like all here */
static u8 near[MAX_NODES][MAX_NODES]; /* all nodes, nearest first */

/* A mesh: rows of the least width whose square holds all, as the timing model has it. */
static u32 mesh_columns(u32 n)
{
	u32 width = 1;

	while (width * width < n)
		width++;
	return width;
}

static u32 apart(u32 a, u32 b) { return a < b ? b - a : a - b; }

static u32 bits_set(u32 v)
{
	u32 n = 0;

	for (; v; v &= v - 1)
		n++;
	return n;
}

u32 topology_distance(u32 from, u32 to)
{
	switch (shape) {
	case TOPOLOGY_MESH:
		return apart(from % columns, to % columns) + apart(from / columns, to / columns);
	case TOPOLOGY_HYPERCUBE: return bits_set(from ^ to);
	}
	return from != to;
}

/*
 * Equally near ones in turn from the node's own number on, so that not everybody turns to node 0.
 */
void topology_sort(u32 n, u32 (*cost)(u32 from, u32 to))
{
	for (u32 node = 0; node < n; node++) {
		for (u32 i = 0; i < n; i++) {
			u32 other = (node + i) % n, at = i;

			for (; at > 1 && cost(node, near[node][at - 1]) > cost(node, other); at--)
				near[node][at] = near[node][at - 1];
			near[node][at] = other;
		}
	}
}

void topology_connect(u32 n, enum topology_shape s)
{
	shape = s;
	columns = mesh_columns(n);
	topology_sort(n, topology_distance);
}

u32 topology_near(u32 node, u32 i) { return near[node][i]; }
