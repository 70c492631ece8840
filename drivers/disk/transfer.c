/* SPDX-License-Identifier: MIT */
/* Transfers between images and the cache, and who waits for them. */
#include <string.h>
#include "arch/mips/arch.h"
#include "drivers/dev.h"
#include "drivers/disk/image.h"

struct lock cache_lock = LOCK_INIT(RANK_CACHE);

static struct cache_transfer transfers[CACHE_TRANSFERS];
static struct cache_client *clients; /* fixed after boot */

void cache_add_client(struct cache_client *c)
{
	c->woken_end = &c->woken;
	c->next = clients;
	clients = c;
}

/* ---- lists of waiters ---- */

static void append(struct cache_waiter ***end, struct cache_waiter *w)
{
	w->next = NULL;
	w->link = *end;
	**end = w;
	*end = &w->next;
}

static void take_out(struct cache_waiter ***end, struct cache_waiter *w)
{
	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
	else
		*end = w->link;
	w->link = NULL;
}

static void wake(struct cache_waiter *w)
{
	append(&w->client->woken_end, w);
	w->client->tell(w->client);
}

struct cache_waiter *cache_woken(struct cache_client *c)
{
	struct cache_waiter *w;

	if (!cache_has_woken(c))
		return NULL;
	lock_take(&cache_lock);
	w = c->woken;
	if (w)
		take_out(&c->woken_end, w);
	lock_release(&cache_lock);
	return w;
}

void transfer_wait_locked(struct cache_transfer *t, struct cache_waiter *w)
{
	w->result = CACHE_OK;
	append(&t->waiting_end, w);
}

static bool is_in(const struct cache_waiter *list, const struct cache_waiter *w)
{
	while (list && list != w)
		list = list->next;
	return list;
}

void cache_forget(struct cache_waiter *w)
{
	lock_take(&cache_lock);
	for (u32 i = 0; i < CACHE_TRANSFERS; i++) {
		struct cache_transfer *t = &transfers[i];

		if (t->writer == w)
			t->writer = NULL;
		if (w->link && is_in(t->waiting, w))
			take_out(&t->waiting_end, w);
	}
	if (w->link)
		take_out(&w->client->woken_end, w);
	w->writes = 0;
	w->drains = w->write_failed = false;
	lock_release(&cache_lock);
}

/* ---- starved clients ---- */

void cache_starve_locked(struct cache_client *c) { c->starved = true; }

static void feed_locked(void)
{
	for (struct cache_client *c = clients; c; c = c->next) {
		if (!c->starved)
			continue;
		c->starved = false;
		c->tell(c);
	}
}

/* ---- a transfer's life ---- */

struct cache_transfer *transfer_with(u32 number) { return &transfers[number]; }

static void done(struct host_io *io, int err);

struct cache_transfer *transfer_begin_locked(struct image *im, struct cache_client *c,
					     enum host_op op)
{
	struct cache_transfer *t = transfers;

	if (c->flying == CACHE_SHARE) {
		cache_starve_locked(c);
		return NULL;
	}
	while (t < transfers + CACHE_TRANSFERS && t->busy)
		t++;
	if (t == transfers + CACHE_TRANSFERS) {
		cache_starve_locked(c);
		return NULL;
	}
	t->io = (struct host_io){ .op = op, .pieces = t->pieces, .done = done, .owner = t };
	t->n = 0;
	t->number = t - transfers;
	t->busy = true;
	t->image = im;
	t->client = c;
	t->waiting = NULL;
	t->waiting_end = &t->waiting;
	t->writer = NULL;
	t->due = 0;
	c->flying++;
	return t;
}

void transfer_cancel_locked(struct cache_transfer *t)
{
	t->busy = false;
	t->client->flying--;
}

