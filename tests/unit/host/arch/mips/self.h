/* SPDX-License-Identifier: MIT */
/* In place of the machine's: which node it is, each test says. */
#ifndef ARCH_MIPS_SELF_H
#define ARCH_MIPS_SELF_H

struct node;
struct node *node_self(void);

#endif /* ARCH_MIPS_SELF_H */
