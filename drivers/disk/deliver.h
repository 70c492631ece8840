/* SPDX-License-Identifier: MIT */
/* Between guest memory and blocks, for drivers/disk only: where a request is, and what it moves. */
#ifndef DRIVERS_DISK_DELIVER_H
#define DRIVERS_DISK_DELIVER_H

#include "drivers/disk/own.h"

/* ---- where in the guest's memory ---- */
struct dma_range cursor_range(const struct disk_cursor *c); /* from the byte to its range's end */
bool cursor_is_at_page(const struct disk_cursor *c);	    /* a whole page begins there */
void cursor_advance(struct disk_cursor *c, u32 bytes);	    /* within the range */
void request_advance(struct disk_request *r, u32 bytes);    /* READ, WRITE: the same */

/* ---- parts of blocks: 1, or -EIO ---- */
/* The content of a block to the guest: `bytes` from `from` on of the page; OWN_ZERO: zeroes. */
int deliver_part(struct vm_disk *disk, struct disk_request *r, mpn_t page, u32 from, u32 bytes);
/* From the guest into the page; a request without ranges writes zeroes. */
int take_part(struct vm_disk *disk, struct disk_request *r, mpn_t page, u32 to, u32 bytes);

/* ---- whole pages to the guest, several at a time ---- */
struct delivery {
	u32 n;
	struct share_at at[SHARE_PAGES];
};
/* The page for the guest's next one. It is there after `deliver`, at the latest. 1, or -EIO. */
int deliver_page(struct vm_disk *disk, struct disk_request *r, struct delivery *d, mpn_t page,
		 bool held);
/* All that are left. False: the guest has no such memory. */
bool deliver(struct vm_disk *disk, struct delivery *d);

#endif /* DRIVERS_DISK_DELIVER_H */
