/* SPDX-License-Identifier: MIT */
/*
 * VMs are made and taken apart while the machine runs: VCPUs, their seats and special pages, the pmap and its views. What the
 * devices of a VM keep in the monitor's memory, and struct vm itself, is of boot, a *slot* for each description.
 *
 *   making, in this order                        by          unmaking, in this order                     by
 *   the pmap                                     home        its VCPUs leave their run queues, unless    their nodes
 *                                                            on the way, and then move no more
 *   the view of a node that has VCPUs by the     that node   the view of a node, then what it lies in    that node
 *   description, and what they need: a part
 *   vm->nvcpus; it is STOPPED                    home        nvcpus and npages are 0                     home
 *                                                            every node has begun another look around    all
 *                                                            VCPUs and pmap go back; it is ABSENT        home
 *
 * A node that runs monitor code may be at any VCPU or page of the VM, whoever's that is, in a loop over all of them: it holds
 * no lock for that. It drops all such pointers before it looks around the next time (sched_switch keeps none), and counts its looks.
 */
#ifndef KERNEL_VM_MAKE_H
#define KERNEL_VM_MAKE_H

#include "kernel/vm/vm.h"

/* Makes an ABSENT VM: STOPPED, or it is MAKING and refused, if that is told. Boot only, before other nodes run. */
void make_at_boot(struct vm *vm);
void make_begin(struct vm *vm);	  /* ABSENT: MAKING; on home */
void unmake_begin(struct vm *vm); /* STOPPED: UNMAKING; on home */
/* The node's part in VMs that are MAKING or UNMAKING; at a look around. */
void make_serve(struct node *n);

#endif /* KERNEL_VM_MAKE_H */
