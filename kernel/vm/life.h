/* SPDX-License-Identifier: MIT */
/* The states of VMs, for those parts of their life that are not in life.c. */
#ifndef KERNEL_VM_LIFE_H
#define KERNEL_VM_LIFE_H

#include "kernel/vm/vm.h"

enum vm_event {
	VM_CREATES,
	VM_MADE,
	VM_DESTROYS,
	VM_GONE,
	VM_BEGINS,
	VM_LOADED,
	VM_PAUSES,
	VM_HALTED,
	VM_RESUMES,
	VM_ENDS,
	VM_EMPTY,
	VM_RELEASED,
	VM_EVENTS
};

/* All changes of state come here. vm->lock is held; a panic if the event cannot happen in the VM's state. */
void vm_change_locked(struct vm *vm, enum vm_event event);
void vm_call_nodes(const struct vm *vm); /* all that have a view of it look at their VCPUs, soon */
void vm_forget_request(struct vm *vm, enum vm_request request); /* if it is still that */

/* ---- pause.c; on home ---- */
void vm_pause(struct vm *vm);  /* nothing, unless it is RUNNING */
void vm_resume(struct vm *vm); /* nothing, unless it is PAUSING or PAUSED */
void vm_settle(struct vm *vm); /* PAUSED, if it is PAUSING and no VCPU is in a processor */

#endif /* KERNEL_VM_LIFE_H */
