/* SPDX-License-Identifier: MIT */
/*
 * The life of VMs: from a request to the guest's first instruction, and from the end of a guest until
 * all its memory has gone back. The states are vm.h's; this file alone changes them (vm_change_locked).
 *
 * A RESET, read downhill:
 *
 *   vm_reset       the guest's call, on the node of any VCPU: RUNNING -> STOPPING, and the request
 *   vm_service     each node takes its VCPUs out; with the last one STOPPING -> RELEASING
 *   vm_service     home has VCPU 0 come, and puts it on its run queue, as BUSY
 *   vm_work        when VCPU 0 is picked: pages go back, step by step; RELEASING -> STOPPED
 *   vm_service     home finds the request: STOPPED -> LOADING
 *   vm_work        when VCPU 0 is picked: images go in, step by step; LOADING -> RUNNING
 *
 * A step takes some 100,000 instructions at most. The scheduler gives the steps their time as if
 * VCPU 0 ran, so that loading and releasing are paid by the VM they are for.
 */
#include <string.h>
#include "drivers/dev.h"
#include "kernel/console/console.h"
#include "kernel/log.h"
#include "kernel/mem/shootdown.h"
#include "kernel/panic.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/life.h"
#include "kernel/vm/loader.h"
#include "kernel/vm/make.h"
#include "kernel/vm/move.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

/* ---- states ---- */

/* VM_BROKEN: the event cannot happen in that state. */
static const u8 next_state[VM_STATES][VM_EVENTS] = {
	[VM_ABSENT] = { [VM_CREATES] = VM_MAKING },
	[VM_MAKING] = { [VM_MADE] = VM_STOPPED, [VM_DESTROYS] = VM_UNMAKING },
	[VM_UNMAKING] = { [VM_GONE] = VM_ABSENT },
	[VM_STOPPED] = { [VM_BEGINS] = VM_LOADING, [VM_DESTROYS] = VM_UNMAKING },
	[VM_LOADING] = { [VM_LOADED] = VM_RUNNING, [VM_ENDS] = VM_RELEASING },
	[VM_RUNNING] = { [VM_PAUSES] = VM_PAUSING, [VM_ENDS] = VM_STOPPING },
	[VM_PAUSING] = { [VM_HALTED] = VM_PAUSED, [VM_RESUMES] = VM_RUNNING, [VM_ENDS] = VM_STOPPING },
	[VM_PAUSED] = { [VM_RESUMES] = VM_RUNNING, [VM_ENDS] = VM_STOPPING },
	[VM_STOPPING] = { [VM_ENDS] = VM_STOPPING, [VM_EMPTY] = VM_RELEASING },
	[VM_RELEASING] = { [VM_ENDS] = VM_RELEASING, [VM_RELEASED] = VM_STOPPED },
};

void vm_change_locked(struct vm *vm, enum vm_event event)
{
	u8 next = next_state[vm->state][event];

	if (next == VM_BROKEN)
		panic("VM %s: event %d in state %s", vm->name, event, vm_state_name(vm->state));
	__atomic_store_n(&vm->state, next, __ATOMIC_RELEASE);
}

static void change(struct vm *vm, enum vm_event event)
{
	lock_take(&vm->lock);
	vm_change_locked(vm, event);
	lock_release(&vm->lock);
}

const char *vm_state_name(enum vm_state s)
{
	static const char *const names[VM_STATES] = { "broken",	    "absent",	"creating",
						      "destroying", "stopped",	"loading",
						      "running",    "pausing",	"paused",
						      "stopping",   "releasing" };

	return names[s];
}

/* ---- requests ---- */

enum vm_request vm_requested(const struct vm *vm)
{
	return __atomic_load_n(&vm->request, __ATOMIC_ACQUIRE);
}

