/* SPDX-License-Identifier: MIT */
/* The life of VMs: made at boot, started, ended, their memory given back. Guest images are
 * loader.c's. */
#include <string.h>
#include "kernel/errno.h"
#include "kernel/console/console.h"
#include "kernel/mem/l2tlb.h"
#include "kernel/vm/loader.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/sched/sched.h"
#include "kernel/mem/shootdown.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

struct vm *vms[MAX_VMS];
unsigned nvms;

/* ---- making ---- */

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

static struct vcpu *create_vcpu(struct vm *vm, u32 id)
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
	v->arch.l2tlb = boot_alloc(d, node, sizeof(*v->arch.l2tlb), sizeof(*v->arch.l2tlb));
	v->arch.asid_map = boot_alloc(d, node, ASID_COUNT * sizeof(u64), 128);
	l2tlb_flush(v->arch.l2tlb);
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
	u64 vcpu = sizeof(struct vcpu) + sizeof(struct vcp0) + 2 * sizeof(struct l2tlb) +
		   ASID_COUNT * sizeof(u64) + 2 * PAGE_SIZE;
	u32 npages = d->memory_mb << (20 - PAGE_SHIFT);

	return pmap_bytes(npages) + pmap_view_bytes(npages) + devices_bytes(d) + vcpus * vcpu;
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
	for (u32 i = 0; i < d->vcpus; i++)
		nodemask_add(&vm->node_mask, node_of(d, vm->home, i)->id);
	pmap_init(&vm->pmap, boot_alloc(d, vm->home->id, pmap_bytes(npages), 128), npages);
	for_each_node(i, vm->node_mask)
		pmap_add_view(&vm->pmap, i, boot_alloc(d, i, pmap_view_bytes(npages), 128));
	devices_create(vm, boot_alloc(d, vm->home->id, devices_bytes(d), DEVICE_ALIGN));
	for (vm->nvcpus = 0; vm->nvcpus < d->vcpus; vm->nvcpus++)
		vm->vcpus[vm->nvcpus] = create_vcpu(vm, vm->nvcpus);
}

struct vm *vm_find(const char *name)
{
	for (unsigned i = 0; i < nvms; i++)
		if (!strcmp(vms[i]->name, name))
			return vms[i];
	return NULL;
}

/* ---- starting and ending ---- */

static bool has_node_alone(const struct vm *vm, const struct node *n)
{
	for (u32 i = 0; i < n->nvcpus; i++)
		if (n->vcpus[i]->vm != vm)
			return false;
	return true;
}

/* Replicas are memory that somebody else may have. */
static bool reserve(u64 pages)
{
	bool done;

	if (!nodemem_reserve(pages))
		return true;
	numa_reclaim();
	done = !nodemem_reserve(pages);
	numa_reclaim_end();
	return done;
}

static void start(struct vm *vm)
{
	struct vcpu_boot boot = { .a0 = (u64)-2 };
	char why[VMDESC_ERROR_BYTES];

	if (!reserve(vm->pmap.npages)) {
		log_line("vm",
			 "%s not started: disco.dtb: /vms/%s: memory-mb: found %u, allowed 4..%lu (left for VMs)",
			 vm->name, vm->desc->name, vm->desc->memory_mb,
			 nodemem_unreserved() >> (20 - PAGE_SHIFT));
		return;
	}
	vm->end[0] = '\0';
	for (u32 i = 0; i < nnodes; i++)
		pmap_set_alone(&vm->pmap, i, has_node_alone(vm, nodes[i]));
	if (loader_load(vm, &boot.pc, &boot.a1, why, sizeof(why))) {
		pmap_release(vm);
		nodemem_unreserve(vm->pmap.npages);
		log_line("vm", "%s not started: disco.dtb: /vms/%s: %s", vm->name, vm->desc->name,
			 why);
		return;
	}
	devices_reset(vm);
	vcpu_start(vm->vcpus[0], &boot);
	__atomic_store_n(&vm->state, VM_RUNNING, __ATOMIC_RELEASE); /* input may come from now on */
	log_line("vm", "%s started: %u MB, %u VCPU%s", vm->name, vm->desc->memory_mb, vm->nvcpus,
		 vm->nvcpus == 1 ? "" : "s");
}

static void end(struct vm *vm, const char *why)
{
	lock_take(&vm->lock);
	if (!vm->end[0])
		strncpy(vm->end, why, sizeof(vm->end) - 1);
	if (vm->state == VM_RUNNING)
		__atomic_store_n(&vm->state, VM_STOPPING, __ATOMIC_RELEASE);
	lock_release(&vm->lock);
	for_each_node(i, vm->node_mask)
		node_resched(nodes[i]);
}

void vm_kill(struct vm *vm, const char *why)
{
	char line[sizeof(vm->end)];

	ksnprintf(line, sizeof(line), "killed: %s", why);
	end(vm, line);
}

void vm_poweroff(struct vm *vm, u64 code)
{
	char line[sizeof(vm->end)];

	ksnprintf(line, sizeof(line), "powered off, code %lu", code);
	end(vm, line);
}

