/* SPDX-License-Identifier: MIT */
/* Disks of VMs: the steps of their requests. */
#include <string.h>
#include "arch/mips/arch.h"
#include "drivers/disk/deliver.h"
#include "drivers/disk/own.h"
#include "kernel/errno.h"
#include "kernel/mem/share.h"
#include "kernel/panic.h"
#include "kernel/vm/vm.h"

static struct vm_disk *disks; /* fixed after boot */

const struct vm_disk *disk_number(u32 n)
{
	const struct vm_disk *d = disks;

	while (d && n--)
		d = d->next_disk;
	return d;
}

u64 disk_sectors(const struct vm_disk *disk) { return image_sectors(disk->image); }
const struct disk_desc *disk_desc(const struct vm_disk *disk) { return disk->desc; }

/* ---- lists ---- */

static void append(struct request_list *l, struct disk_request *r)
{
	r->next = NULL;
	*l->end = r;
	l->end = &r->next;
}

static void prepend(struct request_list *l, struct disk_request *r)
{
	r->next = l->first;
	if (!l->first)
		l->end = &r->next;
	l->first = r;
}

static struct disk_request *take_first(struct request_list *l)
{
	struct disk_request *r = l->first;

	if (!r)
		return NULL;
	l->first = r->next;
	if (!l->first)
		l->end = &l->first;
	return r;
}

static void clear(struct request_list *l)
{
	l->first = NULL;
	l->end = &l->first;
}

/* ---- one block of a request: 1: it is done; 0: the request waits; an error ---- */

/* Where a request goes on. */
struct place {
	u64 block;
	u32 from, bytes; /* within the block */
	bool whole;
};

static struct place place_of(const struct vm_disk *disk, const struct disk_request *r)
{
	u64 at = r->sector * DISK_SECTOR + r->done, size = disk_sectors(disk) * DISK_SECTOR;
	struct place p = { .block = at / BLOCK_BYTES, .from = at % BLOCK_BYTES };

	p.bytes = MIN(r->bytes - r->done, (u64)BLOCK_BYTES - p.from);
	p.whole = p.bytes == MIN((u64)BLOCK_BYTES, size - p.block * BLOCK_BYTES);
	return p;
}

