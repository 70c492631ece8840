/* SPDX-License-Identifier: MIT */
/* Where pages of VMs go when they are used first: balance.c says it, numa.h tells it. */
#ifndef NUMA_PLACEMENT_H
#define NUMA_PLACEMENT_H

#include "numa/numa.h"

enum placement {
	PLACE_HOME,	   /* the VM's home node */
	PLACE_FIRST_TOUCH, /* the node of the VCPU that uses it first */
	PLACE_ROUND_ROBIN, /* page n on node n modulo their number */
};

void placement_set(enum placement p); /* of pages given from now on, on all nodes */

#endif /* NUMA_PLACEMENT_H */
