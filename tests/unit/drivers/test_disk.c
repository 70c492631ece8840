/* SPDX-License-Identifier: MIT */
/*
 * drivers/disk: the tables of disk.h and cache.h. Random requests of two VMs on copy-on-write, persistent and
 * archived disks against arrays of bytes, with memory that ends, transfers that end in any order or fail,
 * devices that are reset and VMs that end; then rows that chance seldom finds.
 */
#include "tests/unit/drivers/disk_machine.h"

#define DISKS	  5
#define REQUESTS  12 /* of a disk at a time */
#define BYTES	  ((u64)SECTORS * DISK_SECTOR)
#define BLOCKS	  ((SECTORS + 7) / 8)
#define RANGES    20
#define STEPS	  30000

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
	bool unsure[BLOCKS];	 /* a write of it did not end well */
	bool told;
	struct trial trial[REQUESTS];
} disk[DISKS];
static bool taken[VMS][GUEST]; /* pages that requests have */
static bool errors;	       /* transfers fail now and then */
static bool steady;	       /* steps have the share that the front end gives them */

static const struct disk_desc descs[VMS][4] = {
	{ { .name = "disk0", .image = "base.img", .mode = DISK_COW },
	  { .name = "disk1", .image = "work.img", .mode = DISK_PERSISTENT },
	  { .name = "disk2", .image = "slow.img", .mode = DISK_COW, .in_archive = true, .seek_us = 700, .kb_per_second = 20000 } },
	{ { .name = "disk0", .image = "base.img", .mode = DISK_COW },
	  { .name = "disk1", .image = "slow.img", .mode = DISK_COW, .in_archive = true, .seek_us = 700, .kb_per_second = 20000 } },
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

static u32 first_block(const struct disk_request *r) { return r->sector * DISK_SECTOR / BLOCK_BYTES; }
static u32 end_block(const struct disk_request *r)
{
	return (r->sector * DISK_SECTOR + r->bytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
}

static u64 end_sector(const struct disk_request *r) { return r->sector + r->bytes / DISK_SECTOR; }

/* Requests whose order would say what is read, or written last, are not under way together. */
static bool disturbs(const struct disk *d, const struct disk_request *r)
{
	for (u32 i = 0; i < REQUESTS; i++) {
		const struct disk_request *other = &d->trial[i].request;

		if (d->trial[i].busy && (r->op != DISK_READ || other->op != DISK_READ) &&
		    r->sector < end_sector(other) && other->sector < end_sector(r))
			return true;
	}
	return false;
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
		r->range[r->n++] = (struct dma_range){
			((t->first_page + i) << PAGE_SHIFT) + rand() % (PAGE_SIZE + 1 - sizes[i]), sizes[i]
		};
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

	if (t->request.op == DISK_WRITE) {
		for (u64 i = 0; i < t->request.bytes; i++)
			bytes[i] = rand();
		move_memory(d, t, bytes, true);
	}
	t->busy = true;
	disk_submit(d->disk, &t->request);
	d->told = true;
}

static void random_request(struct disk *d)
{
	struct trial *t = &d->trial[rand() % REQUESTS];
	struct disk_request *r = &t->request;
	u32 kind = rand() % 20;

	if (t->busy)
		return;
	r->op = kind < 9 ? DISK_READ : kind < 17 ? DISK_WRITE : kind == 17 ? DISK_FLUSH : kind == 18 ? DISK_ZERO : DISK_DISCARD;
	if (r->op == DISK_DISCARD && disk_desc(d->disk)->mode == DISK_PERSISTENT)
		r->op = DISK_ZERO;
	r->lasts = (r->op == DISK_WRITE || r->op == DISK_ZERO) && rand() % 4 == 0;
	r->sector = rand() % SECTORS;
	r->bytes = (u64)DISK_SECTOR * (1 + rand() % MIN(SECTORS - r->sector, 80));
	r->ranges = NULL;
	t->npages = 0;
	if (rand() % 2 && r->bytes > BLOCK_BYTES) { /* whole blocks */
		r->sector &= ~7ul;
		r->bytes &= ~(u64)(BLOCK_BYTES - 1);
	}
	if (r->op == DISK_FLUSH)
		r->sector = r->bytes = 0;
	if (disturbs(d, r) || (r->op <= DISK_WRITE && !give_memory(d, t)))
		return;
	submit(d, t);
}

/* ---- what comes of them ---- */

static bool others_write(const struct disk *d, const struct trial *t, u32 block)
{
	for (u32 i = 0; i < REQUESTS; i++) {
		const struct disk_request *r = &d->trial[i].request;

		if (&d->trial[i] != t && d->trial[i].busy && r->op != DISK_READ && first_block(r) <= block &&
		    block < end_block(r))
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
		if (at <= (u64)b * BLOCK_BYTES && at + r->bytes >= (u64)(b + 1) * BLOCK_BYTES)
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

static void guest_scribbles(void)
{
	u32 v = rand() % VMS, i = rand() % GUEST;

	if (!taken[v][i])
		to_guest(&vm[v], ((u64)i << PAGE_SHIFT) + rand() % PAGE_SIZE, "x", 1);
}

static void step(void)
{
	struct disk *d = &disk[rand() % DISKS];

	switch (rand() % 16) {
	case 0 ... 5: random_request(d); break;
	case 6 ... 9: service(d); break;
	case 10 ... 12:
		if (nflying)
			finish_transfer(rand() % nflying, !errors || rand() % 8);
		break;
	case 13: guest_scribbles(); break;
	case 14: pass_time(1 + rand() % 20); break;
	default:
		if (rand() % 10 == 0)
			abort_all(d);
		else if (rand() % 40 == 0)
			end_vm(d);
		else if (rand() % 20 == 0)
			disks_reclaim_step();
	}
}

static u32 held_pages(void)
{
	u32 n = 0;

	for (u32 i = 0; i < PAGES; i++)
		n += page[i].held != 0;
	return n;
}

/* Random steps; then all of it is read and compared, and nothing but maps is left when all have ended. */
static void run(u32 seed, u32 memory, bool with_errors)
{
	srand(seed);
	promises = memory;
	errors = with_errors;
	sharing_fails = seed % 2;
	failed = 0;
	for (u32 i = 0; i < STEPS; i++) {
		step();
		if (i % 64 == 0)
			check_shared();
		assert_true(promised <= promises);
	}
	drain();
	for (u32 i = 0; i < DISKS; i++)
		end_vm(&disk[i]);
	drain();
	while (disks_reclaim_step())
		;
	/* descriptors, and a map page of each of 3 images and 5 disks at most */
	assert_in_range(held_pages(), 0, 1 + 3 + DISKS);
}

static void whatever_guests_and_disks_do(void **state)
{
	(void)state;
	run(1, 300, false);
	assert_true(reads > 100 && writes > 100 && flushes > 10);
	run(2, 300, false);
	assert_int_equal(failed, 0);
}

static void with_transfers_that_fail(void **state)
{
	(void)state;
	run(3, 300, true);
	assert_true(failed > 10);
	run(4, 300, true);
}

/* Fewer pages than what the disks would like: requests are slow, and some writes have no space. */
static void with_little_memory(void **state)
{
	(void)state;
	run(5, 60, false);
	run(6, 45, true);
	run(7, 60, false);
}

/* ---- rows ---- */

/* Everything ended, all memory back, no transfer counted. */
static void begin_row(void)
{
	drain();
	for (u32 i = 0; i < DISKS; i++)
		end_vm(&disk[i]);
	drain();
	while (disks_reclaim_step())
		;
	promises = 300;
	errors = sharing_fails = false;
	steady = true;
	reads = writes = flushes = log_lines = 0;
}

static struct trial *ask(struct disk *d, enum disk_op op, u64 sector, u64 sectors)
{
	struct trial *t = d->trial;

	while (t->busy)
		t++;
	t->request.op = op;
	t->request.lasts = false;
	t->request.sector = sector;
	t->request.bytes = sectors * DISK_SECTOR;
	t->request.ranges = NULL;
	t->npages = 0;
	srand(2); /* whole pages */
	while (op <= DISK_WRITE && !give_memory(d, t))
		;
	submit(d, t);
	service(d);
	return t;
}

static void serve_until(const struct trial *t, struct disk *d, bool (*ok)(const struct host_io *io))
{
	for (u32 i = 0; t->busy; i++) {
		assert_true(i < 200);
		while (nflying)
			finish_transfer(0, !ok || ok(flying[0].io));
		d->told = true;
		service(d);
	}
}

static bool has_bad_sector(const struct host_io *io)
{
	u64 bytes = 0;

	for (u32 i = 0; i < io->npieces; i++)
		bytes += io->pieces[i].bytes;
	return io->sector <= 100 && 100 < io->sector + bytes / HOST_SECTOR;
}
static bool is_good(const struct host_io *io) { return !has_bad_sector(io); }

static void a_bad_sector_spoils_its_block_alone(void **state)
{
	struct trial *t;

	(void)state;
	begin_row();
	errors = true;
	t = ask(&disk[0], DISK_READ, 64, 64);
	serve_until(t, &disk[0], is_good);
	assert_int_equal(t->request.status, DISK_IO_ERROR);
	t = ask(&disk[0], DISK_READ, 64, 32);
	serve_until(t, &disk[0], is_good);
	assert_int_equal(t->request.status, DISK_OK);
	t = ask(&disk[0], DISK_READ, 104, 24);
	serve_until(t, &disk[0], is_good);
	assert_int_equal(t->request.status, DISK_OK);
	t = ask(&disk[0], DISK_WRITE, 101, 1); /* a part of the bad block */
	serve_until(t, &disk[0], is_good);
	assert_int_equal(t->request.status, DISK_IO_ERROR);
	t = ask(&disk[0], DISK_WRITE, 96, 8); /* all of it */
	serve_until(t, &disk[0], is_good);
	assert_int_equal(t->request.status, DISK_OK);
}

static void what_one_has_read_is_there_for_all(void **state)
{
	struct trial *t;

	(void)state;
	begin_row();
	t = ask(&disk[0], DISK_READ, 0, 128);
	assert_true(t->busy);
	assert_int_equal(nflying, 1);
	t = ask(&disk[3], DISK_READ, 8, 64); /* the same blocks, on their way */
	assert_true(t->busy);
	assert_int_equal(nflying, 1);
	serve_until(&disk[0].trial[0], &disk[0], NULL);
	serve_until(t, &disk[3], NULL);
	assert_int_equal(reads, 1);
	t = ask(&disk[3], DISK_READ, 0, 128);
	assert_false(t->busy);
	assert_int_equal(reads, 1);
}

static void a_limit_is_told_once(void **state)
{
	struct vm_disk *d = disk[0].disk;
	struct trial *t;

	(void)state;
	begin_row();
	d->limit = 2;
	serve_until(ask(&disk[0], DISK_WRITE, 0, 16), &disk[0], NULL);
	for (u32 i = 0; i < 2; i++) {
		t = ask(&disk[0], DISK_WRITE, 16, 8);
		serve_until(t, &disk[0], NULL);
		assert_int_equal(t->request.status, DISK_NO_SPACE);
	}
	assert_int_equal(log_lines, 1);
	t = ask(&disk[0], DISK_WRITE, 8, 8); /* what is modified already may be again */
	assert_int_equal(t->request.status, DISK_OK);
	serve_until(ask(&disk[0], DISK_DISCARD, 0, 8), &disk[0], NULL);
	t = ask(&disk[0], DISK_WRITE, 16, 8);
	assert_int_equal(t->request.status, DISK_OK);
	d->limit = 0;
}

static void writes_that_last_are_flushed_when_they_are_done(void **state)
{
	struct disk *d = &disk[1];
	struct trial *t;

	(void)state;
	begin_row();
	t = ask(d, DISK_WRITE, 8, 16);
	serve_until(t, d, NULL);
	assert_int_equal(writes, 1);
	assert_int_equal(flushes, 0);
	assert_memory_equal(images[1].data + 8 * DISK_SECTOR, d->content + 8 * DISK_SECTOR, 16 * DISK_SECTOR);
	t = ask(d, DISK_FLUSH, 0, 0);
	assert_true(t->busy);
	serve_until(t, d, NULL);
	assert_int_equal(flushes, 1);
	t = ask(d, DISK_WRITE, 0, 8);
	t->request.lasts = true;
	assert_int_equal(flying[0].io->op, HOST_WRITE);
	finish_transfer(0, true);
	service(d);
	assert_true(t->busy);
	assert_int_equal(flying[0].io->op, HOST_FLUSH);
	serve_until(t, d, NULL);
	assert_int_equal(flushes, 2);
}

/* What the device still does for a request that was given up has nothing to do with the next one in its place. */
static void an_abort_forgets_transfers(void **state)
{
	struct disk *d = &disk[1];
	struct trial *t;

	(void)state;
	begin_row();
	ask(d, DISK_WRITE, 0, 8);
	abort_all(d);
	t = ask(d, DISK_WRITE, 16, 8);
	assert_int_equal(nflying, 2);
	finish_transfer(0, true);
	d->told = true;
	service(d);
	assert_true(t->busy);
	assert_int_equal(d->disk->nout, 1);
	serve_until(t, d, NULL);
}

/* 700 us, and 8 KB at 20000 KB a second: 1100 us; the second request begins when the first has ended. */
static void an_archived_disk_takes_its_time(void **state)
{
	struct trial *t[2];

	(void)state;
	begin_row();
	t[0] = ask(&disk[2], DISK_READ, 0, 16);
	t[1] = ask(&disk[4], DISK_READ, 32, 16);
	now += 1099 * COUNT_MS / 1000;
	disks_tick();
	service(&disk[2]);
	assert_true(t[0]->busy);
	now += 2 * COUNT_MS / 1000;
	disks_tick();
	service(&disk[2]);
	service(&disk[4]);
	assert_false(t[0]->busy);
	assert_true(t[1]->busy);
	now += 1100 * COUNT_MS / 1000;
	disks_tick();
	service(&disk[4]);
	assert_false(t[1]->busy);
	t[1] = ask(&disk[4], DISK_READ, 0, 16); /* in memory now */
	assert_false(t[1]->busy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_guests_and_disks_do),
		cmocka_unit_test(with_transfers_that_fail),
		cmocka_unit_test(with_little_memory),
		cmocka_unit_test(a_bad_sector_spoils_its_block_alone),
		cmocka_unit_test(what_one_has_read_is_there_for_all),
		cmocka_unit_test(a_limit_is_told_once),
		cmocka_unit_test(writes_that_last_are_flushed_when_they_are_done),
		cmocka_unit_test(an_abort_forgets_transfers),
		cmocka_unit_test(an_archived_disk_takes_its_time),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
