/* SPDX-License-Identifier: MIT */
/*
 * A virtual machine. Made once for each description, started and stopped any number of times. Its
 * VCPUs live on one node or on several; VCPU 0's is its home, which starts it; everybody else asks
 * home with vm_request. Each node retires its own VCPUs.
 *
 *   state      VCPUs             memory    leaves it by
 *   BROKEN     none              none      never: its description is wrong, or does not fit
 *   STOPPED    all OFFLINE       none      request START or RESET: RUNNING
 *   RUNNING    some not OFFLINE  given     power-off, kill, request STOP or RESET: STOPPING
 *   STOPPING   going OFFLINE     given     the last one OFFLINE: STOPPED
 */
#ifndef KERNEL_VM_VM_H
#define KERNEL_VM_VM_H

#include "kernel/lock.h"
#include "kernel/mem/pmap.h"
#include "kernel/nodemask.h"
#include "kernel/vm/device.h"
#include "kernel/vm/vcpu.h"
#include "kernel/vm/vmdesc.h"

#define VM_MAX_VCPUS VMDESC_VCPUS_MAX
#define MAX_VMS	     VMDESC_MAX_VMS

enum vm_state { VM_BROKEN, VM_STOPPED, VM_RUNNING, VM_STOPPING };
enum vm_request { VM_NOTHING, VM_START, VM_STOP, VM_RESET };

struct vcons;

struct vm {
	/* fixed after vm_create */
	char name[16];
	u32 id;
	const struct vm_desc *desc;
	struct node *home;
	struct nodemask node_mask; /* nodes that its VCPUs live on */
	struct vcpu *vcpus[VM_MAX_VCPUS];
	u32 nvcpus;
	struct device devices[VM_DEVICES_MAX];
	u32 ndevices;
	struct vcons *cons; /* the console's own part of its device */
	/*
	 * STOPPING: any node, under lock; STOPPED: the node of the last VCPU; else home; all read
	 */
	enum vm_state state;
	/* any node, atomically */
	u32 request; /* enum vm_request */
	u32 live;    /* VCPUs not OFFLINE; to 0 while RUNNING, never: vm_stop_vcpu */
	/* why it ends: the first to say so, under lock */
	struct lock lock;
	char end[VMDESC_ERROR_BYTES]; /* BROKEN: what is wrong */
	struct pmap pmap;
};

extern struct vm *vms[MAX_VMS]; /* fixed after boot */
extern unsigned nvms;

/* Makes the VM of a description, each part on its node, STOPPED or BROKEN. Boot only. */
void vm_create(const struct vm_desc *desc);
struct vm *vm_find(const char *name); /* NULL: none of that name */

static inline enum vm_state vm_state(const struct vm *vm)
{
	return __atomic_load_n(&vm->state, __ATOMIC_ACQUIRE);
}

void vm_request(struct vm *vm, enum vm_request request); /* any node */
void vm_service(struct node *n); /* carry out what was asked of this node's VMs */

/* Ends the VM, from any of its nodes: a guest beyond help, or one that powered itself off, or that
 * is to start afresh. VCPUs of this node go on to no guest instruction, those of others until they
 * see their mail. The first reason given is the one that is told. */
void vm_kill(struct vm *vm, const char *why);
void vm_poweroff(struct vm *vm, u64 code);
void vm_reset(struct vm *vm);
/*
 * OFFLINE, since its VM is STOPPING; on its node. The last one of a VM ends it: memory goes back.
 */
void vm_retire_vcpu(struct vcpu *v);
/* The guest stops this VCPU; on its node. False: it is the VM's last, nothing was done. */
bool vm_stop_vcpu(struct vcpu *v);

bool vms_all_ended(void); /* every VM that was started has stopped */

/*
 * Guest "physical" memory, from the monitor: -EFAULT if [gpa, gpa + len) is not all the VM's. Pages
 * are made as a guest's own access would make them.
 */
int vm_copy_in(struct vm *vm, void *to, gpa_t from, size_t len);
int vm_copy_out(struct vm *vm, gpa_t to, const void *from, size_t len);

#endif /* KERNEL_VM_VM_H */
