/* SPDX-License-Identifier: MIT */
/* The nodes' memory ranges, shared by the files of numa/. */
#ifndef NUMA_TOPOLOGY_H
#define NUMA_TOPOLOGY_H

#include "kernel/node.h"
#include "kernel/vm/vmdesc.h"
#include "numa/numa.h"

struct range {
	maddr_t base;
	u64 bytes;
	/* next byte nodemem_boot_alloc gives; below it everything is the monitor's */
	maddr_t boot_next;
};

extern struct range topology[MAX_NODES]; /* fixed after boot */

/* Where the kept range ends if [start, start + bytes) touches it, else start. */
maddr_t topology_behind_kept(maddr_t start, u64 bytes);

/* How n nodes are joined; topology_near is by hops then. Boot only. */
void topology_connect(u32 n, enum topology_shape shape);
/* topology_near by another measure; a node itself stays its own nearest. Boot only. */
void topology_sort(u32 n, u32 (*cost)(u32 from, u32 to));

#endif /* NUMA_TOPOLOGY_H */
