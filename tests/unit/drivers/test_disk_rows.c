/* SPDX-License-Identifier: MIT */
/* drivers/disk: rows of the tables of disk.h and cache.h that chance seldom finds. */
#include "tests/unit/drivers/disk_trial.h"

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
	errors = sharing_fails = alike = false;
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
	srand(1); /* whole pages: its first number is odd */
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

/* Sixteen pages go to the guest, or become blocks, in one call: one shootdown is all that they cost. */
static void pages_go_together(void **state)
{
	const u32 sectors = SHARE_PAGES * (BLOCK_BYTES / DISK_SECTOR);
	struct disk *d = &disk[0];

	(void)state;
	begin_row();
	serve_until(ask(d, DISK_READ, 0, sectors), d, NULL);
	dma_calls = 0;
	assert_false(ask(d, DISK_READ, 0, sectors)->busy);
	assert_int_equal(dma_calls, 1);
	lent = 0;
	assert_false(ask(d, DISK_WRITE, 0, sectors)->busy);
	assert_int_equal(dma_calls, 2);
	assert_int_equal(lent, SHARE_PAGES);
	assert_false(ask(d, DISK_READ, 0, sectors)->busy);
	assert_int_equal(dma_calls, 3);
}

/* The page that guest page 0 of the disk's VM has in common with the disk; MPN_NONE: none. */
static mpn_t page_read_at_once(struct disk *d, u64 sector)
{
	own_guest_page(d->vm, 0);
	if (!disk_read_page(d->disk, sector, (gpn_t){ 0 }))
		return MPN_NONE;
	return (mpn_t){ FIRST - 1 + guest[d->vm->id][0].shared };
}

static void a_block_in_memory_is_read_at_once(void **state)
{
	struct disk *d = &disk[0];
	mpn_t page;

	(void)state;
	begin_row();
	taken[0][0] = true;				  /* no request has it */
	assert_false(mpn_valid(page_read_at_once(d, 0))); /* not in memory */
	assert_int_equal(nflying, 0);
	ask(d, DISK_READ, 0, 16);
	assert_false(mpn_valid(page_read_at_once(d, 0))); /* on its way */
	serve_until(&d->trial[0], d, NULL);
	page = page_read_at_once(d, 0);
	assert_memory_equal(fake_mpn_ptr(page), d->content, BLOCK_BYTES);
	assert_int_equal(page_held(page), 1); /* the cache's */
	assert_int_equal(page_read_at_once(&disk[3], 0).v, page.v);
	assert_false(mpn_valid(page_read_at_once(d, 1)));	    /* a block and a half */
	assert_false(mpn_valid(page_read_at_once(d, ~7ul)));	    /* no block of the disk */
	assert_false(mpn_valid(page_read_at_once(d, SECTORS - 3))); /* less than one */
	assert_false(mpn_valid(page_read_at_once(d, SECTORS + 5)));
	sharing_fails = true; /* now and then: the hold goes back */
	for (u32 i = 0; i < 64; i++) {
		page_read_at_once(d, 0);
		assert_int_equal(page_held(page), 1);
	}
	sharing_fails = false;
	serve_until(ask(d, DISK_WRITE, 0, 8), d, NULL);
	assert_int_not_equal(page_read_at_once(d, 0).v, page.v); /* what the VM has written */
	assert_int_equal(page_read_at_once(&disk[3], 0).v, page.v);
	serve_until(ask(d, DISK_ZERO, 0, 8), d, NULL);
	assert_false(mpn_valid(page_read_at_once(d, 0))); /* zeroes have no page */
	taken[0][0] = false;
}

/* Of the block, which the VM has modified. */
static mpn_t own_page_of(const struct disk *d, u64 block)
{
	return (mpn_t){ blockmap_get(&d->disk->own, block) };
}

/* One page for the guest and the block, until either is written. */
static void a_written_page_is_in_memory_once(void **state)
{
	struct disk *d = &disk[0];
	u32 before, first;
	mpn_t page;

	(void)state;
	begin_row();
	serve_until(ask(d, DISK_WRITE, 0, 8), d, NULL);
	before = promised; /* the map's page is made */
	first = d->trial[0].first_page;
	page = own_page_of(d, 0);
	assert_int_equal(guest[0][first].shared, 1 + index_of(page));
	taken[0][first] = true;
	serve_until(ask(d, DISK_WRITE, 3, 1), d,
		    NULL); /* a part: the guest's page stays as it was */
	assert_int_equal(promised, before);
	assert_int_not_equal(own_page_of(d, 0).v, page.v);
	taken[0][first] = false;
	check_shared();
	serve_until(ask(d, DISK_READ, 0, 8), d, NULL);
	check_shared();
}

