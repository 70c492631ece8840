/* SPDX-License-Identifier: MIT */
/*
 * A set of nodes. A type of its own, so that it is not taken for a set of VCPUs or for a number.
 * Builds on the host too.
 */
#ifndef KERNEL_NODEMASK_H
#define KERNEL_NODEMASK_H

#include "kernel/types.h"

#define NODEMASK_BITS 32 /* nodes that a set can hold: 0 to 31 */

struct nodemask {
	u32 bits; /* bit n: node n is in the set */
};

#define NODEMASK_NONE ((struct nodemask){ 0 })
#define NODEMASK_ALL  ((struct nodemask){ ~0u }) /* nodes that the machine does not have, too */

static inline struct nodemask nodemask_of(u32 node) { return (struct nodemask){ 1u << node }; }

/* Nodes 0 to n - 1. */
static inline struct nodemask nodemask_first(u32 n)
{
	return (struct nodemask){ (u32)(BIT(n) - 1) };
}

static inline bool nodemask_has(struct nodemask m, u32 node) { return m.bits >> node & 1; }

static inline bool nodemask_empty(struct nodemask m) { return !m.bits; }

/* The node is in the set, and no other is. */
static inline bool nodemask_is(struct nodemask m, u32 node) { return m.bits == 1u << node; }

static inline bool nodemask_overlap(struct nodemask a, struct nodemask b)
{
	return a.bits & b.bits;
}

static inline void nodemask_add(struct nodemask *m, u32 node) { m->bits |= 1u << node; }

/* The lowest node of the set that is not below from; NODEMASK_BITS: there is none. */
static inline u32 nodemask_next(struct nodemask m, u32 from)
{
	u32 rest = from < NODEMASK_BITS ? m.bits >> from : 0;

	return rest ? from + (u32)__builtin_ctz(rest) : NODEMASK_BITS;
}

/* For each node of the set, from the lowest number up. The set is read anew for each of them. */
#define for_each_node(node, mask)                                     \
	for (u32 node = nodemask_next(mask, 0); node < NODEMASK_BITS; \
	     node = nodemask_next(mask, node + 1))

#endif /* KERNEL_NODEMASK_H */
