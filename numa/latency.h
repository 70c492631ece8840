/* SPDX-License-Identifier: MIT */
/* What the injected delays have come to, for those in numa/ that show it. */
#ifndef NUMA_LATENCY_H
#define NUMA_LATENCY_H

#include "kernel/node.h"

/* Of one node, by home node of the page missed on. Only that node writes. */
struct latency_count {
	u64 refills[MAX_NODES]; /* TLB misses that came to the C side and count as cache misses */
	u64 ns[MAX_NODES];	/* charged for them; 0 for the node itself */
	u64 cached[MAX_NODES];	/* more TLB misses, on pages that the filter had */
};

const struct latency_count *latency_counts(u32 node);

#endif /* NUMA_LATENCY_H */
