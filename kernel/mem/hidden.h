/* SPDX-License-Identifier: MIT */
/*
 * Guest pages of a VM that are taken out of its views together, under the lock of their range, with one shootdown. For
 * kernel/mem only.
 */
#ifndef KERNEL_MEM_HIDDEN_H
#define KERNEL_MEM_HIDDEN_H

#include "arch/mips/arch.h"
#include "kernel/nodemask.h"

/* Guest pages of a VM that are taken out of its views, and the nodes that saw them. */
struct hidden {
	struct mmu_drop drop;
	struct nodemask seen_by, used_by[MMU_DROP_PAGES]; /* used_by: of those to be shown again */
	u64 tag[MMU_DROP_PAGES]; /* of a translation that one of these had */
};

void hidden_begin(struct hidden *h, struct vm *vm);
/* One page more. again: nodes whose guest used the page are to see what is behind it afterwards. */
void hidden_add(struct hidden *h, gpn_t gpn, bool again);
/* No processor has a translation of the pages any more on return. */
void hidden_take_back(const struct hidden *h);
/* Whose guest used a page sees what is behind it now. Others may never look, and what no view shows wants no shootdown. */
void hidden_show_again(const struct hidden *h);

#endif /* KERNEL_MEM_HIDDEN_H */
