/* SPDX-License-Identifier: MIT */
/* VMs that are made and taken apart: the table in make.h. */
#include "kernel/vm/make.h"
#include "kernel/errno.h"
#include "kernel/log.h"
#include "kernel/mem/l2tlb.h"
#include "kernel/options.h"
#include "kernel/reloc/patch.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/life.h"
#include "kernel/vm/move.h"

#define MAP_BYTES    (ASID_COUNT * sizeof(u64))
#define L2TLB_PAGES  (sizeof(struct l2tlb) >> PAGE_SHIFT)
#define PAGES(bytes) ((u32)(((bytes) + PAGE_SIZE - 1) >> PAGE_SHIFT))

/* What a VCPU has in its own node's memory beside its L2TLB. */
struct place {
	struct vcp0 cp0;
	u64 asid_map[ASID_COUNT];
	struct vcpu vcpu;
	mpn_t at, l2tlb; /* the pages of this, and of the L2TLB */
};
#define PLACE_PAGES PAGES(sizeof(struct place))

_Static_assert(sizeof(struct vcp0) == PAGE_SIZE, "the special page is a page");

/* VMs that are MAKING or UNMAKING; atomically. */
static u32 under_way;

static struct node *node_of(const struct vm *vm, u32 id)
{
	const struct vm_desc *d = vm->desc;

	return d->nodes.n ? nodes[d->nodes.list[id % d->nodes.n]] : vm->home;
}

static struct nodemask load(const struct nodemask *mask)
{
	struct nodemask now;

	__atomic_load(mask, &now, __ATOMIC_ACQUIRE);
	return now;
}

static void set(struct nodemask *mask, u32 node)
{
	__atomic_fetch_or(&mask->bits, nodemask_of(node).bits, __ATOMIC_RELEASE);
}

static void clear(struct nodemask *mask, u32 node)
{
	__atomic_fetch_and(&mask->bits, ~nodemask_of(node).bits, __ATOMIC_RELEASE);
}

static void change(struct vm *vm, enum vm_event event)
{
	lock_take(&vm->lock);
	vm_change_locked(vm, event);
	lock_release(&vm->lock);
}

/* ---- making ---- */

/* The first reason counts. */
static void refuse(struct vm *vm, const char *why)
{
	lock_take(&vm->lock);
	if (!vm->making.refused)
		ksnprintf(vm->end, sizeof(vm->end), "/vms/%s: %s", vm->desc->name, why);
	vm->making.refused = true;
	lock_release(&vm->lock);
}

static void refuse_memory(struct vm *vm, u32 node, u32 pages)
{
	char why[VMDESC_ERROR_BYTES];

	ksnprintf(why, sizeof(why), "memory-mb: found %u, which needs %u KB of node %u's %lu left",
		  vm->desc->memory_mb, pages << (PAGE_SHIFT - 10), node,
		  nodemem_free_pages(node) << (PAGE_SHIFT - 10));
	refuse(vm, why);
}

static void make_pmap(struct vm *vm)
{
	u32 npages = vm->desc->memory_mb << (20 - PAGE_SHIFT), pages = PAGES(pmap_bytes(npages));
	mpn_t kept = nodemem_keep(vm->home->id, pages, 1);

	if (!mpn_valid(kept)) {
		refuse_memory(vm, vm->home->id, pages);
		return;
	}
	magic_note_pmap(mpn_ptr(kept), (u64)pages << PAGE_SHIFT);
	pmap_init(&vm->pmap, mpn_ptr(kept), npages);
	vm->making.pmap = kept;
}

/* Of what is patched in its kernel while that runs; 0: nothing is. check=1 knows nothing of it. */
static size_t patch_storage(const struct vm_desc *d)
{
	if (!d->rewrite || d->unpatched || d->vcpus != 1 || !option_on(OPTION_PATCH) ||
	    option_check())
		return 0;
	return patch_bytes(d->memory_mb << (20 - PAGE_SHIFT));
}

#define PATCH_PAGES PAGES(sizeof(struct patch)) /* what it has begins on the next page */

static u32 patch_pages(const struct vm_desc *d)
{
	size_t bytes = patch_storage(d);

	return bytes ? PATCH_PAGES + PAGES(bytes) : 0;
}

static void make_patch(struct vm *vm)
{
	u32 pages = patch_pages(vm->desc);

	if (!pages)
		return;
	vm->making.patch = nodemem_keep(vm->home->id, pages, 1);
	if (!mpn_valid(vm->making.patch)) {
		refuse_memory(vm, vm->home->id, pages);
		return;
	}
	vm->patch = mpn_ptr(vm->making.patch);
	patch_init(vm->patch, mpn_ptr((mpn_t){ vm->making.patch.v + PATCH_PAGES }),
		   vm->desc->memory_mb << (20 - PAGE_SHIFT));
}