/* The request is for when it has stopped; one from the prompt goes before a guest's. */
void vm_reset(struct vm *vm)
{
	u32 nothing = VM_NOTHING;

	__atomic_compare_exchange_n(&vm->request, &nothing, VM_RESET, false, __ATOMIC_ACQ_REL,
				    __ATOMIC_RELAXED);
	end(vm, "reset");
}

/*
 * The last VCPU is gone, on this node: nothing of the VM may stay in any TLB before its pages go to
 * others. From STOPPED on it is home's again.
 */
static void finish(struct vm *vm)
{
	shootdown_all(vm->node_mask);
	pmap_release(vm);
	nodemem_unreserve(vm->pmap.npages);
	devices_shutdown(vm);
	log_line("vm", "%s %s", vm->name, vm->end);
	console_vm_ended(vm);
	__atomic_store_n(&vm->state, VM_STOPPED, __ATOMIC_RELEASE);
	node_resched(vm->home); /* it may be asked to start it again */
}

/* How many of the VM's are left. */
static u32 leave(struct vcpu *v)
{
	arch_vcpu_retire(v);
	if (v->node->current == v)
		v->node->current = NULL;
	__atomic_store_n(&v->state, VCPU_OFFLINE, __ATOMIC_RELEASE); /* it can be started again */
	return __atomic_sub_fetch(&v->vm->live, 1, __ATOMIC_ACQ_REL);
}

void vm_retire_vcpu(struct vcpu *v)
{
	if (leave(v) == 0)
		finish(v->vm);
}

/* The lock: of two that stop at once, one must see that it is the last. */
bool vm_stop_vcpu(struct vcpu *v)
{
	struct vm *vm = v->vm;
	bool last;

	lock_take(&vm->lock);
	last = __atomic_load_n(&vm->live, __ATOMIC_ACQUIRE) == 1;
	if (!last && leave(v) == 0) /* the VM was ending */
		finish(vm);
	lock_release(&vm->lock);
	return !last;
}

void vm_request(struct vm *vm, enum vm_request request)
{
	__atomic_store_n(&vm->request, request, __ATOMIC_RELEASE);
	node_resched(vm->home);
}

/* The request is done, unless another has taken its place. Only now: a VM being loaded has not
 * ended. */
static void served(struct vm *vm, u32 request)
{
	__atomic_compare_exchange_n(&vm->request, &request, VM_NOTHING, false, __ATOMIC_ACQ_REL,
				    __ATOMIC_RELAXED);
}

/* One step of what was asked; a RESET stays until the VM has stopped and started again. */
static void serve(struct vm *vm)
{
	switch (__atomic_load_n(&vm->request, __ATOMIC_ACQUIRE)) {
	case VM_START:
		if (vm->state == VM_STOPPED)
			start(vm);
		served(vm, VM_START);
		break;
	case VM_STOP:
		if (vm->state == VM_RUNNING)
			end(vm, "stopped");
		served(vm, VM_STOP);
		break;
	case VM_RESET:
		if (vm->state == VM_RUNNING) {
			end(vm, "reset");
		} else if (vm->state == VM_STOPPED) {
			start(vm);
			served(vm, VM_RESET);
		}
		break;
	default: break;
	}
}

void vm_service(struct node *n)
{
	for (unsigned i = 0; i < nvms; i++)
		if (vms[i]->request != VM_NOTHING && vms[i]->home == n &&
		    vms[i]->state != VM_BROKEN)
			serve(vms[i]);
}

bool vms_all_ended(void)
{
	for (unsigned i = 0; i < nvms; i++)
		if (vms[i]->request != VM_NOTHING || vms[i]->state == VM_RUNNING ||
		    vms[i]->state == VM_STOPPING)
			return false;
	return true;
}

/* ---- guest memory ---- */

/* Whose view the monitor looks through: this node's, if a VCPU of the VM may be running here. */
static u32 view_of(const struct vm *vm)
{
	u32 here = node_self()->id;

	return nodemask_has(vm->node_mask, here) ? here : vm->home->id;
}

static int copy(struct vm *vm, gpa_t gpa, void *buf, size_t len, bool out)
{
	u8 *b = buf;

	if (gpa.v + len < gpa.v || gpa.v + len > (u64)vm->pmap.npages << PAGE_SHIFT)
		return -EFAULT;
	while (len) {
		size_t part = MIN(len, PAGE_SIZE - (gpa.v & PAGE_MASK));
		u64 lo = out ? pmap_use_to_write(vm, gpa_gpn(gpa), view_of(vm))
			     : pmap_use(vm, gpa_gpn(gpa), view_of(vm));
		u8 *page;

		if (!lo)
			return -EFAULT;
		page = (u8 *)mpn_ptr(arch_entry_page(lo)) + (gpa.v & PAGE_MASK);
		memcpy(out ? page : b, out ? b : page, part);
		gpa.v += part;
		b += part;
		len -= part;
	}
	return 0;
}

int vm_copy_in(struct vm *vm, void *to, gpa_t from, size_t len)
{
	return copy(vm, from, to, len, false);
}

int vm_copy_out(struct vm *vm, gpa_t to, const void *from, size_t len)
{
	return copy(vm, to, (void *)from, len, true);
}
