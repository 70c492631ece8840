/* SPDX-License-Identifier: MIT */
/*
 * Beside the machine of numa_vm.c: blocks of 1 MB of its memory, and how much is free; what the monitor has for itself, memory of one
 * view at a time, zero pages and ledgers of moves.
 */
#include "tests/unit/numa_vm.h"

#include "numa/ledger.h"

static bool is_whole(u32 start)
{
	u32 k;

	for (k = 0; k < BLOCK_PAGES && is_free[start + k]; k++)
		;
	return k == BLOCK_PAGES;
}

static u32 find_block(u32 of)
{
	for (u32 i = 0; blocks && i < NODE_PAGES; i += BLOCK_PAGES)
		if (is_whole(of * NODE_PAGES + i))
			return of * NODE_PAGES + i;
	return ~0u;
}

mpn_t nodemem_alloc_within(u32 of, u32 page, u32 n)
{
	u32 start = find_block(of);

	return start == ~0u ? MPN_NONE : nodemem_alloc_exact((mpn_t){ FIRST(0) + start + page }, n);
}

static mpn_t take_block(u32 start)
{
	memset(is_free + start, 0, BLOCK_PAGES);
	memset(fake_mpn_ptr((mpn_t){ FIRST(0) + start }), 0xa5, BLOCK_PAGES * PAGE_SIZE);
	return (mpn_t){ FIRST(0) + start };
}

mpn_t nodemem_alloc_block(u32 of, bool odd)
{
	u32 start = find_block(of);

	(void)odd;
	return start == ~0u ? MPN_NONE : take_block(start);
}

mpn_t nodemem_alloc_block_at(u32 of, mpn_t first)
{
	if (!blocks || memmap_node(first) != (int)of || !is_whole(first.v - FIRST(0)))
		return MPN_NONE;
	return take_block(first.v - FIRST(0));
}

/* Of those that are left the lowest, in place of the last one that was freed. */
mpn_t nodemem_alloc_left(u32 of, u32 life, mpn_t best)
{
	u32 first = of * NODE_PAGES;

	assert_true(!mpn_valid(best) || memmap_node(best) == (int)of);
	for (u32 i = first; life && i < first + NODE_PAGES; i++)
		if (is_free[i] && memmap_page((mpn_t){ FIRST(0) + i })->left_by == life)
			return take_free(i);
	return MPN_NONE;
}

/* ---- the monitor's own ---- */

void *kept_pages;

void magic_note_pmap(const void *start, u64 bytes) { (void)start, (void)bytes; }
void magic_note_guest(const void *start, u64 bytes) { (void)start, (void)bytes; }

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

void *zero_page(mpn_t mpn)
{
	static u64 words[PAGE_SIZE / sizeof(u64)];

	assert_in_range(mpn.v, ZERO_PAGE(NODES - 1).v, ZERO_PAGE(0).v);
	for (u32 i = 0; i < ARRAY_SIZE(words); i++)
		assert_int_equal(words[i], 0); /* nobody has written it */
	return words;
}

u32 free_pages(u32 of)
{
	u32 n = 0;

	for (u32 i = 0; i < NODE_PAGES; i++)
		n += is_free[of * NODE_PAGES + i];
	return n;
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
