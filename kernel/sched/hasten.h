/* SPDX-License-Identifier: MIT */
/*
 * VCPUs that go first because others of their VM wait for them: who asks, and who is asked. What is decided is direct.h's. Only the
 * node itself calls these.
 */
#ifndef KERNEL_SCHED_HASTEN_H
#define KERNEL_SCHED_HASTEN_H

#include "kernel/node.h"

/* node->hasten: a VM's number, then a VCPU's, and that there is one. A name, not a pointer: the VM may be gone when it is read. */
#define HASTEN_SOMEBODY	    BIT(16)
#define HASTEN_VM_SHIFT	    8
#define HASTEN(vm_id, vcpu) ((u32)(HASTEN_SOMEBODY | (vm_id) << HASTEN_VM_SHIFT | (vcpu)))

/* v, which runs, waits for another VCPU of its VM, which has two at least: one of them is looked at, and may be asked for. */
void hasten_one(struct vcpu *v);
/* v, of a gang, begins to run: so are all others. */
void hasten_gang(const struct vcpu *v);
/* Others have asked for a VCPU of this node: it is preferred, if it may be; after states were updated. */
void hasten_serve(struct node *n);

#endif /* KERNEL_SCHED_HASTEN_H */
