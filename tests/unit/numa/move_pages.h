/* SPDX-License-Identifier: MIT */
/* Single pages of the first VM of tests/unit/numa_vm.h on their way. */
#ifndef TESTS_UNIT_NUMA_MOVE_PAGES_H
#define TESTS_UNIT_NUMA_MOVE_PAGES_H

#include "tests/unit/numa_vm.h"

#include "kernel/mem/pmap_state.h"
#include "numa/move.h"

static inline mpn_t master(const struct vm *vm, u64 gpn)
{
	return (mpn_t){ vm->pmap.page[gpn].master };
}

static inline unsigned migrate(u32 node, u64 gpn)
{
	mpn_t page = master(&vm_a, gpn);

	return migrate_pages(node, &page, 1);
}

static inline unsigned replicate(u32 node, u64 gpn)
{
	mpn_t page = master(&vm_a, gpn);

	return replicate_pages(node, &page, 1);
}

#endif /* TESTS_UNIT_NUMA_MOVE_PAGES_H */
