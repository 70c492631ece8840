/* SPDX-License-Identifier: MIT */
/* What requests move between guest memory and blocks: parts are copied, whole pages shared. */
#include <string.h>
#include "arch/mips/arch.h"
#include "drivers/disk/deliver.h"
#include "kernel/errno.h"

/* ---- where in the guest's memory ---- */

struct dma_range cursor_range(const struct disk_cursor *c)
{
	struct dma_range range = c->ranges->range[c->range];

	range.gpa += c->offset;
	range.bytes -= c->offset;
	return range;
}

bool cursor_is_at_page(const struct disk_cursor *c)
{
	struct dma_range range = cursor_range(c);

	return range.bytes >= PAGE_SIZE && range.gpa % PAGE_SIZE == 0;
}

void cursor_advance(struct disk_cursor *c, u32 bytes)
{
	c->offset += bytes;
	if (c->offset < c->ranges->range[c->range].bytes)
		return;
	c->offset = 0;
	if (++c->range == c->ranges->n) {
		c->range = 0;
		c->ranges = c->ranges->next;
	}
}

void request_advance(struct disk_request *r, u32 bytes)
{
	r->done += bytes;
	if (r->at.ranges) /* DISCARD and ZERO have none */
		cursor_advance(&r->at, bytes);
}

/* ---- parts ---- */

int deliver_part(struct vm_disk *disk, struct disk_request *r, mpn_t page, u32 from, u32 bytes)
{
	while (bytes) {
		struct dma_range to = cursor_range(&r->at);
		u32 part = MIN(bytes, to.bytes);
		int err = page.v == OWN_ZERO
				  ? dma_zero(disk->vm, to.gpa, part)
				  : dma_write_data(disk->vm, to.gpa,
						   (const u8 *)mpn_ptr(page) + from, part);

		if (err)
			return -EIO;
		request_advance(r, part);
		from += part;
		bytes -= part;
	}
	return 1;
}

int take_part(struct vm_disk *disk, struct disk_request *r, mpn_t page, u32 to, u32 bytes)
{
	u8 *at = (u8 *)mpn_ptr(page) + to;

	if (r->op == DISK_ZERO) {
		memset(at, 0, bytes);
		request_advance(r, bytes);
		return 1;
	}
	while (bytes) {
		struct dma_range from = cursor_range(&r->at);
		u32 part = MIN(bytes, from.bytes);

		if (dma_read_data(disk->vm, at, from.gpa, part))
			return -EIO;
		request_advance(r, part);
		at += part;
		bytes -= part;
	}
	return 1;
}

/* ---- whole pages ---- */

bool deliver(struct vm_disk *disk, struct delivery *d)
{
	u32 shared = dma_share(disk->vm, d->at, d->n);
	bool ok = true;

	for (u32 i = 0; i < d->n; i++) {
		const struct share_at *a = &d->at[i];

		if (shared & BIT(i))
			continue;
		ok &= !dma_write_data(disk->vm, a->gpn.v << PAGE_SHIFT, mpn_ptr(a->page),
				      PAGE_SIZE);
		if (a->given)
			share_drop(a->page);
	}
	d->n = 0;
	return ok;
}

int deliver_page(struct vm_disk *disk, struct disk_request *r, struct delivery *d, mpn_t page,
		 bool held)
{
	d->at[d->n++] = (struct share_at){ .gpn = gpa_gpn((gpa_t){ cursor_range(&r->at).gpa }),
					   .page = page,
					   .given = held };
	request_advance(r, PAGE_SIZE);
	return d->n < SHARE_PAGES || deliver(disk, d) ? 1 : -EIO;
}