/* What is read from one block, and written as it is to another, is one page of both; they part again. */
static void a_page_of_two_blocks_is_not_written(void **state)
{
	struct disk *d = &disk[0];
	mpn_t page;

	(void)state;
	begin_row();
	serve_until(ask(d, DISK_READ, 0, 8), d, NULL);
	as_it_is = true;
	serve_until(ask(d, DISK_WRITE, 80, 8), d, NULL);
	as_it_is = false;
	page = own_page_of(d, 10);
	assert_int_equal(page_held(page), 2);
	to_guest(d->vm, (u64)d->trial[0].first_page << PAGE_SHIFT, "x", 1);
	assert_int_equal(share_users(page), 0);
	serve_until(ask(d, DISK_WRITE, 82, 1), d, NULL);
	assert_int_not_equal(own_page_of(d, 10).v, page.v);
	assert_int_equal(page_held(page), 1);
	serve_until(ask(&disk[3], DISK_READ, 0, 8), &disk[3], NULL);
	serve_until(ask(d, DISK_READ, 80, 8), d, NULL);
}

/* The same where the block that was read is of an image that is written. */
static void an_image_is_not_written_through_a_lent_page(void **state)
{
	struct disk *d = &disk[0], *image = &disk[1];
	mpn_t page;

	(void)state;
	begin_row();
	serve_until(ask(image, DISK_READ, 0, 8), image, NULL);
	as_it_is = true;
	serve_until(ask(d, DISK_WRITE, 80, 8), d, NULL);
	as_it_is = false;
	page = own_page_of(d, 10);
	to_guest(d->vm, (u64)d->trial[0].first_page << PAGE_SHIFT, "x", 1);
	assert_int_equal(page_held(page), 2);
	serve_until(ask(image, DISK_WRITE, 0, 8), image, NULL);
	serve_until(ask(d, DISK_READ, 80, 8), d, NULL);
}

/* What is found in memory: no block of a transfer that the request waited for, whoever began that. */
static void found_are_blocks_that_nobody_waited_for(void **state)
{
	struct disk *d = &disk[0], *other = &disk[3];
	u64 found = d->disk->stats.hits, wanted = d->disk->stats.blocks_read;
	struct trial *first, *second;

	(void)state;
	begin_row();
	serve_until(ask(d, DISK_READ, 8, 8), d, NULL);
	first = ask(d, DISK_READ, 0, 64); /* block 1 is there; 0 is read, then 2 to 7 */
	second = ask(other, DISK_READ, 0, 8);
	serve_until(first, d, NULL);
	assert_int_equal(d->disk->stats.blocks_read - wanted, 9);
	assert_int_equal(d->disk->stats.hits - found, 1);
	found = other->disk->stats.hits;
	serve_until(second, other, NULL);
	assert_int_equal(other->disk->stats.hits, found); /* it has waited for block 0 */
	serve_until(ask(other, DISK_READ, 0, 64), other, NULL);
	assert_int_equal(other->disk->stats.hits - found, 8);
}

/* Two disks of one image that are written alike have one page, which both guests use, until one is written again. */
static void blocks_written_alike_are_one_page(void **state)
{
	struct disk *d = &disk[0], *other = &disk[3];
	mpn_t page;

	(void)state;
	begin_row();
	alike = true;
	serve_until(ask(d, DISK_WRITE, 0, 16), d, NULL);
	page = own_page_of(d, 1);
	serve_until(ask(other, DISK_WRITE, 8, 8), other, NULL);
	assert_int_equal(own_page_of(other, 1).v, page.v);
	assert_int_equal(page_held(page), 2);
	assert_int_equal(share_users(page), 2);
	assert_int_equal(other->disk->stats.alike, 1);
	check_shared();
	alike = false;
	serve_until(ask(other, DISK_WRITE, 9, 1), other, NULL);
	assert_int_not_equal(own_page_of(other, 1).v, page.v);
	assert_int_equal(page_held(page), 1);
	serve_until(ask(d, DISK_WRITE, 8, 8), d, NULL);
	assert_int_not_equal(own_page_of(d, 1).v, page.v);
	serve_until(ask(d, DISK_READ, 0, 16), d, NULL);
	serve_until(ask(other, DISK_READ, 0, 16), other, NULL);
	alike = true; /* other contents, and another block with the same */
	serve_until(ask(other, DISK_WRITE, 8, 8), other, NULL);
	assert_int_not_equal(own_page_of(other, 1).v, own_page_of(d, 1).v);
	serve_until(ask(other, DISK_WRITE, 16, 8), other, NULL);
	assert_int_equal(page_held(own_page_of(other, 2)), 1);
}

