/* SPDX-License-Identifier: MIT */
/* The steps that migration and replication share. */
#include <string.h>
#include "kernel/errno.h"
#include "kernel/mem/memmap.h"
#include "kernel/mem/share.h"
#include "kernel/mem/shootdown.h"
#include "numa/batch.h"
#include "numa/heat.h"
#include "numa/ledger.h"
#include "numa/numa.h"

u32 batch_hold;

#define NEAR_PAGES 16	 /* of a large page: the others of it say where a page fits */
#define COPY_BYTES 1024u /* between two looks whether somebody waits for this node */

void batch_begin(struct batch *b, struct vm *vm, u32 node, struct move_stats *stats)
{
	*b = (struct batch){
		.vm = vm, .node = node, .drop = { .vm = vm }, .stats = stats, .start = count64()
	};
	pmap_unsettle(&vm->pmap);
}

static void let_go(struct batch *b)
{
	if (b->locked)
		pmap_unlock(&b->vm->pmap, b->held);
	b->locked = false;
}

/* Holds the lock of the page's range, and no other one, from now on. */
static void hold(struct batch *b, gpn_t gpn)
{
	u64 before;

	if (b->locked && pmap_range_of(b->held) == pmap_range_of(gpn))
		return;
	let_go(b);
	before = count64();
	pmap_lock(&b->vm->pmap, gpn);
	b->stats->wait += count64() - before;
	b->held = gpn;
	b->locked = true;
}

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

	if (!vm_is_up(b->vm) || pmap_copies(pmap, gpn).master.v != from.v)
		return false;
	return kind == BATCH_MIGRATE ? pmap_may_leave_locked(pmap, gpn)
				     : pmap_may_copy_locked(pmap, gpn, b->node);
}

int numa_reserve_spare(void)
{
	return __atomic_load_n(&batch_hold, __ATOMIC_ACQUIRE) ? -ENOMEM : nodemem_reserve(1);
}

/* All at once, since all nodes take from one count. */
u32 numa_reserve_spares(u32 n)
{
	u32 got = 0;

	if (__atomic_load_n(&batch_hold, __ATOMIC_ACQUIRE))
		return 0;
	if (!nodemem_reserve(n))
		return n;
	while (got < n && !nodemem_reserve(1))
		got++;
	return got;
}

/* A page beyond those that VMs were promised: or one of them would find none. place: the best one. */
static mpn_t take_page(struct batch *b, mpn_t place)
{
	mpn_t to = MPN_NONE;

	if (!b->spare)
		return MPN_NONE;
	if (mpn_valid(place))
		to = nodemem_alloc_exact(place, 1);
	if (!mpn_valid(to))
		to = nodemem_alloc_here(b->node);
	b->spare -= mpn_valid(to);
	return to;
}

/* The page is the batch's next, and in the state of its kind. False: there is no page for it. */
static bool add_locked(struct batch *b, mpn_t from, enum batch_kind kind, gpn_t gpn)
{
	struct pmap *p = &b->vm->pmap;
	struct mmu_drop *d = &b->drop;
	mpn_t place = kind == BATCH_MIGRATE ? pmap_place_locked(p, gpn, NEAR_PAGES, b->node)
					    : MPN_NONE;
	mpn_t to = take_page(b, place);

	if (!mpn_valid(to))
		return false;
	if (kind == BATCH_MIGRATE)
		pmap_leave_locked(p, gpn);
	else
		pmap_copy_begin_locked(p, gpn);
	b->page[d->n].from = from;
	b->page[d->n].to = to;
	b->page[d->n].used_by = NODEMASK_NONE;
	page_filter_add(&d->machine, from);
	d->page[d->n++] = gpn;
	return true;
}

/* False leaves everything as it was. */
static bool add(struct batch *b, mpn_t from, enum batch_kind kind)
{
	gpn_t gpn;

	if (!find_guest_page(b, from, &gpn) || has(b, from))
		return false;
	hold(b, gpn);
	return can_move(b, from, kind, gpn) && add_locked(b, from, kind, gpn);
}

void batch_take(struct batch *b, const mpn_t *pages, u32 n, enum batch_kind kind, batch_fn hide)
{
	b->spare = numa_reserve_spares(n);
	for (u32 i = 0; i < n; i++)
		if (add(b, pages[i], kind))
			TEXT_HERE(hide)(b, b->drop.n - 1);
	let_go(b);
	nodemem_unreserve(b->spare);
}

void batch_show(struct batch *b, batch_fn commit)
{
	for (u32 i = 0; i < b->drop.n; i++) {
		hold(b, b->drop.page[i]);
		TEXT_HERE(commit)(b, i);
	}
	let_go(b);
}

