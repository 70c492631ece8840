/* SPDX-License-Identifier: MIT */
/* Replication: a copy of a page on each node that reads it, until somebody writes it. */
#include "kernel/mem/memmap.h"
#include "kernel/mem/shootdown.h"
#include "numa/batch.h"
#include "numa/heat.h"
#include "numa/move.h"
#include "numa/numa.h"

/*
 * Nobody may write from now on, and the node is to see its own copy. Where there are replicas, or
 * another node is making one, nobody may already.
 */
static void freeze(struct batch *b, u32 i)
{
	const struct pmap_page *page = &b->vm->pmap.page[b->drop.page[i].v];

	if (!page->replicas && page->busy == 1)
		for_each_node(node, b->vm->node_mask)
			if (node != b->node)
				batch_downgrade(b, i, node);
	batch_hide(b, i, b->node);
}

static void commit(struct batch *b, u32 i)
{
	gpn_t gpn = b->drop.page[i];
	mpn_t to = b->page[i].to;

	memmap_give_replica(to, b->vm->id, gpn);
	heat_forget(to);
	b->vm->pmap.page[gpn.v].replicas |= BIT(b->node);
	__atomic_store_n(&pmap_entry(&b->vm->pmap, gpn, b->node)->lo,
			 arch_readonly_entry(arch_page_entry(to)), __ATOMIC_RELEASE);
	batch_done(b, i);
}

static unsigned replicate_run(struct vm *vm, u32 node, const mpn_t *pages, unsigned n)
{
	struct batch b;

	if (!nodemask_has(vm->node_mask, node))
		return 0;
	batch_begin(&b, vm, node, &nodes[node]->stats.replicated);
	for (unsigned i = 0; i < n; i++)
		batch_add(&b, pages[i], nodemask_of(node), false);
	for (u32 i = 0; i < b.drop.n; i++)
		freeze(&b, i);
	if (b.drop.n)
		batch_copy(&b);
	for (u32 i = 0; i < b.drop.n; i++)
		commit(&b, i);
	batch_end(&b);
	return b.drop.n;
}

unsigned replicate_pages(u32 node, const mpn_t *pages, unsigned n)
{
	return batch_runs(node, pages, n, replicate_run);
}

/* ---- back to one copy ---- */

/* Frees all copies but one: the writer's own if it has one, else the master. */
static void keep_one(struct vm *vm, gpn_t gpn, const mpn_t copy[], u32 writer)
{
	struct pmap_page *page = &vm->pmap.page[gpn.v];
	mpn_t master = { page->master }, kept = master;
	u8 moves = memmap_page(master)->moves;
	u32 replicas = 0;

	if (page->replicas & BIT(writer))
		kept = copy[writer];
	for_each_node(node, pmap_replicas(page)) {
		replicas++;
		if (copy[node].v == kept.v)
			continue;
		memmap_take_back(copy[node], vm->id);
		nodemem_free(copy[node]);
	}
	if (kept.v != master.v) {
		memmap_take_back(master, vm->id);
		nodemem_free(master);
		memmap_promote(kept);
		memmap_page(kept)->moves = moves;
	}
	nodemem_unreserve(replicas); /* free by now: they are promised at once */
	*page = (struct pmap_page){ .master = kept.v };
	memmap_moved(kept);
	heat_moved(master, kept);
}

void numa_collapse(struct vm *vm, gpn_t gpn, u32 node)
{
	struct batch b = { .vm = vm, .drop = { .vm = vm, .n = 1, .page = { gpn } } };
	mpn_t copy[MAX_NODES];

	lock_assert(&vm->pmap.lock);
	for_each_node(i, vm->node_mask) {
		copy[i] = arch_entry_page(pmap_entry(&vm->pmap, gpn, i)->lo);
		batch_hide(&b, 0, i);
	}
	shootdown(b.seen_by, mmu_drop_pages, &b.drop);
	keep_one(vm, gpn, copy, node);
	node_self()->stats.collapsed++;
}

static void reclaim(struct vm *vm)
{
	lock_take(&vm->pmap.lock);
	for (u32 i = 0; i < vm->pmap.npages; i++) {
		pmap_wait(&vm->pmap, (gpn_t){ i });
		if (vm->pmap.page[i].replicas)
			numa_collapse(vm, (gpn_t){ i }, vm->home->id);
	}
	lock_release(&vm->pmap.lock);
}

void numa_reclaim(void)
{
	__atomic_fetch_add(&batch_hold, 1, __ATOMIC_ACQ_REL);
	for (unsigned i = 0; i < nvms; i++)
		if (vms[i]->state == VM_RUNNING)
			reclaim(vms[i]);
}

void numa_reclaim_end(void) { __atomic_fetch_sub(&batch_hold, 1, __ATOMIC_ACQ_REL); }
