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
		batch_hide(b, i, node);
}

/* The new page is the master; every view finds it on its next use, the node's own does now. */
static void commit(struct batch *b, u32 i)
{
	mpn_t from = b->page[i].from, to = b->page[i].to;
	gpn_t gpn = b->drop.page[i];

	memmap_move(from, to);
	heat_moved(from, to);
	nodemem_free(from);
	nodemem_unreserve(1);
	pmap_arrive_locked(&b->vm->pmap, gpn, to);
	if (pmap_has_view(&b->vm->pmap, b->node))
		pmap_fill_locked(b->vm, gpn, b->node);
}

static unsigned migrate_run(struct vm *vm, u32 node, const mpn_t *pages, unsigned n)
{
	struct batch b;

	batch_begin(&b, vm, node, &nodes[node]->stats.migrated);
	for (unsigned i = 0; i < n; i++)
		if (batch_add(&b, pages[i], BATCH_MIGRATE)) {
			hide(&b, b.drop.n - 1);
			batch_unlock(&b, b.drop.n - 1);
		}
	if (b.drop.n)
		batch_copy(&b);
	for (u32 i = 0; i < b.drop.n; i++) {
		batch_lock(&b, i);
		commit(&b, i);
		batch_unlock(&b, i);
	}
	batch_end(&b);
	return b.drop.n;
}

unsigned migrate_pages(u32 node, const mpn_t *pages, unsigned n)
{
	return batch_runs(node, pages, n, migrate_run);
}