/* So have blocks of one disk, whoever of them is written afterwards. */
static void blocks_of_one_disk_written_alike_are_one_page(void **state)
{
	struct disk *d = &disk[0];
	mpn_t page;

	(void)state;
	begin_row();
	alike = true;
	serve_until(ask(d, DISK_WRITE, 0, 8), d, NULL);
	page = own_page_of(d, 0);
	serve_until(ask(d, DISK_WRITE, 256, 8), d, NULL); /* the bytes of the trial come round */
	assert_int_equal(own_page_of(d, 32).v, page.v);
	assert_int_equal(page_held(page), 2);
	check_shared();
	alike = false;
	serve_until(ask(d, DISK_WRITE, 0, 1), d, NULL);
	assert_int_not_equal(own_page_of(d, 0).v, page.v);
	assert_int_equal(page_held(page), 1);
	serve_until(ask(d, DISK_READ, 0, 8), d, NULL);
	serve_until(ask(d, DISK_READ, 256, 8), d, NULL);
	serve_until(ask(d, DISK_DISCARD, 256, 8), d, NULL);
	serve_until(ask(d, DISK_READ, 0, 8), d, NULL);
	serve_until(ask(d, DISK_READ, 256, 8), d, NULL);
}

/* What its disk writes where it is, or has no more, is found by nobody. */
static void a_block_that_changes_is_not_found(void **state)
{
	struct disk *d = &disk[0], *other = &disk[3];
	mpn_t page;

	(void)state;
	begin_row();
	alike = true;
	serve_until(ask(d, DISK_WRITE, 0, 8), d, NULL);
	page = own_page_of(d, 0);
	to_guest(d->vm, (u64)d->trial[0].first_page << PAGE_SHIFT, "x", 1);
	assert_true(share_is_sole(page));
	serve_until(ask(d, DISK_WRITE, 0, 1), d, NULL); /* as it was, and not known any more */
	assert_int_equal(own_page_of(d, 0).v, page.v);
	serve_until(ask(other, DISK_WRITE, 0, 8), other, NULL);
	assert_int_not_equal(own_page_of(other, 0).v, page.v);
	serve_until(ask(d, DISK_DISCARD, 0, 8), d, NULL);
	serve_until(ask(other, DISK_READ, 0, 8), other, NULL);

	begin_row();
	alike = true;
	serve_until(ask(d, DISK_WRITE, 0, 8), d, NULL);
	end_vm(d);
	drain();
	serve_until(ask(other, DISK_WRITE, 0, 8), other, NULL);
	assert_int_equal(page_held(own_page_of(other, 0)), 1);
	serve_until(ask(other, DISK_READ, 0, 8), other, NULL);
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
	assert_memory_equal(images[1].data + 8 * DISK_SECTOR, d->content + 8 * DISK_SECTOR,
			    16 * DISK_SECTOR);
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

/* Time passes until the disks asked to be looked at, which is then. */
static void pass_to(u64 when)
{
	assert_int_equal(event, when);
	now = when - 1;
	event = 0;
	disks_event(); /* a look before it is due changes nothing */
	assert_int_equal(event, when);
	now = when;
	event = 0;
	disks_event();
}

/* 700 us, and 8 KB at 20000 KB a second: 1100 us; the second request begins when the first has ended. */
static void an_archived_disk_takes_its_time(void **state)
{
	const u64 takes = 700 * COUNT_MS / 1000 + 8192ul * 1000 * COUNT_MS / (20000 << 10);
	u64 begun;
	struct trial *t[2];

	(void)state;
	begin_row();
	begun = now;
	event = 0;
	assert_in_range(takes, 1099 * COUNT_MS / 1000, 1101 * COUNT_MS / 1000);
	t[0] = ask(&disk[2], DISK_READ, 0, 16);
	t[1] = ask(&disk[4], DISK_READ, 32, 16);
	pass_to(begun + takes);
	service(&disk[2]);
	service(&disk[4]);
	assert_false(t[0]->busy);
	assert_true(t[1]->busy);
	pass_to(begun + 2 * takes);
	service(&disk[4]);
	assert_false(t[1]->busy);
	assert_int_equal(event, 0);
	t[1] = ask(&disk[4], DISK_READ, 0, 16); /* in memory now */
	assert_false(t[1]->busy);
	t[1] = ask(&disk[4], DISK_READ, 64, 16); /* if the interrupt is lost, the tick is there */
	pass_time(2);
	service(&disk[4]);
	assert_false(t[1]->busy);
	event = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bad_sector_spoils_its_block_alone),
		cmocka_unit_test(what_one_has_read_is_there_for_all),
		cmocka_unit_test(pages_go_together),
		cmocka_unit_test(a_block_in_memory_is_read_at_once),
		cmocka_unit_test(a_written_page_is_in_memory_once),
		cmocka_unit_test(a_page_of_two_blocks_is_not_written),
		cmocka_unit_test(an_image_is_not_written_through_a_lent_page),
		cmocka_unit_test(found_are_blocks_that_nobody_waited_for),
		cmocka_unit_test(blocks_written_alike_are_one_page),
		cmocka_unit_test(blocks_of_one_disk_written_alike_are_one_page),
		cmocka_unit_test(a_block_that_changes_is_not_found),
		cmocka_unit_test(a_limit_is_told_once),
		cmocka_unit_test(writes_that_last_are_flushed_when_they_are_done),
		cmocka_unit_test(an_abort_forgets_transfers),
		cmocka_unit_test(an_archived_disk_takes_its_time),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