/* Takes the request's place with another; false: it is another already. */
static bool replace_request(struct vm *vm, u32 old, u32 new)
{
	return __atomic_compare_exchange_n(&vm->request, &old, new, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

/* Of those that are carried out at once, whatever becomes of it, and that no VM waits for to end or begin. */
static bool is_brief(enum vm_request request)
{
	return request == VM_NOTHING || request == VM_PAUSE || request == VM_RESUME;
}

void vm_request(struct vm *vm, enum vm_request request)
{
	u32 old;

	do {
		old = vm_requested(vm);
		if (is_brief(request) && !is_brief(old))
			return;
		if (request == VM_STOP && old == VM_DESTROY)
			return; /* it comes to its end by that */
	} while (!replace_request(vm, old, request));
	node_resched(vm->home);
}

bool vms_all_ended(void)
{
	for (unsigned i = 0; i < nvms; i++)
		if (vm_requested(vms[i]) != VM_NOTHING || vm_state(vms[i]) > VM_STOPPED)
			return false;
	return true;
}

/* ---- the end ---- */

void vm_forget_request(struct vm *vm, enum vm_request request)
{
	replace_request(vm, request, VM_NOTHING);
}

void vm_call_nodes(const struct vm *vm)
{
	for_each_node(i, vm->node_mask)
		node_resched(nodes[i]);
}

/* The VM ends, for the first reason that is given. vm->lock is held. */
static void end_locked(struct vm *vm, const char *why)
{
	if (!vm->end[0])
		strncpy(vm->end, why, sizeof(vm->end) - 1);
	vm_change_locked(vm, VM_ENDS);
	vm_call_nodes(vm);
}

static void end(struct vm *vm, const char *why)
{
	lock_take(&vm->lock);
	end_locked(vm, why);
	lock_release(&vm->lock);
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

#define RESETS_KEPT 8 /* in the log, and of those that follow the 16th, the 32nd, ... */

/* Not when the VM is ending already: somebody may have asked that it stop for good. */
void vm_reset(struct vm *vm)
{
	lock_take(&vm->lock);
	if (vm_is_up(vm)) {
		for (u32 old = vm_requested(vm); is_brief(old); old = vm_requested(vm))
			replace_request(vm, old, VM_RESET);
		vm->resets++;
		vm->passing = vm->resets > RESETS_KEPT && (vm->resets & (vm->resets - 1));
		end_locked(vm, "reset");
	}
	lock_release(&vm->lock);
}

/*
 * Asked for by a person, and told as that: a reset under way is none any more; of a VM that ended by
 * itself before it was stopped both are told.
 */
static void stop(struct vm *vm)
{
	char before[sizeof(vm->end)];

	lock_take(&vm->lock);
	if (vm->state > VM_STOPPED) {
		memcpy(before, vm->end, sizeof(before));
		vm->passing = false;
		if (!before[0] || !strcmp(before, "reset"))
			ksnprintf(vm->end, sizeof(vm->end), "stopped");
		else if (strncmp(before, "stopped", 7))
			ksnprintf(vm->end, sizeof(vm->end), "stopped (%s)", before);
		end_locked(vm, vm->end);
		lock_release(&vm->lock);
		return;
	}
	lock_release(&vm->lock);
	log_line("vm", "%s stopped", vm->name); /* before it started */
}

/* ---- VCPUs leave ---- */

/* On the VCPU's node. Returns how many of the VM's are left. */
static u32 take_out(struct vcpu *v)
{
	arch_vcpu_retire(v);
	if (v->node->current == v)
		v->node->current = NULL;
	vcpu_change(v, VCPU_OFFLINE); /* it can be started again */
	return __atomic_sub_fetch(&v->vm->live, 1, __ATOMIC_ACQ_REL);
}

/* The last VCPU has left: the rest is home's. vm->lock is held. */
static void empty_locked(struct vm *vm)
{
	vm_change_locked(vm, VM_EMPTY);
	node_resched(vm->home);
}

/* Of a VM that is STOPPING, which pays for it. */
static void retire(struct vcpu *v)
{
	struct vm *vm = v->vm;

	sched_pay(v->node, v);
	if (take_out(v) == 0) {
		lock_take(&vm->lock);
		empty_locked(vm);
		lock_release(&vm->lock);
	}
	sched_pay(v->node, NULL);
}

/* The lock: of two that stop at once, one must see that it is the last. */
bool vm_stop_vcpu(struct vcpu *v)
{
	struct vm *vm = v->vm;
	bool last;

	lock_take(&vm->lock);
	last = __atomic_load_n(&vm->live, __ATOMIC_ACQUIRE) == 1;
	if (!last && take_out(v) == 0) /* the VM was ending */
		empty_locked(vm);
	lock_release(&vm->lock);
	return !last;
}

/* ---- RELEASING ---- */

static void end_reclaim(struct progress *p)
{
	if (p->reclaiming)
		numa_reclaim_end();
	p->reclaiming = false;
}

/* One step. Nothing of the VM may stay in any TLB before its pages go to others. */
static void release_step(struct vm *vm)
{
	struct progress *p = &vm->progress;

	if (!p->flushed) {
		end_reclaim(p);
		devices_shutdown(vm);
		shootdown_all(vm->node_mask);
		p->flushed = true;
		return;
	}
	if (!devices_release_step(vm) || !pmap_release_step(vm, &p->next_page))
		return;
	if (p->reserved)
		nodemem_unreserve(pmap_end_promise(&vm->pmap));
	if (vm->end[0]) { /* else it was not started, which is told already */
		(vm->passing ? log_passing : log_line)("vm", "%s %s", vm->name, vm->end);
		console_vm_ended(vm, vm->end, vm_requested(vm) == VM_RESET);
	}
	vcpu_change(vm->vcpus[0], VCPU_OFFLINE);
	change(vm, VM_RELEASED);
	node_resched(vm->home); /* it may be asked to start it again */
}

/* ---- LOADING ---- */

static void begin(struct vm *vm)
{
	vm->end[0] = '\0';
	vm->lag = 0;
	vm->progress = (struct progress){ 0 };
	sched_welcome(vm->home, vm);
	change(vm, VM_BEGINS);
}

/* The reason is told now; the way back to STOPPED is silent. */
static void give_up(struct vm *vm, const char *why)
{
	log_line("vm", "%s not started: disco.dtb: /vms/%s: %s", vm->name, vm->desc->name, why);
	console_vm_ended(vm, "not started; log says why", false);
	change(vm, VM_ENDS);
}

/*
 * One step towards a promise of the VM's whole memory. If the machine has not so much, what nobody was
 * promised is taken back first: the memory of cached blocks of disks, then that of replicas.
 */
#define EVICTIONS_MAX 1024 /* steps: other VMs may fill the cache meanwhile */

static void reserve_step(struct vm *vm)
{
	struct progress *p = &vm->progress;
	char why[VMDESC_ERROR_BYTES];
	bool last = false;

	if (p->reclaiming)
		last = numa_reclaim_step(&p->reclaim);
	p->reserved = !nodemem_reserve(vm->pmap.npages);
	if (!p->reserved && !p->reclaiming && p->evictions++ < EVICTIONS_MAX &&
	    disks_reclaim_step())
		return;
	if (!p->reserved && !p->reclaiming) {
		numa_reclaim_begin(&p->reclaim);
		p->reclaiming = true;
		return;
	}
	if (!p->reserved && !last)
		return;
	end_reclaim(p);
	if (p->reserved)
		return;
	ksnprintf(why, sizeof(why), "memory-mb: found %u, allowed 4..%lu (left for VMs)",
		  vm->desc->memory_mb, nodemem_unreserved() >> (20 - PAGE_SHIFT));
	give_up(vm, why);
}

static void run(struct vm *vm)
{
	struct vcpu_boot boot = { .pc = vm->progress.load.entry,
				  .a0 = (u64)-2,
				  .a1 = vm->progress.load.tree };
	bool passing = vm->passing;

	vm->passing = false; /* LOADING: nobody else but stop(), which does the same */
	devices_reset(vm);
	vcpu_change(vm->vcpus[0], VCPU_OFFLINE);
	vcpu_start(vm->vcpus[0], &boot);
	vcpu_move(vm->vcpus[0], vm->vcpus[0]->place, true);
	change(vm, VM_LOADED); /* input may come from now on */
	(passing ? log_passing : log_line)("vm", "%s started: %u MB, %u VCPU%s", vm->name,
					   vm->desc->memory_mb, vm->nvcpus,
					   vm->nvcpus == 1 ? "" : "s");
}

static void load_step(struct vm *vm)
{
	struct progress *p = &vm->progress;
	char why[VMDESC_ERROR_BYTES];
	int left;

	if (!p->reserved) {
		reserve_step(vm);
		return;
	}
	left = p->begun ? loader_step(vm, &p->load, why, sizeof(why))
			: loader_begin(vm, &p->load, why, sizeof(why));
	if (left < 0)
		give_up(vm, why);
	else if (!left)
		run(vm);
	p->begun = true;
}

bool vm_work(struct vm *vm)
{
	if (vm_state(vm) == VM_LOADING)
		load_step(vm);
	else
		release_step(vm);
	return vm_state(vm) == VM_LOADING || vm_state(vm) == VM_RELEASING;
}

/* ---- each node's look at its VMs and VCPUs ---- */

/*
 * START, RESET, CREATE and DESTROY stay until the VM has stopped, and is made. They are forgotten when its state says what comes: a STOPPED
 * VM of which nothing is requested has ended, and the machine is off when all have (vms_all_ended, on any node).
 */
static void serve_stopped(struct vm *vm, enum vm_request request)
{
	if (request == VM_DESTROY)
		unmake_begin(vm);
	else if (request != VM_CREATE || !vm->desc->manual)
		begin(vm);
	vm_forget_request(vm, request);
}

static void serve_request(struct vm *vm)
{
	enum vm_request request = vm_requested(vm);
	enum vm_state state = vm_state(vm);
	bool is_up = vm_is_up(vm);

	switch (request) {
	case VM_NOTHING: return;
	case VM_PAUSE: vm_pause(vm); break;
	case VM_RESUME: vm_resume(vm); break;
	case VM_STOP: stop(vm); break;
	default:
		if (state == VM_STOPPED) {
			serve_stopped(vm, request);
			return;
		}
		if (state == VM_ABSENT && request == VM_CREATE)
			make_begin(vm);
		else if (state == VM_MAKING || state == VM_UNMAKING)
			return; /* then */
		else if (state == VM_ABSENT)
			break; /* there is nothing to start, or to take apart */
		else if (request == VM_RESET && is_up)
			end(vm, "reset");
		else if (request == VM_DESTROY && (is_up || state == VM_LOADING))
			stop(vm);
		if (!is_up || request == VM_RESET || request == VM_DESTROY)
			return;
	}
	vm_forget_request(vm, request);
}

static void serve_vm(struct vm *vm)
{
	struct vcpu *worker;
	enum vm_state state;

	serve_request(vm);
	vm_settle(vm);
	state = vm_state(vm);
	if (state != VM_LOADING && state != VM_RELEASING)
		return;
	worker = vm->vcpus[0];
	if (vcpu_state(worker) != VCPU_OFFLINE)
		return;
	if (vcpu_is_on(worker, vm->home))
		vcpu_change(worker, VCPU_BUSY);
	else
		vcpu_move(worker, vm->home, true); /* or later, if it is on its way somewhere */
}

/*
 * One part of what its devices have to do; if there is more, this node will be back, at once or when others who want to
 * run have had as much: a guest that always has more to do has no more of the node for it.
 */
static void serve_devices(struct vm *vm)
{
	struct node *n = vm->home;
	struct vcpu *first;
	bool here;

	if (!vm_is_up(vm) || !devices_have_work(vm) || !sched_may_work(n, vm))
		return;
	first = vm->vcpus[0];
	here = vcpu_is_on(first, n);
	sched_pay(n, here ? first : NULL);
	devices_work(vm);
	if (here)
		sched_pay(n, NULL);
	else
		sched_charge(n, vm);
	if (devices_have_work(vm))
		node_resched(n);
}

void vm_service(struct node *n)
{
	for (unsigned i = 0; i < nvms; i++)
		if (vms[i]->home == n && vm_state(vms[i]) != VM_BROKEN) {
			serve_vm(vms[i]);
			serve_devices(vms[i]);
		}
	make_serve(n);
	for (u32 i = 0; i < n->nvcpus; i++) {
		struct vcpu *v = n->vcpus[i];

		if (vcpu_state(v) == VCPU_STARTING) {
			sched_pay(n, v);
			vcpu_serve_start(v);
			sched_pay(n, NULL);
			node_read_mail(n);
		}
		if (vcpu_state(v) >= VCPU_READY && vm_state(v->vm) == VM_STOPPING)
			retire(v);
		vcpu_catch_up(v);
		if (vm_state(v->vm) == VM_PAUSING && v->vm->home != n)
			node_resched(v->vm->home); /* none of this node is RUNNING */
	}
}
