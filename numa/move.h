/* SPDX-License-Identifier: MIT */
/*
 * Moving guest pages to the node that uses them: migration and replication. Both check everything
 * first, take the page from all who see it, copy it, and let them see the new state; a page that
 * cannot be moved is left as it was. Paper: section 4.2.
 */
#ifndef NUMA_MOVE_H
#define NUMA_MOVE_H

#include "kernel/types.h"

/*
 * Machine pages, as miss counters name them, to the memory of node, which is the caller's own; a
 * page that is not a guest's any more, is replicated, is there already, or finds no free page there
 * stays. The node need not be one of the VM's. At most MMU_DROP_PAGES of neighbouring pages of one
 * VM share a shootdown. Return how many were moved. Take RANK_PMAP and RANK_NODEMEM.
 */
unsigned migrate_pages(u32 node, const mpn_t *pages, unsigned n);
/* The same, but the old copy stays for the others. The VM must have a VCPU on the node. pages: the
 * masters. */
unsigned replicate_pages(u32 node, const mpn_t *pages, unsigned n);

/*
 * A shared page (kernel/mem/share.h) to the memory of node, the caller's own, for those of its users that no other node
 * sees; up to PASS_USERS (pass.h). They have the same contents in a page here afterwards, shared as before, and
 * notice nothing. Others, and who holds the page, keep it where it was; if there are none its memory is free. False:
 * the page stays, since it is here, has no such users, or there is no memory. Takes RANK_PMAP and RANK_NODEMEM.
 */
bool migrate_shared(u32 node, mpn_t page);

#endif /* NUMA_MOVE_H */
