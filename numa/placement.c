/* SPDX-License-Identifier: MIT */
/* Where pages of VMs go when they are used first. What moves them later is policy.c's. */
#include "kernel/node.h"
#include "kernel/vm/vm.h"
#include "numa/placement.h"

static enum placement placement; /* node 0 writes, all read */

void placement_set(enum placement p) { placement = p; }

u32 placement_node(const struct vm *vm, gpn_t gpn, u32 user)
{
	const struct shown_nodes *shown = &vm->shown;

	if (shown->n)
		return shown->node[MIN(gpn.v / shown->piece, shown->n - 1)];
	switch (placement) {
	case PLACE_FIRST_TOUCH: return user;
	case PLACE_ROUND_ROBIN: return gpn.v % nnodes;
	default: return vm->home->id;
	}
}

bool placement_by_neighbours(void) { return placement != PLACE_ROUND_ROBIN; }

bool placement_by_blocks(const struct vm *vm)
{
	return vm->shown.n || placement == PLACE_HOME ||
	       (placement == PLACE_FIRST_TOUCH && nodemask_is(vm->node_mask, vm->home->id));
}
