/* SPDX-License-Identifier: MIT */
/* How far nodes are from each other, in hops and in cycles; pure. */
#ifndef QEMU_FLASH_NETWORK_H
#define QEMU_FLASH_NETWORK_H

#include "qemu/flash/options.h"

/* 0: the same node. mesh: rows of the least width whose square holds all nodes, no wrap-around. */
unsigned network_hops(enum topology topology, unsigned nodes, unsigned from, unsigned to);
/*
 * What a miss costs more if another processor's cache, of node owner, has the only good copy: FLASH's latencies
 * of such misses less those of a clean line.
 */
unsigned network_dirty_cycles(const struct options *o, unsigned from, unsigned home,
			      unsigned owner);
/* Of a miss on a line of node to: local, remote for one hop, hop more for each further one. */
unsigned network_cycles(const struct options *o, unsigned nodes, unsigned from, unsigned to);

/*
 * A node's controller, which serves one request after the other. Processors are out of step by up to a window, so
 * that requests of one window do not wait for each other: what was asked for in a window and does not fit it
 * is waited for by those of the next ones.
 */
struct controller {
	uint64_t window;  /* its number: the last in which there was a request */
	uint64_t backlog; /* cycles of work that were left when it began */
	uint64_t asked;	  /* cycles of work that came in it */
};

/* Cycles that a request waits which comes at time now, in cycles, and is so much work. One from before the window: as of now. */
uint64_t controller_wait(struct controller *c, uint64_t now, uint64_t work, uint64_t window);

#endif /* QEMU_FLASH_NETWORK_H */