static bool make_view(struct vm *vm, u32 node)
{
	if (!pmap_make_view(vm, node)) {
		set(&vm->making.views, node);
		return true;
	}
	refuse_memory(vm, node, PAGES(pmap_view_bytes(vm->pmap.npages)));
	return false;
}

static bool make_vcpu(struct vm *vm, u32 id, struct node *n)
{
	mpn_t kept, tlb = nodemem_keep(n->id, L2TLB_PAGES, L2TLB_PAGES);
	struct place *p;
	struct vcpu *v;

	kept = mpn_valid(tlb) ? nodemem_keep(n->id, PLACE_PAGES, 1) : MPN_NONE;
	if (!mpn_valid(kept)) {
		if (mpn_valid(tlb))
			nodemem_return(tlb, L2TLB_PAGES);
		refuse_memory(vm, n->id, L2TLB_PAGES + PLACE_PAGES);
		return false;
	}
	p = mpn_ptr(kept);
	p->at = kept;
	p->l2tlb = tlb;
	v = &p->vcpu;
	v->vm = vm;
	v->node = v->place = n;
	v->id = id;
	v->state = VCPU_OFFLINE;
	v->arch.cp0 = &p->cp0;
	v->own_seat = v->seat = (struct seat){ mpn_ptr(tlb), p->asid_map, MPN_NONE };
	v->arch.l2tlb = v->seat.l2tlb;
	v->arch.asid_map = v->seat.asid_map;
	v->own_node = n->id;
	l2tlb_flush(v->arch.l2tlb);
	magic_note_l2tlb(v->arch.l2tlb, sizeof(*v->arch.l2tlb));
	sched_add(v);
	__atomic_fetch_add(&vm->making.queued, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&vm->vcpus[id], v, __ATOMIC_RELEASE);
	return true;
}

static bool has_places(struct vm *vm, const struct node *n)
{
	char why[VMDESC_ERROR_BYTES];
	u32 here = 0;

	for (u32 i = 0; i < vm->desc->vcpus; i++)
		here += node_of(vm, i) == n;
	if (n->nvcpus + n->nexpected + here <= NODE_VCPUS)
		return true;
	ksnprintf(why, sizeof(why), "vcpus: found %u, node %u has %u of %u already", here, n->id,
		  n->nvcpus + n->nexpected, NODE_VCPUS);
	refuse(vm, why);
	return false;
}

/* One step of the node's part. True: that is made, or refused. */
static bool make_part(struct vm *vm, struct node *n)
{
	if (!nodemask_has(load(&vm->making.views), n->id))
		return !has_places(vm, n) || !make_view(vm, n->id);
	for (u32 i = 0; i < vm->desc->vcpus; i++)
		if (node_of(vm, i) == n && !vm->vcpus[i])
			return !make_vcpu(vm, i, n);
	return true;
}

static void begin(struct vm *vm)
{
	vm->end[0] = '\0';
	vm->lag = 0;
	vm->weight = vm->desc->weight;
	vm->cap = vm->desc->cap;
	vm->making = (struct making){ .pmap = MPN_NONE, .patch = MPN_NONE };
	__atomic_fetch_add(&under_way, 1, __ATOMIC_RELAXED);
	change(vm, VM_CREATES);
}

/* Home's part, and then the others'. */
static void begin_parts(struct vm *vm)
{
	struct nodemask parts = NODEMASK_NONE;

	make_pmap(vm);
	make_patch(vm);
	for (u32 i = 0; !vm->making.refused && i < vm->desc->vcpus; i++)
		nodemask_add(&parts, node_of(vm, i)->id);
	__atomic_store(&vm->making.parts, &parts, __ATOMIC_RELEASE);
}

static void made(struct vm *vm)
{
	__atomic_store_n(&vm->nvcpus, vm->desc->vcpus, __ATOMIC_RELEASE);
	change(vm, VM_MADE);
	__atomic_fetch_sub(&under_way, 1, __ATOMIC_RELAXED);
}

void make_at_boot(struct vm *vm)
{
	begin(vm);
	begin_parts(vm);
	for_each_node(i, vm->making.parts)
		while (!make_part(vm, nodes[i]))
			;
	vm->making.parts = NODEMASK_NONE;
	if (vm->making.refused)
		log_line("vm", "disco.dtb: %s", vm->end);
	else
		made(vm);
}

void make_begin(struct vm *vm)
{
	begin(vm);
	begin_parts(vm);
	for_each_node(i, vm->making.parts)
		node_resched(nodes[i]);
}

static void serve_making(struct vm *vm, struct node *n)
{
	if (nodemask_has(load(&vm->making.parts), n->id)) {
		if (!make_part(vm, n)) {
			node_resched(n);
			return;
		}
		clear(&vm->making.parts, n->id);
		node_resched(vm->home);
	}
	if (n != vm->home || load(&vm->making.parts).bits)
		return;
	if (vm->making.refused) {
		log_line("vm", "%s not created: disco.dtb: %s", vm->name, vm->end);
		vm_forget_request(vm, VM_CREATE);
		change(vm, VM_DESTROYS);
		vm_call_nodes(vm);
		return;
	}
	made(vm);
	log_line("vm", "%s created", vm->name);
	node_resched(n); /* it may be asked to start */
}

