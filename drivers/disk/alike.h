/* SPDX-License-Identifier: MIT */
/*
 * Blocks that several VMs have written alike. VMs that run the same on copies of one image write the same files to
 * the same blocks, as file systems place them by rule. So who writes a whole block asks whether another disk of the image has
 * the same in that block, and if so both have one page.
 *
 * A table says which page some disk has as a block: of a few thousand blocks, and a block whose place another one has is not
 * in it. An entry belongs to the disk that put it, and lasts as long as that has the page:
 *
 *   entry    the page                                becomes
 *   absent   -                                       present: alike_put, by a disk that has the page as the block
 *   present  held by that disk, written by nobody    absent: alike_forget, before the disk drops the page or writes it
 *
 * So what alike_find returns, held, is what the block is there, and stays so. Locks: RANK_ALIKE.
 */
#ifndef DRIVERS_DISK_ALIKE_H
#define DRIVERS_DISK_ALIKE_H

#include "kernel/types.h"

void alike_init(
	void); /* boot, once an image has a second disk: node 0's memory; without it nothing is alike */

/* The page that some disk of the image has as the block, held for the caller; MPN_NONE: not known. */
mpn_t alike_find(u32 image, u64 block);
/* The caller has the page as the block: it holds the page, and nobody writes it. */
void alike_put(u32 image, u64 block, mpn_t page);
void alike_forget(u32 image, u64 block, mpn_t page);

#endif /* DRIVERS_DISK_ALIKE_H */