int disk_base_page(struct vm_disk *disk, struct disk_request *r, u64 block, mpn_t *page)
{
	u64 end = (r->sector * DISK_SECTOR + r->bytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
	u32 more = r->single || r->op != DISK_READ ? 1 : MIN(end - block, (u64)CACHE_RUN);
	int got = cache_read(disk->image, block, more, &r->waiter, page);

	if (got <= 0)
		return got;
	disk->stats.blocks_read++;
	disk->stats.hits += block >= r->waiter.waited_for;
	return 1;
}

static int read_block(struct vm_disk *disk, struct disk_request *r, struct delivery *d)
{
	struct place p = place_of(disk, r);
	mpn_t page = { blockmap_get(&disk->own, p.block) };
	bool of_image = !mpn_valid(page);
	int got = 1;

	if (of_image)
		got = disk_base_page(disk, r, p.block, &page);
	if (got <= 0)
		return got;
	if (p.bytes == PAGE_SIZE && page.v != OWN_ZERO && cursor_is_at_page(&r->at))
		return deliver_page(disk, r, d, page, of_image);
	got = deliver_part(disk, r, page, p.from, p.bytes);
	if (of_image)
		share_drop(page);
	return got;
}

/* Whole pages of the guest, which can be blocks, from the request's next byte on: at most max. */
static u32 pages_ahead(const struct disk_request *r, u32 max, struct share_at *at)
{
	struct disk_cursor c = r->at;
	u64 left = r->bytes - r->done;
	u32 n = 0;

	for (; n < max && left >= PAGE_SIZE && cursor_is_at_page(&c); n++, left -= PAGE_SIZE) {
		at[n] = (struct share_at){ .gpn = gpa_gpn((gpa_t){ cursor_range(&c).gpa }) };
		cursor_advance(&c, PAGE_SIZE);
	}
	return n;
}

/* The next blocks are pages of the guest: 0: the first is none, or cannot be one now, and is copied. */
static int lend(struct vm_disk *disk, struct disk_request *r, const struct place *p, u32 *budget)
{
	struct share_at at[SHARE_PAGES];
	u32 n = 0;
	int got = 0;

	if (r->op == DISK_WRITE && p->bytes == PAGE_SIZE)
		n = pages_ahead(r, MIN(*budget + 1, (u32)SHARE_PAGES), at);
	if (n)
		got = own_lend(disk, p->block, at, n);
	for (int i = 0; i < got; i++)
		request_advance(r, PAGE_SIZE);
	if (got > 0)
		*budget -= got - 1;
	return got;
}

/* Or several, if the guest's pages can be they; the first of them is counted. */
static int write_own_block(struct vm_disk *disk, struct disk_request *r, u32 *budget)
{
	struct place p = place_of(disk, r);
	mpn_t page;
	int got = lend(disk, r, &p, budget);

	if (got)
		return got;
	if (r->op != DISK_WRITE && p.whole) {
		got = own_zero(disk, p.block);
		if (got > 0)
			request_advance(r, p.bytes);
		return got;
	}
	if (r->op == DISK_DISCARD) { /* a part of a block stays as it is */
		request_advance(r, p.bytes);
		return 1;
	}
	got = own_page(disk, r, p.block, p.whole, &page);
	return got > 0 ? take_part(disk, r, page, p.from, p.bytes) : got;
}

static int write_image_block(struct vm_disk *disk, struct disk_request *r,
			     struct cache_transfer **run)
{
	struct place p = place_of(disk, r);
	mpn_t page;
	int got = cache_claim(disk->image, p.block, p.from, p.bytes, &r->waiter, run, &page);

	return got > 0 ? take_part(disk, r, page, p.from, p.bytes) : got;
}

/* ---- a step ---- */

enum step { STEP_ENDED, STEP_READY, STEP_WAITS, STEP_STARVED };

static enum step end(struct disk_request *r, enum disk_status status)
{
	r->status = status;
	return STEP_ENDED;
}

/* Readers want memory of the cache, writers of what is left beside it. */
static struct hunger *hunger_of(struct vm_disk *disk, const struct disk_request *r)
{
	return &disk->hunger[r->op != DISK_READ];
}

/* The disk has not starved for so long that its requests end with errors. */
static bool may_starve(struct hunger *h)
{
	u64 now = count64();

	if (now - h->last > DISK_FED_MS * COUNT_MS)
		h->since = now;
	h->last = now;
	return now - h->since < DISK_STARVED_MS * COUNT_MS;
}

/* What a block's result means for the request. */
static enum step stopped(struct vm_disk *disk, struct disk_request *r, int err)
{
	if (!err)
		return STEP_WAITS;
	if (err == -ENOSPC)
		return end(r, DISK_NO_SPACE);
	if (err != -ENOMEM)
		return end(r, DISK_IO_ERROR);
	if (may_starve(hunger_of(disk, r))) {
		r->starved = true;
		return STEP_STARVED;
	}
	return end(r, r->op == DISK_READ ? DISK_IO_ERROR : DISK_NO_SPACE);
}

static bool is_persistent(const struct vm_disk *disk)
{
	return disk->desc->mode == DISK_PERSISTENT;
}

/* Blocks until the request is through, has had its share, or can not go on. 1: the share; else as a block's. */
static int do_blocks(struct vm_disk *disk, struct disk_request *r, u32 *budget)
{
	struct cache_transfer *run = NULL;
	struct delivery d;
	int got = 1;

	d.n = 0;
	while (got > 0 && r->done < r->bytes && *budget) {
		(*budget)--;
		if (r->op == DISK_READ)
			got = read_block(disk, r, &d);
		else if (!is_persistent(disk))
			got = write_own_block(disk, r, budget);
		else
			got = write_image_block(disk, r, &run);
		if (got > 0 && r->starved) {
			r->starved = false;
			hunger_of(disk, r)->since = count64();
		}
		if (run && got > 0 && cache_run_full(run)) {
			cache_send(run, &r->waiter);
			run = NULL;
		}
	}
	if (run)
		cache_send(run, &r->waiter);
	if (d.n && !deliver(disk, &d))
		got = -EIO;
	return got;
}

/* Everything is under way: the request has ended when that has, and lasts if it is to. */
static enum step finish(struct vm_disk *disk, struct disk_request *r)
{
	bool flush = r->op == DISK_FLUSH || r->lasts;

	if (!cache_drained(&r->waiter))
		return STEP_WAITS;
	if (r->failed || r->waiter.write_failed)
		return end(r, DISK_IO_ERROR);
	if (r->error)
		return stopped(disk, r, r->error);
	if (!flush || r->flushing || !is_persistent(disk) || r->op == DISK_READ)
		return end(r, DISK_OK);
	if (!cache_flush(disk->image, &r->waiter))
		return stopped(disk, r, -ENOMEM);
	r->flushing = true;
	return cache_drained(&r->waiter) ? finish(disk, r) : STEP_WAITS;
}

/* A read that it waited for has failed: the next one is of one block, and if it was, that is the answer. */
static bool has_failed(struct disk_request *r)
{
	enum cache_result result = r->waiter.result;

	r->waiter.result = CACHE_OK;
	if (result == CACHE_MANY_FAILED)
		r->single = true;
	return result == CACHE_FAILED;
}

static enum step step(struct vm_disk *disk, struct disk_request *r, u32 *budget)
{
	int got = 1;

	if (has_failed(r) || r->waiter.write_failed)
		r->failed = true;
	if (!r->failed)
		got = do_blocks(disk, r, budget);
	if (got == 0 || got == -ENOMEM)
		return stopped(disk, r, got);
	if (got < 0 && !r->error)
		r->error = got;
	if (!r->failed && !r->error && r->done < r->bytes)
		return STEP_READY;
	return finish(disk, r);
}

static void ended(struct vm_disk *disk, struct disk_request *r)
{
	struct disk_stats *s = &disk->stats;

	if (r->status != DISK_OK)
		s->errors++;
	else if (r->op == DISK_READ)
		s->bytes_read += r->bytes;
	else if (r->op == DISK_WRITE)
		s->bytes_written += r->bytes;
	s->requests++;
	append(&disk->ended, r);
}

/* ---- the door ---- */

bool disk_read_page(struct vm_disk *disk, u64 sector, gpn_t gpn)
{
	u64 block = sector / (BLOCK_BYTES / DISK_SECTOR), have = disk_sectors(disk);
	struct share_at at = { .gpn = gpn, .page = { blockmap_get(&disk->own, block) } };
	bool of_image = !mpn_valid(at.page);

	if (sector % (BLOCK_BYTES / DISK_SECTOR) || sector >= have ||
	    have - sector < BLOCK_BYTES / DISK_SECTOR || at.page.v == OWN_ZERO)
		return false;
	if (of_image && !cache_find(disk->image, block, &at.page, &at.given))
		return false;
	if (!dma_share_page(disk->vm, &at)) {
		if (at.given)
			share_drop(at.page);
		return false;
	}
	disk->stats.blocks_read += of_image;
	disk->stats.hits += of_image;
	disk->stats.bytes_read += BLOCK_BYTES;
	disk->stats.requests++;
	return true;
}

void disk_submit(struct vm_disk *disk, struct disk_request *r)
{
	r->waiter = (struct cache_waiter){ .client = &disk->client };
	r->done = 0;
	r->starved = false;
	r->at = (struct disk_cursor){ .ranges = r->ranges };
	r->single = r->flushing = r->failed = false;
	r->error = 0;
	r->out = disk->out;
	r->out_link = &disk->out;
	if (r->out)
		r->out->out_link = &r->out;
	disk->out = r;
	disk->nout++;
	append(&disk->ready, r);
}

static struct disk_request *request_of(struct cache_waiter *w)
{
	return (struct disk_request *)((u8 *)w - offsetof(struct disk_request, waiter));
}

bool disk_service(struct vm_disk *disk, u32 *budget)
{
	struct cache_waiter *w;
	struct disk_request *r;

	while (cache_has_woken(&disk->client) && (w = cache_woken(&disk->client)))
		append(&disk->ready, request_of(w));
	while (*budget && (r = take_first(&disk->ready))) {
		u32 share = MIN(*budget, (u32)DISK_STEP_BLOCKS), left = share;
		enum step next = step(disk, r, &left);

		*budget -= MAX(share - left, 1u);
		if (next == STEP_ENDED) {
			ended(disk, r);
		} else if (next == STEP_READY) {
			append(&disk->ready, r);
		} else if (next == STEP_STARVED) {
			prepend(&disk->ready, r);
			return false;
		}
	}
	return disk->ready.first;
}

bool disk_is_idle(const struct vm_disk *disk)
{
	return !disk->ready.first && !cache_has_woken(&disk->client);
}

static void take_out(struct vm_disk *disk, struct disk_request *r)
{
	*r->out_link = r->out;
	if (r->out)
		r->out->out_link = r->out_link;
	disk->nout--;
}

struct disk_request *disk_next_ended(struct vm_disk *disk)
{
	struct disk_request *r = take_first(&disk->ended);

	if (r)
		take_out(disk, r);
	return r;
}

void disk_abort(struct vm_disk *disk)
{
	while (disk->out) {
		cache_forget(&disk->out->waiter);
		take_out(disk, disk->out);
	}
	clear(&disk->ready);
	clear(&disk->ended);
}

/* ---- boot ---- */

static void tell(struct cache_client *c)
{
	struct vm_disk *disk = (struct vm_disk *)c;

	TEXT_HERE(disk->tell)(disk->front);
}

_Static_assert(sizeof(struct vm_disk) <= DISK_BYTES, "a disk fits the memory of its front end");

void disk_init(struct vm_disk *disk, struct vm *vm, u32 i, void (*tell_front)(void *front),
	       void *front)
{
	const struct disk_desc *desc = &vm->desc->disks[i];

	*disk = (struct vm_disk){
		.client.tell = tell, .vm = vm, .desc = desc, .image = image_of(desc)
	};
	if (!disk->image)
		panic("VM %s: %s: no memory for its image", vm->name, desc->name);
	disk->tell = tell_front;
	disk->front = front;
	disk->limit = (u64)desc->limit_mb << 20 >> BLOCK_SHIFT_BYTES;
	disk->next_disk = disks;
	disks = disk;
	clear(&disk->ready);
	clear(&disk->ended);
	own_init(disk);
	cache_add_client(&disk->client);
}
