/* SPDX-License-Identifier: MIT */
/*
 * Disks of two VMs, copy-on-write, persistent and archived, with requests to them and arrays of bytes that
 * say what is to be read: for test_disk.c and test_disk_rows.c.
 */
#ifndef TESTS_UNIT_DRIVERS_DISK_TRIAL_H
#define TESTS_UNIT_DRIVERS_DISK_TRIAL_H

#include "tests/unit/drivers/disk_machine.h"

#define DISKS	 5
#define REQUESTS 12 /* of a disk at a time */
#define BYTES	 ((u64)SECTORS * DISK_SECTOR)
#define BLOCKS	 ((SECTORS + 7) / 8)
#define RANGES	 20

/* A request with its memory. */
struct trial {
	struct disk_request request; /* the first field */
	struct disk_ranges ranges[RANGES / DISK_RANGES + 1];
	bool busy;
	u32 first_page, npages; /* of the guest */
};

static struct disk {
	u8 memory[DISK_BYTES] __attribute__((aligned(8)));
	struct vm_disk *disk;
	struct vm *vm;
	u8 content[SECTORS * DISK_SECTOR]; /* what it should be */
	bool unsure[BLOCKS];		   /* a write of it did not end well */
	bool told;
	struct trial trial[REQUESTS];
} disk[DISKS];
static bool taken[VMS][GUEST]; /* pages that requests have */
static bool errors;	       /* transfers fail now and then */
static bool as_it_is; /* what is written is what happens to be there, from a disk perhaps */
static bool alike;    /* what is written is what every disk has there */
static bool steady;   /* steps have the share that the front end gives them */

static const struct disk_desc descs[VMS][4] = {
	{ { .name = "disk0", .image = "base.img", .mode = DISK_COW },
	  { .name = "disk1", .image = "work.img", .mode = DISK_PERSISTENT },
	  { .name = "disk2",
	    .image = "slow.img",
	    .mode = DISK_COW,
	    .in_archive = true,
	    .seek_us = 700,
	    .kb_per_second = 20000 } },
	{ { .name = "disk0", .image = "base.img", .mode = DISK_COW },
	  { .name = "disk1",
	    .image = "slow.img",
	    .mode = DISK_COW,
	    .in_archive = true,
	    .seek_us = 700,
	    .kb_per_second = 20000 } },
};
static struct vm_desc vm_desc[VMS];

static void tell(void *front) { ((struct disk *)front)->told = true; }

static const u8 *image_content(const struct disk *d)
{
	if (disk_desc(d->disk)->in_archive)
		return archived;
	return host_disk_find(disk_desc(d->disk)->image)->data;
}

static int start(void **state)
{
	static const u32 ndisks[VMS] = { 3, 2 };
	u32 n = 0;

	(void)state;
	srand(1);
	for (u64 i = 0; i < BYTES; i++) {
		images[0].data[i] = rand();
		images[1].data[i] = rand();
		archived[i] = rand();
	}
	promises = 300;
	for (u32 v = 0; v < VMS; v++) {
		vm[v].id = v;
		vm[v].desc = &vm_desc[v];
		memcpy(vm_desc[v].disks, descs[v], sizeof(descs[v]));
		for (u32 i = 0; i < ndisks[v]; i++, n++) {
			disk[n].vm = &vm[v];
			disk[n].disk = (struct vm_disk *)disk[n].memory;
			disk_init(disk[n].disk, &vm[v], i, tell, &disk[n]);
			assert_int_equal(disk_sectors(disk[n].disk), SECTORS);
			memcpy(disk[n].content, image_content(&disk[n]), BYTES);
		}
	}
	disks_start();
	return 0;
}

/* ---- requests ---- */

