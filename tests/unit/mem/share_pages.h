/* SPDX-License-Identifier: MIT */
/* Shared pages for tests of kernel/mem/pmap_share.c, on the two VMs of tests/unit/numa_vm.h. */
#ifndef TESTS_UNIT_MEM_SHARE_PAGES_H
#define TESTS_UNIT_MEM_SHARE_PAGES_H

#include "tests/unit/fake/host.h"
#include "tests/unit/numa_vm.h"

#include "kernel/mem/pmap_state.h"
#include "kernel/mem/share.h"

static inline mpn_t new_page(u64 value)
{
	mpn_t page = share_new(0);
	u64 *words = mpn_valid(page) ? fake_mpn_ptr(page) : NULL;

	if (words)
		words[0] = words[PAGE_SIZE / 8 - 1] = value;
	return page;
}

static inline mpn_t master_of(const struct vm *vm, u64 gpn)
{
	return pmap_copies(&vm->pmap, (gpn_t){ gpn }).master;
}

static inline void share(struct vm *vm, u64 gpn, mpn_t page)
{
	assert_int_equal(pmap_share(vm, (gpn_t){ gpn }, page), 0);
}

static inline mpn_t lend(struct vm *vm, u64 gpn)
{
	struct share_at at = { .gpn = { gpn } };

	assert_int_equal(nodemem_reserve(1), 0);
	pmap_lend_pages(vm, &at, 1);
	if (!mpn_valid(at.page))
		nodemem_unreserve(1);
	return at.page;
}

static inline u64 word_of(mpn_t page) { return *(const u64 *)fake_mpn_ptr(page); }

#endif /* TESTS_UNIT_MEM_SHARE_PAGES_H */
