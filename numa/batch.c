/* SPDX-License-Identifier: MIT */
/* The steps that migration and replication share. */
#include <string.h>
#include "kernel/errno.h"
#include "kernel/mem/memmap.h"
#include "kernel/mem/share.h"
#include "kernel/mem/shootdown.h"
#include "numa/batch.h"
#include "numa/numa.h"

u32 batch_hold;

void batch_begin(struct batch *b, struct vm *vm, u32 node, struct move_stats *stats)
{
	*b = (struct batch){
		.vm = vm, .node = node, .drop = { .vm = vm }, .stats = stats, .start = count64()
	};
	pmap_unsettle(&vm->pmap);
}

static void lock(struct batch *b, gpn_t gpn)
{
	u64 before = count64();

	pmap_lock(&b->vm->pmap, gpn);
	b->stats->wait += count64() - before;
}

void batch_lock(struct batch *b, u32 i) { lock(b, b->drop.page[i]); }

void batch_unlock(struct batch *b, u32 i) { pmap_unlock(&b->vm->pmap, b->drop.page[i]); }

static bool has(const struct batch *b, mpn_t from)
{
	for (u32 i = 0; i < b->drop.n; i++)
		if (b->page[i].from.v == from.v)
			return true;
	return false;
}

/* The guest page of the VM that the machine page is for: of one moment. */
static bool find_guest_page(const struct batch *b, mpn_t from, gpn_t *gpn)
{
	const struct page *p = memmap_page(from);

	if (!p || b->drop.n == MMU_DROP_PAGES || memmap_node(from) == (int)b->node)
		return false;
	if (!share_user(from, b->vm, b->node, gpn))
		gpn->v = __atomic_load_n(&p->gpn, __ATOMIC_RELAXED);
	return pmap_copies(&b->vm->pmap, *gpn).master.v == from.v;
}

/*
 * Its master may go where the batch goes. What memmap says of a page that is not this VM's changes while
 * it is read; the pmap, whose range is locked, knows.
 */
static bool can_move(const struct batch *b, mpn_t from, enum batch_kind kind, gpn_t gpn)
{
	const struct pmap *pmap = &b->vm->pmap;

	if (vm_state(b->vm) != VM_RUNNING || pmap_copies(pmap, gpn).master.v != from.v)
		return false;
	return kind == BATCH_MIGRATE ? pmap_may_leave_locked(pmap, gpn)
				     : pmap_may_copy_locked(pmap, gpn, b->node);
}

int numa_reserve_spare(void)
{
	return __atomic_load_n(&batch_hold, __ATOMIC_ACQUIRE) ? -ENOMEM : nodemem_reserve(1);
}

/* A page beyond those that VMs were promised: or one of them would find none. place: the best one. */
static mpn_t take_page(u32 node, mpn_t place)
{
	mpn_t to = MPN_NONE;

	if (numa_reserve_spare())
		return MPN_NONE;
	if (mpn_valid(place) && memmap_node(place) == (int)node)
		to = nodemem_alloc_exact(place);
	if (!mpn_valid(to))
		to = nodemem_alloc_here(node);
	if (!mpn_valid(to))
		nodemem_unreserve(1);
	return to;
}

/* The page is the batch's next, and in the state of its kind. False: there is no page for it. */
static bool add_locked(struct batch *b, mpn_t from, enum batch_kind kind, gpn_t gpn)
{
	struct pmap *p = &b->vm->pmap;
	struct mmu_drop *d = &b->drop;
	mpn_t place = kind == BATCH_MIGRATE ? pmap_place_locked(p, gpn) : MPN_NONE;
	mpn_t to = take_page(b->node, place);

	if (!mpn_valid(to))
		return false;
	if (kind == BATCH_MIGRATE)
		pmap_leave_locked(p, gpn);
	else
		pmap_copy_begin_locked(p, gpn);
	b->page[d->n].from = from;
	b->page[d->n].to = to;
	d->machine |= BIT(from.v % 64);
	d->page[d->n++] = gpn;
	return true;
}

bool batch_add(struct batch *b, mpn_t from, enum batch_kind kind)
{
	gpn_t gpn;

	if (!find_guest_page(b, from, &gpn) || has(b, from))
		return false;
	lock(b, gpn);
	if (can_move(b, from, kind, gpn) && add_locked(b, from, kind, gpn))
		return true;
	pmap_unlock(&b->vm->pmap, gpn);
	return false;
}

mpn_t batch_hide(struct batch *b, u32 i, u32 node)
{
	mpn_t shown = pmap_hide_locked(&b->vm->pmap, b->drop.page[i], node);

	if (mpn_valid(shown)) {
		b->drop.machine |= BIT(shown.v % 64);
		nodemask_add(&b->seen_by, node);
	}
	return shown;
}

void batch_downgrade(struct batch *b, u32 i, u32 node)
{
	if (pmap_downgrade_locked(&b->vm->pmap, b->drop.page[i], node))
		nodemask_add(&b->seen_by, node);
}

/* The pages are nobody's to write now: others may have the lock. */
static void copy(const struct batch *b)
{
	for (u32 i = 0; i < b->drop.n; i++)
		memcpy(mpn_ptr(b->page[i].to), mpn_ptr(b->page[i].from), PAGE_SIZE);
}

void batch_copy(struct batch *b)
{
	u64 before = count64(), between;

	shootdown(b->seen_by, mmu_drop_pages, &b->drop);
	between = count64();
	copy(b);
	b->stats->shootdown += between - before;
	b->stats->copy += count64() - between;
}

void batch_end(struct batch *b)
{
	pmap_settled(&b->vm->pmap);
	b->stats->pages += b->drop.n;
	b->stats->batches += b->drop.n != 0;
	b->stats->total += count64() - b->start;
}

/* The VM whose page it is, or whose copy of a shared one the node would get. */
static struct vm *owner(mpn_t page, u32 node)
{
	const struct page *p = memmap_page(page);
	gpn_t gpn;

	if (share_is(page))
		return share_user_on(page, node, &gpn);
	return p && p->state == PAGE_GUEST && p->owner < nvms ? vms[p->owner] : NULL;
}

unsigned batch_runs(u32 node, const mpn_t *pages, unsigned n, run_fn fn)
{
	unsigned moved = 0, run;

	for (unsigned i = 0; i < n; i += run) {
		struct vm *vm = owner(pages[i], node);

		for (run = 1; i + run < n && run < MMU_DROP_PAGES; run++)
			if (owner(pages[i + run], node) != vm)
				break;
		if (vm)
			moved += TEXT_HERE(fn)(vm, node, pages + i, run);
		node_read_mail(node_self()); /* a run is as much as may come between two looks */
	}
	return moved;
}
