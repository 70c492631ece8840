/* SPDX-License-Identifier: MIT */
/* The tree of pages behind a map of blocks. */
#include "drivers/disk/blockmap.h"

static u32 *words_of(const struct blockmap *m, u32 page)
{
	return m->pages->words(m->pages->owner, page);
}

/* Blocks below one word of a page of that level; level 0: a leaf. */
static u32 shift_of(u32 level) { return level * BLOCKMAP_FAN_SHIFT; }

static u32 index_of(u64 block, u32 level) { return block >> shift_of(level) & (BLOCKMAP_FAN - 1); }

void blockmap_init(struct blockmap *m, u64 nblocks, const struct blockmap_pages *pages)
{
	*m = (struct blockmap){ .pages = pages, .levels = 1 };
	m->nblocks = MIN(nblocks, BLOCKMAP_BLOCKS);
	while (m->nblocks > 1ul << shift_of(m->levels))
		m->levels++;
}

u32 blockmap_get(const struct blockmap *m, u64 block)
{
	u32 page = m->root;

	if (block >= m->nblocks)
		return 0;
	for (u32 level = m->levels; level-- && page;)
		page = words_of(m, page)[index_of(block, level)];
	return page;
}

/* The page there, made if there is none; 0: no memory. */
static u32 make(struct blockmap *m, u32 *place)
{
	if (!*place)
		*place = m->pages->make(m->pages->owner);
	return *place;
}

bool blockmap_set(struct blockmap *m, u64 block, u32 word)
{
	u32 *place = &m->root;

	if (block >= m->nblocks)
		return false;
	if (!word && !blockmap_get(m, block))
		return true;
	for (u32 level = m->levels; level--;) {
		if (!make(m, place))
			return false;
		place = &words_of(m, *place)[index_of(block, level)];
	}
	*place = word;
	return true;
}

/* ---- emptying ---- */

/* The last block below the page of that level that has the block. */
static u64 last_of(const struct blockmap *m, u64 block, u32 level)
{
	return MIN(block | ((1ul << shift_of(level + 1)) - 1), m->nblocks - 1);
}

/* The word that names the page of that level on the way to the block, 0 or not. */
static u32 *place_of(struct blockmap *m, u64 block, u32 wanted)
{
	u32 *place = &m->root;

	for (u32 level = m->levels - 1; level > wanted && *place; level--)
		place = &words_of(m, *place)[index_of(block, level)];
	return place;
}

/* Everything up to the block has been taken out: pages that end with it go, the lowest first. */
static void drop_passed(struct blockmap *m, u64 block)
{
	for (u32 level = 0; level < m->levels && last_of(m, block, level) == block; level++) {
		u32 *place = place_of(m, block, level);

		if (!*place)
			continue;
		m->pages->drop(m->pages->owner, *place);
		*place = 0;
	}
}

/* The highest level on the way to the block that has no page; m->levels: all have. */
static u32 missing_level(struct blockmap *m, u64 block)
{
	u32 page = m->root;

	for (u32 level = m->levels; level--; page = words_of(m, page)[index_of(block, level)])
		if (!page)
			return level;
	return m->levels;
}

/* Takes out the first word of that leaf from block *from on, among the next look; 0: none. */
static u32 take_of_leaf(const struct blockmap *m, u32 *leaf, u64 *from, u32 *look)
{
	u64 last = last_of(m, *from, 0);
	u32 word = 0;

	for (; !word && *look && *from <= last; (*look)--, (*from)++) {
		u32 *place = &leaf[index_of(*from, 0)];

		word = *place;
		*place = 0;
	}
	return word;
}

int blockmap_take(struct blockmap *m, u64 *from, u32 look, u32 *word)
{
	*word = 0;
	while (look && !*word && *from < m->nblocks) {
		u32 missing = missing_level(m, *from);

		if (missing == m->levels) {
			*word = take_of_leaf(m, words_of(m, *place_of(m, *from, 0)), from, &look);
		} else {
			*from = last_of(m, *from, missing) + 1;
			look--;
		}
		drop_passed(m, *from - 1);
	}
	return *word ? 1 : *from < m->nblocks ? 0 : -1;
}