mpn_t batch_hide(struct batch *b, u32 i, u32 node)
{
	mpn_t shown = pmap_hide_locked(&b->vm->pmap, b->drop.page[i], node);

	if (mpn_valid(shown)) {
		page_filter_add(&b->drop.machine, shown);
		nodemask_add(&b->seen_by, node);
	}
	return shown;
}

void batch_downgrade(struct batch *b, u32 i, u32 node)
{
	if (pmap_downgrade_locked(&b->vm->pmap, b->drop.page[i], node))
		nodemask_add(&b->seen_by, node);
}

/*
 * The pages are nobody's to write now: others may have the lock. While one node copies, others want its answer
 * for the pages that they take; it has nothing in hand that an answer would spoil.
 */
static void copy_page(mpn_t to, mpn_t from)
{
	for (u32 at = 0; at < PAGE_SIZE; at += COPY_BYTES) {
		memcpy((u8 *)mpn_ptr(to) + at, (u8 *)mpn_ptr(from) + at, COPY_BYTES);
		shootdown_answer(node_self());
	}
}

static void copy(const struct batch *b)
{
	for (u32 i = 0; i < b->drop.n; i++)
		copy_page(b->page[i].to, b->page[i].from);
}

void batch_copy(struct batch *b)
{
	u64 before = count64(), between;

	shootdown(b->seen_by, mmu_drop_pages, &b->drop);
	between = count64();
	b->stats->answers += node_self()->asks.spent;
	copy(b);
	b->stats->shootdown += between - before;
	b->stats->copy += count64() - between;
}

void batch_note(const struct batch *b, u32 i)
{
	u32 node = b->node, from = (u32)memmap_node(b->page[i].from);
	struct ledger_arrival a = {
		.copy = b->page[i].to,
		.owner = b->vm->id,
		.gpn = b->drop.page[i],
		.from = from,
		.gain = latency_ns(node, from) - latency_ns(node, node),
		.loss = latency_ns(from, node) - latency_ns(from, from),
	};

	if (!heat_sees_local())
		a.before = heat_count(node, b->page[i].from);
	ledger_arrive(node, &a);
}

void batch_end(struct batch *b)
{
	pmap_settled(&b->vm->pmap);
	b->stats->pages += b->drop.n;
	b->stats->batches += b->drop.n != 0;
	b->stats->total += count64() - b->start;
}

/* The VM whose page it is, or whose copy of a shared one the node would get, and where it is in that. */
static struct vm *owner(mpn_t page, u32 node, gpn_t *gpn)
{
	const struct page *p = memmap_page(page);

	gpn->v = 0;
	if (share_is(page))
		return share_user_on(page, node, gpn);
	if (!p || p->state != PAGE_GUEST || p->owner >= nvms)
		return NULL;
	gpn->v = p->gpn;
	return vms[p->owner];
}

#define GPN_BITS 40

/* Pages in the order of their VMs and places in those, so that neighbours share locks and lines of memory. */
struct order {
	u64 key[BATCH_PAGES]; /* VM and guest page; NOBODY */
	mpn_t page[BATCH_PAGES];
	u32 n;
};

#define NOBODY (~0ul)

static void insert(struct order *o, u64 key, mpn_t page)
{
	u32 at = o->n++;

	for (; at && o->key[at - 1] > key; at--) {
		o->key[at] = o->key[at - 1];
		o->page[at] = o->page[at - 1];
	}
	o->key[at] = key;
	o->page[at] = page;
}

static void sort(struct order *o, u32 node, const mpn_t *pages, u32 n)
{
	o->n = 0;
	for (u32 i = 0; i < n; i++) {
		gpn_t gpn;
		const struct vm *vm = owner(pages[i], node, &gpn);

		insert(o, vm ? (u64)vm->id << GPN_BITS | gpn.v : NOBODY, pages[i]);
	}
}

unsigned batch_runs(u32 node, const mpn_t *pages, unsigned n, run_fn fn)
{
	struct order o;
	unsigned moved = 0, run;

	sort(&o, node, pages, MIN(n, (unsigned)BATCH_PAGES));
	for (unsigned i = 0; i < o.n && o.key[i] != NOBODY; i += run) {
		u64 vm = o.key[i] >> GPN_BITS;

		for (run = 1; i + run < o.n && run < MMU_DROP_PAGES; run++)
			if (o.key[i + run] >> GPN_BITS != vm)
				break;
		moved += TEXT_HERE(fn)(vms[vm], node, o.page + i, run);
		node_read_mail(node_self()); /* a run is as much as may come between two looks */
	}
	return moved;
}
