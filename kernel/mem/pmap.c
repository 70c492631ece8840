/* SPDX-License-Identifier: MIT */
/* pmap: "physical" to machine pages of a VM, and what each node sees of them. */
#include "arch/mips/arch.h"
#include "kernel/mem/memmap.h"
#include "kernel/options.h"
#include "kernel/mem/shootdown.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

size_t pmap_bytes(u32 npages)
{
	return npages * sizeof(struct pmap_page) + pmap_npairs(npages) * sizeof(bool);
}

size_t pmap_view_bytes(u32 npages)
{
	return npages * sizeof(struct pmap_entry) + pmap_npairs(npages) * sizeof(struct pmap_pair);
}

/*
 * Half a pair at the end of memory is broken from the start: behind it xsseg is the guest's TLB's,
 * whose entries a large pair would overlap.
 */
static void forget_pairs(struct pmap *p)
{
	for (u32 i = 0; i < pmap_npairs(p->npages); i++) {
		p->broken[i] = (i + 1) * PAIR_PAGES > p->npages;
		for (u32 node = 0; node < MAX_NODES; node++)
			if (p->view[node].entry)
				p->view[node].pairs[i] = (struct pmap_pair){ 0 };
	}
}

void pmap_init(struct pmap *p, void *storage, u32 npages)
{
	struct pmap_page *page = storage;

	*p = (struct pmap){ .lock = LOCK_INIT(RANK_PMAP),
			    .npages = npages,
			    .page = page,
			    .broken = (bool *)(page + npages) };
	forget_pairs(p);
}

void pmap_add_view(struct pmap *p, u32 node, void *storage)
{
	struct pmap_entry *entry = storage;

	p->view[node] = (struct pmap_view){ .entry = entry,
					    .pairs = (struct pmap_pair *)(entry + p->npages) };
}

/* ---- giving pages ---- */

void pmap_wait(struct pmap *p, gpn_t gpn)
{
	const u16 *busy = &p->page[gpn.v].busy;

	lock_assert(&p->lock);
	while (*busy) {
		lock_release(&p->lock);
		while (__atomic_load_n(busy, __ATOMIC_ACQUIRE)) {
			shootdown_answer(node_self());
			arch_yield();
		}
		lock_take(&p->lock);
	}
}

static bool is_whole(const struct pmap *p, u64 start)
{
	return !p->broken[start / PAIR_PAGES] && p->page[start].master;
}

void pmap_fill(struct vm *vm, gpn_t gpn, u32 node)
{
	struct pmap *p = &vm->pmap;
	struct pmap_view *view = &p->view[node];
	const struct pmap_page *page = &p->page[gpn.v];
	u64 start = ROUND_DOWN(gpn.v, BLOCK_PAGES), lo;

	lock_assert(&p->lock);
	if (page->replicas & BIT(node))
		return; /* the view is where that one is known */
	lo = arch_page_entry((mpn_t){ page->master });
	if (page->replicas)
		lo = arch_readonly_entry(lo);
	__atomic_store_n(&view->entry[gpn.v].lo, lo, __ATOMIC_RELEASE);
	if (option_on(OPTION_LARGE) && is_whole(p, start)) {
		mpn_t block = { p->page[start].master };

		view->pairs[start / PAIR_PAGES].lo[start / BLOCK_PAGES % 2] =
			view->alone ? arch_global_entry(block) : arch_page_entry(block);
	}
}

static void set(struct vm *vm, gpn_t gpn, mpn_t mpn)
{
	struct pmap *p = &vm->pmap;

	memmap_give(mpn, vm->id, gpn);
	p->used++;
	p->page[gpn.v] = (struct pmap_page){ .master = mpn.v };
}

/* Where a page goes that node uses first. */
static u32 place(const struct vm *vm, gpn_t gpn, u32 node)
{
	switch (numa_placement()) {
	case PLACE_FIRST_TOUCH: return node;
	case PLACE_ROUND_ROBIN: return gpn.v % nnodes;
	default: return vm->home->id;
	}
}

/* A whole block for the block that gpn lies in, if nothing of it was used yet. */
static bool give_block(struct vm *vm, gpn_t gpn, u32 node)
{
	struct pmap *p = &vm->pmap;
	u64 start = ROUND_DOWN(gpn.v, BLOCK_PAGES);
	mpn_t mpn;

	if (start + BLOCK_PAGES > p->npages || p->broken[start / PAIR_PAGES])
		return false;
	mpn = nodemem_alloc_block(place(vm, gpn, node));
	if (!mpn_valid(mpn))
		return false;
	for (u32 i = 0; i < BLOCK_PAGES; i++)
		set(vm, (gpn_t){ start + i }, (mpn_t){ mpn.v + i });
	for (u32 i = 0; i < BLOCK_PAGES; i++)
		pmap_fill(vm, (gpn_t){ start + i }, node);
	return true;
}

