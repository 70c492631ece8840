/* SPDX-License-Identifier: MIT */
/* Distances and latencies of the interconnect, and the queues at the nodes' controllers. */
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

/* Ns (FLASH: 1430 - 270, 1450 - 1110, 1910 - 1110). */
#define DIRTY_FROM_REMOTE 1160 /* the home asks another node */
#define DIRTY_AT_HOME	  340  /* its own processor's cache */
#define DIRTY_THIRD	  800  /* the home sends the request on, a third node answers */

unsigned network_dirty_cycles(const struct options *o, unsigned from, unsigned home, unsigned owner)
{
	unsigned ns = DIRTY_THIRD;

	if (!o->dirty || o->uma)
		return 0;
	if (home == from)
		ns = DIRTY_FROM_REMOTE;
	else if (home == owner)
		ns = DIRTY_AT_HOME;
	return (uint64_t)ns * o->mhz / 1000;
}

unsigned network_cycles(const struct options *o, unsigned nodes, unsigned from, unsigned to)
{
	unsigned hops = o->uma ? 0 : network_hops(o->topology, nodes, from, to);
	uint64_t ns = hops ? o->remote + (hops - 1) * o->hop : o->local;

	return ns * o->mhz / 1000;
}

uint64_t controller_wait(struct controller *c, uint64_t now, uint64_t work, uint64_t window)
{
	uint64_t number = now / window, since, done;

	if (number > c->window) {
		c->backlog += c->asked;
		done = (number - c->window) * window;
		c->backlog -= done < c->backlog ? done : c->backlog;
		c->asked = 0;
		c->window = number;
	}
	c->asked += work;
	since = number < c->window ? 0 : now % window;
	return c->backlog > since ? c->backlog - since : 0;
}