/* Of an image in the archive: the modelled disk does one thing after the other. */
static u64 due(struct image *im, u32 nblocks)
{
	const struct disk_desc *d = im->desc;
	u64 ticks = (u64)d->seek_us * COUNT_MS / 1000;

	if (d->kb_per_second)
		ticks += (u64)nblocks * BLOCK_BYTES * 1000 * COUNT_MS /
			 ((u64)d->kb_per_second << 10);
	im->arm_free = MAX(im->arm_free, count64()) + ticks;
	return im->arm_free;
}

void transfer_start_locked(struct cache_transfer *t)
{
	struct image *im = t->image;

	t->io.npieces = t->n;
	im->stats.flying++;
	if (im->host)
		host_disk_submit(im->host, &t->io);
	else
		vtimer_ask_event(t->due = due(im, t->n));
}

static void count(struct image *im, const struct cache_transfer *t, bool ok)
{
	struct image_stats *s = &im->stats;

	s->flying--;
	if (!ok)
		s->errors++;
	else if (t->io.op == HOST_READ)
		s->reads++, s->read_blocks += t->n;
	else
		s->writes++, s->written_blocks += t->n;
}

static void tell_writer(struct cache_waiter *w, bool ok)
{
	w->write_failed |= !ok;
	if (--w->writes == 0 && w->drains) {
		w->drains = false;
		wake(w);
	}
}

static void tell_waiting(struct cache_transfer *t, bool ok)
{
	struct cache_waiter *w;

	while ((w = t->waiting)) {
		take_out(&t->waiting_end, w);
		if (!ok && t->io.op == HOST_READ)
			w->result = t->n > 1 ? CACHE_MANY_FAILED : CACHE_FAILED;
		wake(w);
	}
}

static void end_locked(struct cache_transfer *t, bool ok)
{
	count(t->image, t, ok);
	transfer_ended_locked(t, ok);
	tell_waiting(t, ok);
	if (t->writer)
		tell_writer(t->writer, ok);
	transfer_cancel_locked(t);
	feed_locked();
}

/* Node 0. */
static void done(struct host_io *io, int err)
{
	lock_take(&cache_lock);
	end_locked(io->owner, !err);
	lock_release(&cache_lock);
}

/* The modelled disks' transfers, in any order. When the next of those that are left ends; 0: none is. */
static u64 end_due_locked(void)
{
	u64 now = count64(), next = 0;

	for (u32 i = 0; i < CACHE_TRANSFERS; i++) {
		struct cache_transfer *t = &transfers[i];

		if (t->busy && t->due && t->due <= now)
			end_locked(t, true);
		else if (t->busy && t->due && (!next || t->due < next))
			next = t->due;
	}
	return next;
}

/* On the node that has begun one of them: it looks at all, whoever else does. */
void disks_event(void)
{
	u64 next;

	lock_take(&cache_lock);
	next = end_due_locked();
	lock_release(&cache_lock);
	if (next)
		vtimer_ask_event(next);
}

void disks_tick(void)
{
	if (!clients)
		return;
	lock_take(&cache_lock);
	end_due_locked();
	feed_locked();
	lock_release(&cache_lock);
}

/* ---- writes ---- */

void cache_send(struct cache_transfer *run, struct cache_waiter *w)
{
	lock_take(&cache_lock);
	if (run->n) {
		run->writer = w;
		w->writes++;
		transfer_start_locked(run);
	} else {
		transfer_cancel_locked(run);
	}
	lock_release(&cache_lock);
}

bool cache_flush(struct image *im, struct cache_waiter *w)
{
	struct cache_transfer *t;

	lock_take(&cache_lock);
	t = transfer_begin_locked(im, w->client, HOST_FLUSH);
	if (t) {
		t->writer = w;
		w->writes++;
		transfer_start_locked(t);
	}
	lock_release(&cache_lock);
	return t;
}

bool cache_drained(struct cache_waiter *w)
{
	bool drained;

	if (!__atomic_load_n(&w->writes, __ATOMIC_ACQUIRE)) /* only the caller adds to it */
		return true;
	lock_take(&cache_lock);
	drained = !w->writes;
	w->drains = !drained;
	lock_release(&cache_lock);
	return drained;
}