static u32 first_block(const struct disk_request *r)
{
	return r->sector * DISK_SECTOR / BLOCK_BYTES;
}
static u32 end_block(const struct disk_request *r)
{
	return (r->sector * DISK_SECTOR + r->bytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
}

/* Free guest pages for n ranges, side by side; GUEST: there are none. */
static u32 find_pages(const struct vm *of, u32 n)
{
	u32 first = rand() % GUEST, run = 0;

	for (u32 i = first; i < GUEST; i++) {
		run = taken[of->id][i] ? 0 : run + 1;
		if (run == n)
			return i + 1 - n;
	}
	return GUEST;
}

/* Bytes of the request in ranges of up to a page, each in a page of its own: aligned whole pages often. */
static bool give_memory(struct disk *d, struct trial *t)
{
	u32 sizes[RANGES], n = 0;
	bool pages = rand() % 2;
	struct disk_ranges *r = t->ranges;

	for (u64 left = t->request.bytes; left; left -= sizes[n++]) {
		if (n == RANGES)
			return false;
		sizes[n] = MIN(left, pages ? PAGE_SIZE : 1 + rand() % PAGE_SIZE);
	}
	t->first_page = find_pages(d->vm, n);
	t->npages = n;
	if (t->first_page == GUEST)
		return false;
	r->n = 0;
	r->next = NULL;
	for (u32 i = 0; i < n; i++) {
		if (r->n == DISK_RANGES) {
			r->next = r + 1;
			r++;
			r->n = 0;
			r->next = NULL;
		}
		r->range[r->n++] = (struct dma_range){ ((t->first_page + i) << PAGE_SHIFT) +
							       rand() % (PAGE_SIZE + 1 - sizes[i]),
						       sizes[i] };
		taken[d->vm->id][t->first_page + i] = true;
	}
	t->request.ranges = t->ranges;
	return true;
}

/* The bytes of the request's memory, one after the other, as what is in `bytes` or the other way round. */
static void move_memory(const struct disk *d, const struct trial *t, u8 *bytes, bool to_memory)
{
	for (const struct disk_ranges *r = t->ranges; r; r = r->next)
		for (u32 i = 0; i < r->n; bytes += r->range[i++].bytes) {
			if (to_memory)
				to_guest(d->vm, r->range[i].gpa, bytes, r->range[i].bytes);
			else
				memcpy(bytes, guest_at(d->vm, r->range[i].gpa), r->range[i].bytes);
		}
}

static void submit(struct disk *d, struct trial *t)
{
	static u8 bytes[SECTORS * DISK_SECTOR];

	if (t->request.op == DISK_WRITE && !as_it_is) {
		for (u64 i = 0; i < t->request.bytes; i++)
			bytes[i] = alike ? (u8)(t->request.sector + i / DISK_SECTOR) : (u8)rand();
		move_memory(d, t, bytes, true);
	}
	t->busy = true;
	disk_submit(d->disk, &t->request);
	d->told = true;
}

/* ---- what comes of them ---- */

static bool others_write(const struct disk *d, const struct trial *t, u32 block)
{
	for (u32 i = 0; i < REQUESTS; i++) {
		const struct disk_request *r = &d->trial[i].request;

		if (&d->trial[i] != t && d->trial[i].busy && r->op != DISK_READ &&
		    first_block(r) <= block && block < end_block(r))
			return true;
	}
	return false;
}

/* A write to the block is on its way to the image, of a request that was aborted perhaps: it may still fail. */
static bool is_being_written(const struct disk *d, u32 block)
{
	u64 at = (u64)block * (BLOCK_BYTES / HOST_SECTOR), end = at + BLOCK_BYTES / HOST_SECTOR;

	for (u32 i = 0; i < nflying; i++) {
		const struct host_io *io = flying[i].io;
		u64 to = io->sector;

		for (u32 n = 0; n < io->npieces; n++)
			to += io->pieces[n].bytes / HOST_SECTOR;
		if (io->op == HOST_WRITE && flying[i].disk->data == image_content(d) &&
		    io->sector < end && at < to)
			return true;
	}
	return false;
}

/* After a write that did not end well, what the disk says is as good as anything. */
static void check_read(struct disk *d, struct trial *t)
{
	static u8 bytes[SECTORS * DISK_SECTOR];
	struct disk_request *r = &t->request;
	u64 at = r->sector * DISK_SECTOR;

	move_memory(d, t, bytes, false);
	for (u64 i = 0; i < r->bytes; i++) {
		if (d->unsure[(at + i) / BLOCK_BYTES])
			d->content[at + i] = bytes[i];
		assert_int_equal(bytes[i], d->content[at + i]);
	}
	for (u32 b = first_block(r); b < end_block(r) && !others_write(d, t, b); b++)
		if (at <= (u64)b * BLOCK_BYTES && at + r->bytes >= (u64)(b + 1) * BLOCK_BYTES &&
		    !is_being_written(d, b))
			d->unsure[b] = false;
}

/* Whole blocks are zero after a discard; of the others nothing is known but that they are as they were. */
static void note_discard(struct disk *d, const struct disk_request *r)
{
	for (u32 b = first_block(r); b < end_block(r); b++) {
		u64 from = (u64)b * BLOCK_BYTES, end = MIN(from + BLOCK_BYTES, BYTES);

		if (r->sector * DISK_SECTOR <= from && r->sector * DISK_SECTOR + r->bytes >= end)
			memset(d->content + from, 0, end - from);
	}
}

static void free_trial(struct disk *d, struct trial *t)
{
	t->busy = false;
	for (u32 i = 0; i < t->npages; i++)
		taken[d->vm->id][t->first_page + i] = false;
}

static void note_unsure(struct disk *d, const struct disk_request *r)
{
	for (u32 b = first_block(r); r->op != DISK_READ && b < end_block(r); b++)
		d->unsure[b] = true;
}

static u32 failed;

static void ended(struct disk *d, struct trial *t)
{
	struct disk_request *r = &t->request;

	assert_true(t->busy);
	if (r->status != DISK_OK) {
		failed++;
		assert_true(errors || (r->status == DISK_NO_SPACE && r->op != DISK_READ));
		note_unsure(d, r);
	} else if (r->op == DISK_READ) {
		check_read(d, t);
	} else if (r->op == DISK_WRITE) {
		move_memory(d, t, d->content + r->sector * DISK_SECTOR, false);
	} else if (r->op == DISK_ZERO) {
		memset(d->content + r->sector * DISK_SECTOR, 0, r->bytes);
	} else if (r->op == DISK_DISCARD) {
		note_discard(d, r);
	}
	free_trial(d, t);
}

static void service(struct disk *d)
{
	u32 budget = steady ? 64 : 1 + rand() % 40;
	struct disk_request *r;

	if (!d->told)
		return;
	d->told = false;
	if (disk_service(d->disk, &budget))
		d->told = true;
	while ((r = disk_next_ended(d->disk)))
		ended(d, (struct trial *)r);
}

static void pass_time(u32 ms)
{
	now += ms * COUNT_MS;
	disks_tick();
}

/* Everything that is under way ends: nobody was forgotten. */
static void drain(void)
{
	bool busy = true;

	for (u32 round = 0; busy; round++) {
		assert_true(round < 4000);
		while (nflying)
			finish_transfer(rand() % nflying, true);
		pass_time(10);
		busy = false;
		for (u32 i = 0; i < DISKS; i++) {
			service(&disk[i]);
			busy |= ((struct vm_disk *)disk[i].disk)->nout != 0;
		}
	}
}

static void abort_all(struct disk *d)
{
	disk_abort(d->disk);
	for (u32 i = 0; i < REQUESTS; i++) {
		if (!d->trial[i].busy)
			continue;
		note_unsure(d, &d->trial[i].request);
		free_trial(d, &d->trial[i]);
	}
}

/* What it modified is gone. Writes to a persistent disk are still on their way. */
static void end_vm(struct disk *d)
{
	u32 steps = 0;

	abort_all(d);
	while (!disk_release(d->disk))
		assert_true(steps++ < 100000);
	assert_int_equal(d->disk->modified, 0);
	if (disk_desc(d->disk)->mode == DISK_PERSISTENT)
		return;
	memcpy(d->content, image_content(d), BYTES);
	memset(d->unsure, 0, sizeof(d->unsure));
}

#endif /* TESTS_UNIT_DRIVERS_DISK_TRIAL_H */
