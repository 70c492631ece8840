/* SPDX-License-Identifier: MIT */
/* Pages that are passed from one VM to another. */
#include "kernel/errno.h"
#include "kernel/mem/pass.h"
#include "kernel/mem/pmap_state.h"
#include "kernel/mem/share.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

#define FREE_TO_SHARE \
	(BIT(PMAP_UNUSED) | BIT(PMAP_SINGLE) | BIT(PMAP_SHARED) | BIT(PMAP_REPLICATED))

/* Of one moment: so that the source is not lent for nothing, as a rule. */
static bool may_be_target(const struct pmap *p, gpn_t gpn)
{
	return BIT(pmap_state_of(pmap_page(p, gpn))) & FREE_TO_SHARE;
}

int pass_page(struct vm *from, gpn_t source, struct vm *to, gpn_t target)
{
	mpn_t page;
	int err;

	if (source.v >= from->pmap.npages || target.v >= to->pmap.npages)
		return -EFAULT;
	if (from == to && source.v == target.v)
		return 0;
	if (!may_be_target(&to->pmap, target) || numa_reserve_spare())
		return -EAGAIN;
	page = pmap_lend(from, source);
	if (!mpn_valid(page)) {
		nodemem_unreserve(1);
		return -EAGAIN;
	}
	err = pmap_share(to, target, page);
	share_drop(page);
	return err;
}
