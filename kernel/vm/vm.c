/* SPDX-License-Identifier: MIT */
/* VMs as they are made at boot, each from its description. Their life is life.c's. */
#include <string.h>
#include "kernel/mem/l2tlb.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

struct vm *vms[MAX_VMS];
unsigned nvms;

static void *boot_alloc(const struct vm_desc *d, u32 node, size_t bytes, size_t align)
{
	void *p = nodemem_boot_alloc(node, bytes, align);

	if (!p)
		panic("VM %s: node %u has no room for the monitor's part of it", d->label, node);
	return p;
}

/* The node of VCPU id of a VM with this home. */
static struct node *node_of(const struct vm_desc *d, struct node *home, u32 id)
{
	return d->nodes.n ? nodes[d->nodes.list[id % d->nodes.n]] : home;
}

static void *pmap_alloc(const struct vm_desc *d, u32 node, size_t bytes)
{
	void *p = boot_alloc(d, node, bytes, 128);

	magic_note_pmap(p, bytes);
	return p;
}

static struct l2tlb *l2tlb_alloc(const struct vm_desc *d, u32 node)
{
	struct l2tlb *l = boot_alloc(d, node, sizeof(*l), sizeof(*l));

	magic_note_l2tlb(l, sizeof(*l));
	l2tlb_flush(l);
	return l;
}

static struct vcpu *create_vcpu(struct vm *vm, u32 id, struct l2tlb *l2tlb)
{
	const struct vm_desc *d = vm->desc;
	struct node *n = node_of(d, vm->home, id);
	u32 node = n->id;
	struct vcpu *v = boot_alloc(d, node, sizeof(*v), 128);

	v->vm = vm;
	v->node = n;
	v->id = id;
	v->state = VCPU_OFFLINE;
	v->arch.cp0 = boot_alloc(d, node, sizeof(*v->arch.cp0), PAGE_SIZE);
	v->arch.l2tlb = l2tlb;
	v->arch.asid_map = boot_alloc(d, node, ASID_COUNT * sizeof(u64), 128);
	v->own_seat = v->seat = (struct seat){ v->arch.l2tlb, v->arch.asid_map, MPN_NONE };
	v->own_node = node;
	v->place = n;
	sched_add(v);
	return v;
}

/* The first node that the description names, else the one with the fewest VCPUs. */
static struct node *choose_home(const struct vm_desc *d)
{
	struct node *best = nodes[0];

	if (d->nodes.n)
		return nodes[d->nodes.list[0]];
	for (u32 i = 1; i < nnodes; i++)
		if (nodes[i]->nvcpus < best->nvcpus)
			best = nodes[i];
	return best;
}

/* What a VM costs the monitor on a node of its VCPUs, alignment included. */
static u64 monitor_bytes(const struct vm_desc *d, u32 vcpus)
{
	u64 vcpu = sizeof(struct vcpu) + sizeof(struct vcp0) + sizeof(struct l2tlb) +
		   ASID_COUNT * sizeof(u64) + 3 * PAGE_SIZE;
	u32 npages = d->memory_mb << (20 - PAGE_SHIFT);

	return pmap_bytes(npages) + pmap_view_bytes(npages) + devices_bytes(d) + vcpus * vcpu +
	       sizeof(struct l2tlb);
}

/* Does this machine have what vcpus of the description want of node n? The reason in why if not. */
static bool fits(const struct vm_desc *d, const struct node *n, u32 vcpus, char *why,
		 size_t why_size)
{
	u64 need = monitor_bytes(d, vcpus), left = nodemem_boot_left(n->id);

	if (n->nvcpus + vcpus > NODE_VCPUS) {
		ksnprintf(why, why_size, "/vms/%s: vcpus: found %u, node %u has %u of %u already",
			  d->name, vcpus, n->id, n->nvcpus, NODE_VCPUS);
		return false;
	}
	if (need > left) {
		ksnprintf(why, why_size,
			  "/vms/%s: memory-mb: found %u, which needs %lu KB of node %u's %lu left",
			  d->name, d->memory_mb, need >> 10, n->id, left >> 10);
		return false;
	}
	return true;
}

static bool is_possible(const struct vm_desc *d, char *why, size_t why_size)
{
	u32 vcpus[MAX_NODES] = { 0 };

	if (!d->valid) {
		ksnprintf(why, why_size, "%s", d->error);
		return false;
	}
	for (u32 i = 0; i < d->nodes.n; i++) {
		if (d->nodes.list[i] < nnodes)
			continue;
		ksnprintf(why, why_size, "/vms/%s: node: found %u, allowed 0..%u", d->name,
			  d->nodes.list[i], nnodes - 1);
		return false;
	}
	for (u32 i = 0; i < d->vcpus; i++)
		vcpus[node_of(d, choose_home(d), i)->id]++;
	for (u32 i = 0; i < nnodes; i++)
		if (vcpus[i] && !fits(d, nodes[i], vcpus[i], why, why_size))
			return false;
	return true;
}

/* L2TLBs first: aligned to their size, they lie one behind the other without room lost between them. */
static void create_vcpus(struct vm *vm)
{
	const struct vm_desc *d = vm->desc;
	struct l2tlb *l2tlb[ARRAY_SIZE(vm->vcpus)];

	for (u32 i = 0; i < d->vcpus; i++)
		l2tlb[i] = l2tlb_alloc(d, node_of(d, vm->home, i)->id);
	for (vm->nvcpus = 0; vm->nvcpus < d->vcpus; vm->nvcpus++)
		vm->vcpus[vm->nvcpus] = create_vcpu(vm, vm->nvcpus, l2tlb[vm->nvcpus]);
}

void vm_create(const struct vm_desc *d)
{
	struct vm *vm = boot_alloc(d, 0, sizeof(*vm), 128);
	u32 npages = d->memory_mb << (20 - PAGE_SHIFT);

	vm->id = nvms;
	vm->desc = d;
	vm->lock = (struct lock)LOCK_INIT(RANK_VM);
	vms[nvms++] = vm;
	strncpy(vm->name, d->valid ? d->label : d->name, sizeof(vm->name) - 1);
	if (!is_possible(d, vm->end, sizeof(vm->end))) {
		vm->state = VM_BROKEN;
		vm->home = nodes[0];
		log_line("vm", "disco.dtb: %s", vm->end);
		return;
	}
	vm->state = VM_STOPPED;
	vm->home = choose_home(d);
	vm->weight = d->weight;
	vm->cap = d->cap;
	for (u32 i = 0; i < d->vcpus; i++)
		nodemask_add(&vm->node_mask, node_of(d, vm->home, i)->id);
	pmap_init(&vm->pmap, pmap_alloc(d, vm->home->id, pmap_bytes(npages)), npages);
	for_each_node(i, vm->node_mask)
		pmap_add_view(&vm->pmap, i, pmap_alloc(d, i, pmap_view_bytes(npages)));
	devices_create(vm, boot_alloc(d, vm->home->id, devices_bytes(d), PAGE_SIZE));
	create_vcpus(vm);
}

struct vm *vm_find(const char *name)
{
	for (unsigned i = 0; i < nvms; i++)
		if (!strcmp(vms[i]->name, name))
			return vms[i];
	return NULL;
}
