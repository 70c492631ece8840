/* SPDX-License-Identifier: MIT */
/* Migration: the page's only copy to another node. */
#include "kernel/mem/memmap.h"
#include "numa/batch.h"
#include "numa/heat.h"
#include "numa/move.h"
#include "numa/numa.h"

static void hide(struct batch *b, u32 i)
{
	for_each_node(node, b->vm->node_mask)
		if (mpn_valid(batch_hide(b, i, node)))
			nodemask_add(&b->page[i].used_by, node);
}

/*
 * The new page is the master. Views that showed the old one show it at once: a node that misses on it finds it without
 * the long way, which is as dear as a fifth of a move.
 */
static void commit(struct batch *b, u32 i)
{
	mpn_t from = b->page[i].from, to = b->page[i].to;
	gpn_t gpn = b->drop.page[i];

	batch_note(b, i);
	memmap_move(from, to);
	heat_moved(from, to);
	nodemem_free(from);
	pmap_arrive_locked(&b->vm->pmap, gpn, to);
	nodemask_add(&b->page[i].used_by, b->node);
	/* a view may have gone meanwhile, or be on its way back, where nobody would find what it shows */
	for_each_node(node, b->page[i].used_by)
		if (nodemask_has(b->vm->node_mask, node) && pmap_has_view(&b->vm->pmap, node))
			pmap_fill_locked(b->vm, gpn, node);
}

static unsigned migrate_run(struct vm *vm, u32 node, const mpn_t *pages, unsigned n)
{
	struct batch b;

	batch_begin(&b, vm, node, &nodes[node]->stats.migrated);
	batch_take(&b, pages, n, BATCH_MIGRATE, hide);
	if (b.drop.n)
		batch_copy(&b);
	batch_show(&b, commit);
	nodemem_unreserve(b.drop.n); /* as many pages went back */
	batch_end(&b);
	return b.drop.n;
}

unsigned migrate_pages(u32 node, const mpn_t *pages, unsigned n)
{
	return batch_runs(node, pages, n, migrate_run);
}
