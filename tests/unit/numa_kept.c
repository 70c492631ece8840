/* SPDX-License-Identifier: MIT */
/* What the monitor has for itself, beside the machine of numa_vm.c: memory of one view at a time, and ledgers of moves. */
#include "tests/unit/numa_vm.h"

#include "numa/ledger.h"

void *kept_pages;

mpn_t nodemem_keep(u32 of, u32 npages, u32 align)
{
	(void)of, (void)align;
	assert_null(kept_pages);
	kept_pages = calloc(npages, PAGE_SIZE);
	return (mpn_t){ FIRST(NODES) };
}

void nodemem_return(mpn_t first, u32 npages)
{
	(void)npages;
	assert_int_equal(first.v, FIRST(NODES));
	free(kept_pages);
	kept_pages = NULL;
}

u32 latency_ns(u32 from, u32 to) { return from == to ? 300 : 900; }

void ledgers_reset(void)
{
	static struct ledger of[NODES];

	for (u32 i = 0; i < NODES; i++) {
		memset(&of[i], 0, sizeof(of[i]));
		ledger_init_node(i, &of[i]);
	}
}
