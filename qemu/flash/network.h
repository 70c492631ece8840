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

#endif /* QEMU_FLASH_NETWORK_H */
