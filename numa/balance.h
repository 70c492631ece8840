/* SPDX-License-Identifier: MIT */
/* Carrying out the policy: what has become of the pages that each node kept missing on. */
#ifndef NUMA_BALANCE_H
#define NUMA_BALANCE_H

#include "numa/policy.h"

/* Of one node; only that node writes. */
struct balance_stats {
	u64 candidates;		    /* looked at; the sum of reason[] */
	u64 reason[POLICY_REASONS]; /* what was decided; MOVED: to move */
	u64 migrated, replicated;   /* what came of that */
	u32 waited;		    /* ticks that candidates wait for others */
	u64 local;		    /* misses at home, at the last look */
};

const struct balance_stats *balance_stats(u32 node);
const struct policy *balance_policy(void); /* in force */

#endif /* NUMA_BALANCE_H */
