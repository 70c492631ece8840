/* SPDX-License-Identifier: MIT */
/*
 * shuffle=1 on the command line: at each tick of a node some pages of running VMs, wherever they
 * are, are moved to it or replicated there, and now and then a VCPU comes to it, as a test of everything that
 * guests are promised meanwhile. No policy would do that.
 */
#include "arch/mips/arch.h"
#include "kernel/log.h"
#include "kernel/vm/move.h"
#include "kernel/vm/vm.h"
#include "kernel/words.h"
#include "numa/move.h"
#include "numa/numa.h"

#define PAGES 32 /* a tick, at most */
#define VCPUS 4	 /* a VCPU in so many ticks */

static bool on; /* fixed after boot */
static u64 seed[MAX_NODES];

void shuffle_configure(const char *words)
{
	on = words_have(words, "shuffle=1");
	if (on)
		log_line("numa", "shuffle=1: pages and VCPUs move at random");
}

static u32 random(u32 node)
{
	seed[node] = (seed[node] + node + 1) * 6364136223846793005ul + 1442695040888963407ul;
	return seed[node] >> 33;
}

void shuffle_tick(const struct node *n)
{
	mpn_t pages[PAGES];
	const struct vm *vm;
	u32 nvcpus, npages;

	if (!on || !nvms)
		return;
	vm = vms[random(n->id) % nvms];
	/* Once: both are 0 when it is destroyed, and what they count is there until this node looks around. */
	nvcpus = __atomic_load_n(&vm->nvcpus, __ATOMIC_ACQUIRE);
	npages = __atomic_load_n(&vm->pmap.npages, __ATOMIC_ACQUIRE);
	if (!vm_is_up(vm) || !nvcpus || !npages)
		return;
	if (random(n->id) % VCPUS == 0)
		vcpu_move(vm->vcpus[random(n->id) % nvcpus], nodes[n->id], false);
	for (unsigned i = 0; i < PAGES; i++)
		pages[i] = pmap_copies(&vm->pmap, (gpn_t){ random(n->id) % npages }).master;
	switch (random(n->id) % 4) {
	case 0: replicate_pages(n->id, pages, PAGES); break;
	case 1:
		for (unsigned i = 0; i < PAGES; i++)
			migrate_shared(n->id, pages[i]);
		break;
	default: migrate_pages(n->id, pages, PAGES);
	}
}
