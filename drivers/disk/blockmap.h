/* SPDX-License-Identifier: MIT */
/*
 * A map from the blocks of a disk to a word each, 0: nothing. A tree of pages of words, as high as the
 * disk is large; pages are made when a word below them is first set. Pure: where pages come from is the
 * owner's, as is the lock.
 */
#ifndef DRIVERS_DISK_BLOCKMAP_H
#define DRIVERS_DISK_BLOCKMAP_H

#include "kernel/types.h"

#define BLOCKMAP_FAN_SHIFT 10 /* words of a page */
#define BLOCKMAP_FAN	   (1u << BLOCKMAP_FAN_SHIFT)
#define BLOCKMAP_LEVELS	   3
#define BLOCKMAP_BLOCKS	   (1ul << (BLOCKMAP_LEVELS * BLOCKMAP_FAN_SHIFT)) /* at most */

/* Pages of BLOCKMAP_FAN words, by numbers that are not 0. */
struct blockmap_pages {
	u32 (*make)(void *owner); /* all zero; 0: there is no memory */
	void (*drop)(void *owner, u32 page);
	u32 *(*words)(void *owner, u32 page);
	void *owner;
};

struct blockmap {
	const struct blockmap_pages *pages;
	u64 nblocks;
	u32 levels; /* 1..BLOCKMAP_LEVELS */
	u32 root;   /* 0: nothing is set */
};

void blockmap_init(struct blockmap *m, u64 nblocks, const struct blockmap_pages *pages);
/* 0: nothing there, or beyond the disk. */
u32 blockmap_get(const struct blockmap *m, u64 block);
/*
 * Sets the word, to 0 too. False: there was no memory for it, or the block is beyond the disk, and nothing
 * has changed. A word that is set is changed without memory.
 */
bool blockmap_set(struct blockmap *m, u64 block, u32 word);
/*
 * Empties the map step by step: takes out the first word at or behind block *from, among the next `look`
 * places (a missing page is one), and drops the pages that it has passed. 1: that is word; 0: there was none
 * among them; -1: the map is empty and has no pages. *from is 0 at first, and the map's own until the end.
 */
int blockmap_take(struct blockmap *m, u64 *from, u32 look, u32 *word);

#endif /* DRIVERS_DISK_BLOCKMAP_H */
