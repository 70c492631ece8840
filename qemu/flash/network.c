/* SPDX-License-Identifier: MIT */
/* Distances and latencies of the interconnect. No contention. */
#include <stdlib.h>

#include "qemu/flash/network.h"

unsigned network_hops(enum topology topology, unsigned nodes, unsigned from, unsigned to)
{
	unsigned width = 1;

	switch (topology) {
	case TOPOLOGY_HYPERCUBE: return __builtin_popcount(from ^ to);
	case TOPOLOGY_MESH:
		while (width * width < nodes)
			width++;
		return abs((int)(from % width) - (int)(to % width)) +
		       abs((int)(from / width) - (int)(to / width));
	default: return from != to;
	}
}

unsigned network_cycles(const struct options *o, unsigned nodes, unsigned from, unsigned to)
{
	unsigned hops = o->uma ? 0 : network_hops(o->topology, nodes, from, to);
	uint64_t ns = hops ? o->remote + (hops - 1) * o->hop : o->local;

	return ns * o->mhz / 1000;
}
