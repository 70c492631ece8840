/* SPDX-License-Identifier: MIT */
/* Where pages of VMs go when they are used first. What moves them later is policy.c's. */
#include "kernel/node.h"
#include "numa/placement.h"

static enum placement placement; /* node 0 writes, all read */

void placement_set(enum placement p) { placement = p; }

u32 placement_node(gpn_t gpn, u32 home, u32 user)
{
	switch (placement) {
	case PLACE_FIRST_TOUCH: return user;
	case PLACE_ROUND_ROBIN: return gpn.v % nnodes;
	default: return home;
	}
}

bool placement_by_neighbours(void) { return placement != PLACE_ROUND_ROBIN; }

bool placement_by_blocks(u32 home, struct nodemask users)
{
	return placement == PLACE_HOME ||
	       (placement == PLACE_FIRST_TOUCH && nodemask_is(users, home));
}
