/* SPDX-License-Identifier: MIT */
/* Monitor calls (kernel/abi/disco.h, docs/guest-abi.md). */
#ifndef KERNEL_VM_HYPERCALL_H
#define KERNEL_VM_HYPERCALL_H

#include "arch/mips/arch.h"

/*
 * Carries out the call whose number v has in v0, and puts the result there. pc is already behind the
 * HYPCALL instruction.
 */
enum verdict hypercall(struct vcpu *v);
const char *hypercall_name(unsigned number); /* NULL: there is no such call */

#endif /* KERNEL_VM_HYPERCALL_H */
