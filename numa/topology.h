/* SPDX-License-Identifier: MIT */
/* The nodes' memory ranges, shared by the files of numa/. */
#ifndef NUMA_TOPOLOGY_H
#define NUMA_TOPOLOGY_H

#include "kernel/node.h"
#include "numa/numa.h"

struct range {
	maddr_t base;
	u64 bytes;
	maddr_t boot_next; /* next byte nodemem_boot_alloc gives; below it everything is the
			      monitor's */
};

extern struct range topology[MAX_NODES]; /* fixed after boot */

/* Where the kept range ends if [start, start + bytes) touches it, else start. */
maddr_t topology_behind_kept(maddr_t start, u64 bytes);

#endif /* NUMA_TOPOLOGY_H */