bool pmap_break(struct vm *vm, gpn_t gpn)
{
	struct pmap *p = &vm->pmap;
	u64 index = gpn.v / PAIR_PAGES;
	bool used = false;

	lock_assert(&p->lock);
	if (p->broken[index])
		return false;
	p->broken[index] = true;
	for (u32 node = 0; node < nnodes; node++) {
		struct pmap_pair *pair = &p->view[node].pairs[index];

		if (!p->view[node].entry || !(pair->lo[0] | pair->lo[1]))
			continue;
		pair->lo[0] = pair->lo[1] = 0;
		used = true;
	}
	return used;
}

static void give_page(struct vm *vm, gpn_t gpn, u32 node)
{
	mpn_t mpn = nodemem_alloc(place(vm, gpn, node));

	if (!mpn_valid(mpn))
		return;
	if (pmap_break(vm, gpn))
		shootdown_all(vm->node_mask);
	set(vm, gpn, mpn);
	pmap_fill(vm, gpn, node);
}

/* Blocks go to VMs whose pages all have one place: they are what large translations are made of. */
static bool by_blocks(const struct vm *vm)
{
	enum placement placement = numa_placement();

	return placement == PLACE_HOME ||
	       (placement == PLACE_FIRST_TOUCH && nodemask_is(vm->node_mask, vm->home->id));
}

/* First use of the view. The VM's pages were reserved when it started, so that running out here is
 * the monitor's own mistake. */
static u64 first_use(struct vm *vm, gpn_t gpn, u32 node)
{
	struct pmap *p = &vm->pmap;
	u64 lo;

	lock_take(&p->lock);
	pmap_wait(p, gpn);
	if (p->page[gpn.v].master)
		pmap_fill(vm, gpn, node);
	else if (!by_blocks(vm) || !give_block(vm, gpn, node))
		give_page(vm, gpn, node);
	lo = pmap_entry(p, gpn, node)->lo;
	lock_release(&p->lock);
	return lo;
}

u64 pmap_use(struct vm *vm, gpn_t gpn, u32 node)
{
	u64 lo;

	if (gpn.v >= vm->pmap.npages)
		return 0;
	lo = pmap_entry(&vm->pmap, gpn, node)->lo;
	return lo ? lo : first_use(vm, gpn, node);
}

u64 pmap_use_to_write(struct vm *vm, gpn_t gpn, u32 node)
{
	u64 lo = pmap_use(vm, gpn, node);

	if (!lo || arch_entry_writable(lo))
		return lo;
	lock_take(&vm->pmap.lock);
	pmap_wait(&vm->pmap, gpn);
	if (vm->pmap.page[gpn.v].replicas)
		numa_collapse(vm, gpn, node);
	pmap_fill(vm, gpn, node);
	lo = pmap_entry(&vm->pmap, gpn, node)->lo;
	lock_release(&vm->pmap.lock);
	return lo;
}

u64 pmap_look(struct vm *vm, gpn_t gpn, u32 node)
{
	if (gpn.v >= vm->pmap.npages || !vm->pmap.page[gpn.v].master)
		return 0;
	return pmap_use(vm, gpn, node);
}

/* ---- taking them all back ---- */

static void give_back(struct vm *vm, mpn_t mpn)
{
	memmap_take_back(mpn, vm->id);
	nodemem_free(mpn);
}

static void release_page(struct vm *vm, gpn_t gpn)
{
	struct pmap_page *page = &vm->pmap.page[gpn.v];

	for (u32 node = 0; node < MAX_NODES; node++) {
		if (!vm->pmap.view[node].entry)
			continue;
		if (page->replicas & BIT(node)) {
			give_back(vm, arch_entry_page(pmap_entry(&vm->pmap, gpn, node)->lo));
			nodemem_unreserve(1);
		}
		*pmap_entry(&vm->pmap, gpn, node) = (struct pmap_entry){ 0 };
	}
	if (page->master)
		give_back(vm, (mpn_t){ page->master });
	*page = (struct pmap_page){ 0 };
}

void pmap_release(struct vm *vm)
{
	struct pmap *p = &vm->pmap;

	lock_take(&p->lock);
	for (u32 i = 0; i < p->npages; i++) {
		pmap_wait(p, (gpn_t){ i }); /* it may be on its way to another node */
		release_page(vm, (gpn_t){ i });
	}
	p->used = 0;
	forget_pairs(p);
	lock_release(&p->lock);
}
