/* SPDX-License-Identifier: MIT */
/*
 * VMs that stand still for a while, and go on.
 *
 * A processor that is about to enter a VCPU says RUNNING, then looks whether the VM is held (kernel/sched/sched.c); home
 * says PAUSING, then looks whether a VCPU is RUNNING. With a fence in both one of the two sees what the other has said.
 * So when home has found none, no instruction of the guest is carried out any more, and count64 of that moment is no less than
 * any that the guest has seen: there its clock stands still, if its description says time-stops.
 */
#include "kernel/log.h"
#include "kernel/vm/life.h"

static bool runs_somewhere(const struct vm *vm)
{
	for (u32 i = 0; i < vm->nvcpus; i++)
		if (vcpu_state(vm->vcpus[i]) == VCPU_RUNNING)
			return true;
	return false;
}

void vm_pause(struct vm *vm)
{
	lock_take(&vm->lock);
	if (vm->state == VM_RUNNING) {
		vm_change_locked(vm, VM_PAUSES);
		vm_call_nodes(vm);
	}
	lock_release(&vm->lock);
}

void vm_settle(struct vm *vm)
{
	bool is_still;

	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* PAUSING is seen before VCPUs are looked at */
	if (vm_state(vm) != VM_PAUSING || runs_somewhere(vm))
		return;
	vm->paused = count64();
	vm->lag_base = vm->lag - vm->paused;
	lock_take(&vm->lock);
	is_still = vm->state == VM_PAUSING; /* else it ends, and the others of its nodes know */
	if (is_still && vm->desc->time_stops)
		__atomic_store_n(&vm->lag, LAG_STANDS, __ATOMIC_RELAXED);
	if (is_still)
		vm_change_locked(vm, VM_HALTED);
	lock_release(&vm->lock);
	if (is_still)
		log_line("vm", "%s paused", vm->name);
}

void vm_resume(struct vm *vm)
{
	u64 now = count64(), ms = 0;
	bool was_still;

	lock_take(&vm->lock);
	was_still = vm->state == VM_PAUSED;
	if (was_still)
		ms = (now - vm->paused) / COUNT_MS;
	if (was_still && vm->desc->time_stops)
		__atomic_store_n(&vm->lag, vm->lag_base + now, __ATOMIC_RELAXED);
	if (was_still || vm->state == VM_PAUSING) {
		vm_change_locked(vm, VM_RESUMES);
		vm_call_nodes(vm);
	}
	lock_release(&vm->lock);
	if (was_still)
		log_line("vm", "%s resumed after %lu ms, %s", vm->name, ms,
			 vm->desc->time_stops ? "which it knows nothing of"
					      : "which its clock has gone on");
}
