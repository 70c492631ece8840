/* SPDX-License-Identifier: MIT */
/* Views of a VM that nodes gain and lose as its VCPUs come and go: the table in pmap.h. */
#include "arch/mips/arch.h"
#include "kernel/errno.h"
#include "kernel/mem/memmap.h"
#include "kernel/mem/pmap_state.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

static u32 nwords_of_windows(u32 npages)
{
	return (npages + PMAP_WINDOWS_WORD - 1) / PMAP_WINDOWS_WORD;
}

/*
 * The nodes' memories begin alike, and so does what is allocated there: entries of one page by eight views would be in the same two places of the
 * cache of whoever takes the page out of all of them. So the entries of neighbouring nodes begin PMAP_SHOWN pages apart.
 */
#define SKEW_NODES 8u
#define SKEW_BYTES (PMAP_SHOWN * sizeof(struct pmap_entry))

size_t pmap_view_bytes(u32 npages)
{
	return sizeof(struct fresh) + (SKEW_NODES - 1) * SKEW_BYTES +
	       npages * sizeof(struct pmap_entry) + pmap_nlarge(npages) * sizeof(u64) +
	       pmap_npieces(npages) * sizeof(u64) + nwords_of_windows(npages) * sizeof(u64);
}

static u32 view_pages(const struct pmap *p)
{
	return (pmap_view_bytes(p->npages) + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/* The storage is zero, but for hints. */
static void open_view(struct pmap *p, u32 node)
{
	struct pmap_view *view = &p->view[node];
	struct fresh *fresh = view->storage;
	u64 skew = node % SKEW_NODES * SKEW_BYTES;
	struct pmap_entry *entry = (struct pmap_entry *)((u8 *)(fresh + 1) + skew);
	u64 *words = (u64 *)(entry + p->npages);

	view->fresh = fresh;
	view->large = words;
	view->held = words + pmap_nlarge(p->npages);
	view->windows = view->held + pmap_npieces(p->npages);
	view->entry = entry;
}

void pmap_add_view(struct pmap *p, u32 node, void *storage)
{
	p->view[node] = (struct pmap_view){ .storage = storage, .kept = MPN_NONE, .stays = true };
	open_view(p, node);
}

/* MPN_NONE: there is no memory. */
static mpn_t keep_storage(const struct pmap *p, u32 node)
{
	mpn_t kept = nodemem_keep(node, view_pages(p), 1);

	if (mpn_valid(kept))
		magic_note_pmap(mpn_ptr(kept), (u64)view_pages(p) << PAGE_SHIFT);
	return kept;
}

static void return_storage(const struct pmap *p, mpn_t kept)
{
	magic_note_guest(mpn_ptr(kept), (u64)view_pages(p) << PAGE_SHIFT);
	nodemem_return(kept, view_pages(p));
}

int pmap_make_view(struct vm *vm, u32 node)
{
	struct pmap *p = &vm->pmap;
	mpn_t kept = keep_storage(p, node);

	if (!mpn_valid(kept))
		return -ENOMEM;
	pmap_add_view(p, node, mpn_ptr(kept));
	p->view[node].kept = kept;
	__atomic_fetch_or(&vm->node_mask.bits, nodemask_of(node).bits, __ATOMIC_RELEASE);
	return 0;
}

void pmap_unmake_view(struct vm *vm, u32 node)
{
	struct pmap_view *view = &vm->pmap.view[node];

	if (mpn_valid(view->kept))
		return_storage(&vm->pmap, view->kept);
	*view = (struct pmap_view){ .kept = MPN_NONE };
}

/* Whoever had a lock of the VM's before has released it since. */
static void pass_all_locks(struct pmap *p)
{
	for (u32 i = 0; i < PMAP_RANGES; i++) {
		lock_take(&p->range[i].lock);
		lock_release(&p->range[i].lock);
	}
}

bool pmap_view_stays(const struct pmap *p, u32 node)
{
	return pmap_has_view(p, node) && p->view[node].stays;
}

int pmap_gain_view(struct vm *vm, u32 node)
{
	struct pmap *p = &vm->pmap;
	struct pmap_view *view = &p->view[node];

	view->going = false;
	if (view->entry)
		return 0;
	if (!view->storage) {
		view->kept = keep_storage(p, node);
		if (!mpn_valid(view->kept))
			return -ENOMEM;
		view->storage = mpn_ptr(view->kept);
	}
	open_view(p, node);
	pass_all_locks(p); /* who finds the node in the set has the lock after this */
	__atomic_fetch_or(&vm->node_mask.bits, nodemask_of(node).bits, __ATOMIC_RELEASE);
	return 0;
}

/* The node's replica goes; with the last one the page is writable again where it is seen. */
static void drop_replica_locked(struct vm *vm, gpn_t gpn, u32 node)
{
	struct pmap *p = &vm->pmap;
	struct pmap_page page = pmap_page(p, gpn);
	mpn_t copy = pmap_hide_locked(p, gpn, node);

	page.replicas &= ~nodemask_of(node).bits;
	pmap_change_locked(p, gpn, BIT(PMAP_REPLICATED), page);
	memmap_take_back(copy, vm->id);
	nodemem_free(copy);
	nodemem_unreserve(1);
	if (page.replicas)
		return;
	for_each_node(i, vm->node_mask)
		if (pmap_shown(p, gpn, i))
			pmap_fill_locked(vm, gpn, i);
}

/*
 * No VCPU of the VM is on the node, and what its TLB still has of the VM is under ASIDs that nobody has: so
 * nobody is to be asked before the replica goes.
 */
static void lose_page(struct vm *vm, gpn_t gpn, u32 node)
{
	struct pmap *p = &vm->pmap;

	if (!pmap_shown(p, gpn, node) && !nodemask_has(pmap_copies(p, gpn).replicas, node))
		return;
	pmap_wait_locked(p, gpn);
	if (nodemask_has(pmap_copies(p, gpn).replicas, node))
		drop_replica_locked(vm, gpn, node);
	pmap_hide_locked(p, gpn, node);
}

static void lose_range(struct vm *vm, struct pmap_view *view, u32 node)
{
	struct pmap *p = &vm->pmap;
	const gpn_t first = { view->lost };

	pmap_lock(p, first);
	do {
		lose_page(vm, (gpn_t){ view->lost }, node);
		view->entry[view->lost].back = 0;
		pmap_forget_windows(view, (gpn_t){ view->lost });
	} while (++view->lost < p->npages && view->lost % PMAP_RANGE_PAGES);
	pmap_unlock(p, first);
}

static void close_view(struct vm *vm, u32 node)
{
	struct pmap *p = &vm->pmap;
	struct pmap_view *view = &p->view[node];
	const struct pmap_view was = *view;

	__atomic_fetch_and(&vm->node_mask.bits, ~nodemask_of(node).bits, __ATOMIC_RELEASE);
	pass_all_locks(p); /* nobody looks at it any more */
	for (u32 i = 0; i < pmap_npieces(p->npages); i++)
		view->held[i] = 0;
	*view = (struct pmap_view){ .kept = MPN_NONE };
	if (was.stays)
		*view = (struct pmap_view){ .kept = was.kept,
					    .stays = true,
					    .storage = was.storage };
	else if (mpn_valid(was.kept))
		return_storage(p, was.kept);
}

#define LOSE_RANGES 4 /* of 512 pages: 60,000 instructions if all of them are shown */

bool pmap_lose_view_step(struct vm *vm, u32 node)
{
	struct pmap_view *view = &vm->pmap.view[node];

	if (!view->entry)
		return true;
	if (!view->going)
		view->lost = 0;
	view->going = true;
	for (u32 i = 0; i < LOSE_RANGES && view->lost < vm->pmap.npages; i++)
		lose_range(vm, view, node);
	if (view->lost < vm->pmap.npages)
		return false;
	close_view(vm, node);
	return true;
}
