/* SPDX-License-Identifier: MIT */
/* Memory for the monitor itself, beside the machine of numa_vm.c: of one view at a time. */
#include "tests/unit/numa_vm.h"

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
