/* SPDX-License-Identifier: MIT */
/* Monitor calls (kernel/abi/disco.h): the guest is past the instruction already, v0 takes the
 * result. */
#ifndef KERNEL_VM_HYPERCALL_H
#define KERNEL_VM_HYPERCALL_H

#include "arch/mips/arch.h"

enum verdict hypercall(struct vcpu *v);

#endif /* KERNEL_VM_HYPERCALL_H */
