/* SPDX-License-Identifier: MIT */
/* Replication: a copy of a page on each node that reads it, until somebody writes it. */
#include "kernel/mem/memmap.h"
#include "kernel/mem/share.h"
#include "kernel/mem/shootdown.h"
#include "numa/batch.h"
#include "numa/heat.h"
#include "numa/ledger.h"
#include "numa/move.h"
#include "numa/numa.h"

/*
 * No node may write the page from now on, and the batch's own node sees nothing until it has its
 * replica. Where there were replicas, or another node is making one, no node may write as it is.
 */
static void freeze(struct batch *b, u32 i)
{
	for_each_node(node, b->vm->node_mask)
		if (node != b->node)
			batch_downgrade(b, i, node);
	batch_hide(b, i, b->node);
}

static void commit(struct batch *b, u32 i)
{
	gpn_t gpn = b->drop.page[i];
	mpn_t to = b->page[i].to;

	batch_note(b, i);
	memmap_give_replica(to, b->vm->id, gpn);
	heat_forget(to);
	pmap_copy_end_locked(&b->vm->pmap, gpn, b->node, to);
}

static unsigned replicate_run(struct vm *vm, u32 node, const mpn_t *pages, unsigned n)
{
	struct batch b;

	if (!pmap_has_view(&vm->pmap, node))
		return 0;
	batch_begin(&b, vm, node, &nodes[node]->stats.replicated);
	batch_take(&b, pages, n, BATCH_REPLICATE, freeze);
	if (b.drop.n)
		batch_copy(&b);
	batch_show(&b, commit);
	batch_end(&b);
	return b.drop.n;
}

unsigned replicate_pages(u32 node, const mpn_t *pages, unsigned n)
{
	return batch_runs(node, pages, n, replicate_run);
}

/* ---- back to one copy ---- */

/* Frees all copies but one: the writer's own if it has one, else the master. A shared master stays. */
static void keep_one(struct vm *vm, gpn_t gpn, const mpn_t copy[], u32 writer)
{
	struct pmap_copies copies = pmap_copies(&vm->pmap, gpn);
	mpn_t master = copies.master, kept = master;
	u32 replicas = 0;

	if (nodemask_has(copies.replicas, writer) && !share_is(master))
		kept = copy[writer];
	for_each_node(node, copies.replicas) {
		replicas++;
		if (copy[node].v == kept.v)
			continue;
		memmap_take_back(copy[node], vm->id);
		nodemem_free(copy[node]);
	}
	if (kept.v != master.v) {
		memmap_promote(master, kept);
		nodemem_free(master);
	} else if (!share_is(master)) {
		memmap_moved(kept);
	}
	nodemem_unreserve(replicas); /* free by now: they are promised at once */
	pmap_collapse_locked(&vm->pmap, gpn, kept);
	heat_moved(master, kept);
}

void numa_collapse(struct vm *vm, gpn_t gpn, u32 node)
{
	struct batch b = { .vm = vm, .drop = { .vm = vm, .n = 1, .page = { gpn } } };
	mpn_t copy[MAX_NODES];
	const struct node *self = node_self();
	u64 before = count64();

	pmap_assert_locked(&vm->pmap, gpn);
	for_each_node(i, vm->node_mask)
		copy[i] = batch_hide(&b, 0, i);
	shootdown(b.seen_by, mmu_drop_pages, &b.drop);
	keep_one(vm, gpn, copy, node);
	node_self()->stats.collapsed++;
	ledger_pay(self->id, (count64() - before + self->asks.spent) * 1000000 / COUNT_MS, 0);
}

/* ---- all of them back ---- */

/* Pages looked at in a step, and replicated ones among them: a collapse is some 2000 instructions
 * and a shootdown. */
#define STEP_LOOKS     2048
#define STEP_COLLAPSES 16

void numa_reclaim_begin(struct numa_reclaim *r)
{
	*r = (struct numa_reclaim){ 0 };
	__atomic_fetch_add(&batch_hold, 1, __ATOMIC_ACQ_REL);
}

struct left {
	u32 looks, collapses;
};

/* The pages of one range from r->page on. Who had a page of it by numa_reserve_spare before is done with it. */
static void reclaim_range(struct vm *vm, struct numa_reclaim *r, struct left *left)
{
	struct pmap *p = &vm->pmap;
	const gpn_t first = { r->page };

	pmap_lock(p, first);
	do {
		gpn_t gpn = { r->page++ };

		left->looks--;
		pmap_wait_locked(p, gpn);
		if (nodemask_empty(pmap_copies(p, gpn).replicas))
			continue;
		numa_collapse(vm, gpn, vm->home->id);
		left->collapses--;
	} while (left->looks && left->collapses && r->page < p->npages &&
		 r->page % PMAP_RANGE_PAGES);
	pmap_unlock(p, first);
}

/* From page r->page of the VM on, which is its last page's number plus one when all is done. */
static void reclaim_pages(struct vm *vm, struct numa_reclaim *r)
{
	struct left left = { STEP_LOOKS, STEP_COLLAPSES };

	while (left.looks && left.collapses && r->page < vm->pmap.npages)
		reclaim_range(vm, r, &left);
}

bool numa_reclaim_step(struct numa_reclaim *r)
{
	if (r->vm >= nvms)
		return true;
	if (vm_is_up(vms[r->vm]))
		reclaim_pages(vms[r->vm], r);
	if (!vm_is_up(vms[r->vm]) || r->page >= vms[r->vm]->pmap.npages)
		*r = (struct numa_reclaim){ .vm = r->vm + 1 };
	return r->vm >= nvms;
}

void numa_reclaim_end(void) { __atomic_fetch_sub(&batch_hold, 1, __ATOMIC_ACQ_REL); }

void numa_reclaim(void)
{
	struct numa_reclaim r;

	numa_reclaim_begin(&r);
	while (!numa_reclaim_step(&r))
		continue;
}
