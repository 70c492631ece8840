/* SPDX-License-Identifier: MIT */
/*
 * Blocks alike: pages that disks have as blocks, found by what is in them, so that who writes the same once more has the
 * page that is there. VMs that run the same on copies of one image write the same files, and so do the clients of
 * a file server, each in a folder of its own; where on which disk does not matter.
 *
 * A table has a place for each of some thousand pages, by a hash of some of their bytes. It is a hint: what is found is
 * compared whole. An entry belongs to the disk that put it, and lasts as long as that has the page, or until
 * others take its place:
 *
 *   entry    the page                                becomes
 *   absent   -                                       present: alike_put, by a disk that has the page as a block
 *   present  held by that disk, written by nobody    absent: alike_forget, before the disk drops the page or writes it;
 *                                                    alike_put of the fourth page after it with a hash of the same bucket
 *
 * So what alike_find returns, held, is the contents of some block, and stays so.
 *
 * A guest that chooses contents of one bucket makes others' pages be found less, and costs itself a comparison of one
 * page for each page that it writes. By the time that a write takes, or the first store to the page afterwards, a guest
 * can find out whether another one has written the same page anywhere; off=share shares nothing at all.
 *
 * Locks: RANK_ALIKE.
 */
#ifndef DRIVERS_DISK_ALIKE_H
#define DRIVERS_DISK_ALIKE_H

#include "kernel/types.h"

/* Boot, once there is a disk that a VM writes copies of blocks of: node 0's memory; without it nothing is alike. */
void alike_init(void);

/* Of a page that nobody writes: what the next two want of it. */
u32 alike_hash(mpn_t page);
/* Another page that is a block, with the same in it, held for the caller; MPN_NONE: none is known. Nobody writes the page. */
mpn_t alike_find(mpn_t page, u32 hash);
/* The caller has the page as a block: it holds the page, and nobody writes it. */
void alike_put(mpn_t page, u32 hash);
/* The page, which is as it was put if it was, is about to be dropped or written. */
void alike_forget(mpn_t page);

#endif /* DRIVERS_DISK_ALIKE_H */