/* ---- unmaking ---- */

void unmake_begin(struct vm *vm)
{
	vm->end[0] = '\0';
	__atomic_fetch_add(&under_way, 1, __ATOMIC_RELAXED);
	change(vm, VM_DESTROYS);
	vm_call_nodes(vm);
}

/* False: some of its VCPUs here are about to leave, or others to come. */
static bool take_vcpus(struct vm *vm, struct node *n)
{
	bool is_empty = true;

	for (u32 i = n->nvcpus; i-- > 0;) {
		struct vcpu *v = n->vcpus[i];

		if (v->vm != vm)
			continue;
		if (!move_never(v)) {
			is_empty = false;
			continue;
		}
		sched_put_off(v);
		sched_remove(v);
		__atomic_fetch_sub(&vm->making.queued, 1, __ATOMIC_RELEASE);
	}
	return is_empty && !sched_share(n, vm)->expected;
}

static void unmake_part(struct vm *vm, struct node *n)
{
	bool has_storage = nodemask_has(load(&vm->making.views), n->id);

	if (!take_vcpus(vm, n) || (!has_storage && !pmap_has_view(&vm->pmap, n->id)))
		return;
	if (!pmap_lose_view_step(vm, n->id)) {
		node_resched(n);
		return;
	}
	if (has_storage) {
		pmap_unmake_view(vm, n->id);
		clear(&vm->making.views, n->id);
	}
	moves_left(n);
	node_resched(vm->home);
}

/* Nobody finds it any more; who had found it before looks around once more. */
static void begin_to_pass(struct vm *vm)
{
	__atomic_store_n(&vm->nvcpus, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&vm->pmap.npages, 0, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (u32 i = 0; i < nnodes; i++)
		vm->making.looks[i] = __atomic_load_n(&nodes[i]->looks, __ATOMIC_ACQUIRE);
	vm->making.passing = true;
	for (u32 i = 0; i < nnodes; i++)
		if (nodes[i] != vm->home)
			node_resched(nodes[i]);
}

static bool all_have_passed(const struct vm *vm)
{
	for (u32 i = 0; i < nnodes; i++)
		if (nodes[i] != vm->home &&
		    __atomic_load_n(&nodes[i]->looks, __ATOMIC_ACQUIRE) == vm->making.looks[i])
			return false;
	return true;
}

static void give_back(struct vm *vm)
{
	for (u32 i = 0; i < vm->desc->vcpus; i++) {
		struct vcpu *v = vm->vcpus[i];
		const struct place *p;

		if (!v)
			continue;
		p = (const struct place *)((char *)v - offsetof(struct place, vcpu));
		vm->vcpus[i] = NULL;
		move_return_seat(v->seat);
		magic_note_guest(v->own_seat.l2tlb, sizeof(struct l2tlb));
		nodemem_return(p->l2tlb, L2TLB_PAGES);
		nodemem_return(p->at, PLACE_PAGES);
	}
	if (mpn_valid(vm->making.patch))
		nodemem_return(vm->making.patch, patch_pages(vm->desc));
	vm->patch = NULL;
	vm->making.patch = MPN_NONE;
	if (mpn_valid(vm->making.pmap)) {
		u32 pages = PAGES(pmap_bytes(vm->desc->memory_mb << (20 - PAGE_SHIFT)));

		magic_note_guest(mpn_ptr(vm->making.pmap), (u64)pages << PAGE_SHIFT);
		nodemem_return(vm->making.pmap, pages);
	}
	vm->making.pmap = MPN_NONE;
}

static void serve_unmaking(struct vm *vm, struct node *n)
{
	struct making *m = &vm->making;

	if (!m->passing && mpn_valid(m->pmap))
		unmake_part(vm, n);
	if (n != vm->home) {
		if (m->passing)
			node_resched(vm->home); /* this node has passed */
		return;
	}
	if (!m->passing && !__atomic_load_n(&m->queued, __ATOMIC_ACQUIRE) &&
	    !load(&vm->node_mask).bits && !load(&m->views).bits)
		begin_to_pass(vm);
	if (!m->passing || !all_have_passed(vm))
		return;
	give_back(vm);
	if (!m->refused)
		log_line("vm", "%s destroyed", vm->name);
	change(vm, VM_GONE);
	__atomic_fetch_sub(&under_way, 1, __ATOMIC_RELAXED);
	node_resched(n); /* it may be asked to make it again */
}

void make_serve(struct node *n)
{
	if (!__atomic_load_n(&under_way, __ATOMIC_RELAXED))
		return;
	for (u32 i = 0; i < nvms; i++)
		switch (vm_state(vms[i])) {
		case VM_MAKING: serve_making(vms[i], n); break;
		case VM_UNMAKING: serve_unmaking(vms[i], n); break;
		default: break;
		}
}
