/* SPDX-License-Identifier: MIT */
/* VMs as they are at boot, each from its description. Their life is make.c's and life.c's. */
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

/* VCPUs of the VMs so far that are made at boot. */
static u32 described[MAX_NODES];

/* The first node that the description names, else the one with the fewest VCPUs. */
static struct node *choose_home(const struct vm_desc *d)
{
	u32 best = 0;

	for (u32 i = 1; i < nnodes; i++)
		if (described[i] < described[best])
			best = i;
	if (d->nodes.n)
		best = d->nodes.list[0];
	for (u32 i = 0; i < d->vcpus && !d->on_demand; i++)
		described[d->nodes.n ? d->nodes.list[i % d->nodes.n] : best]++;
	return nodes[best];
}

static bool is_possible(const struct vm_desc *d, char *why, size_t why_size)
{
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
	return true;
}

void vm_describe(const struct vm_desc *d)
{
	struct vm *vm = boot_alloc(d, 0, sizeof(*vm), 128);

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
	vm->state = VM_ABSENT;
	vm->home = choose_home(d);
	devices_create(vm, boot_alloc(d, vm->home->id, devices_bytes(d), PAGE_SIZE));
}

struct vm *vm_find(const char *name)
{
	for (unsigned i = 0; i < nvms; i++)
		if (!strcmp(vms[i]->name, name))
			return vms[i];
	return NULL;
}
