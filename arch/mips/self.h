/* SPDX-License-Identifier: MIT */
/* Which processor this is. Tests on the host have another file in its place (tests/unit/host). */
#ifndef ARCH_MIPS_SELF_H
#define ARCH_MIPS_SELF_H

#include "arch/mips/regs.h"
#include "kernel/types.h"

struct node;

/* The node of this processor, which stays that: the compiler may ask once for several times. */
static inline struct node *node_self(void)
{
	u64 node;

	__asm__("dmfc0 %0, $31, %1" : "=r"(node) : "i"(KS_NODE));
	return (struct node *)node;
}

#endif /* ARCH_MIPS_SELF_H */
