/* SPDX-License-Identifier: MIT */
/*
 * drivers/host/disk.c and virtio_blk.c against a device that does what a test says: when it does a
 * request, with which result, in which order, or never. The table in drivers/host/disk.h, row by row.
 */
#include "tests/unit/drivers/block_device.h"

#define REQUESTS 400

/* ---- requests ---- */

static struct {
	struct host_io io;
	struct host_piece piece[HOST_PIECES_MAX];
	u8 memory[2048];
	bool out; /* submitted, not told of */
	int err;
	u32 ends;
} request[REQUESTS];
static u32 ended[REQUESTS], nended; /* in order */
static struct host_disk *disk;
static u32 again; /* so many requests are submitted anew when they end */

static void done(struct host_io *io, int err)
{
	u32 i = (u32)(u64)io->owner;

	assert_int_equal(locked, 0);
	assert_true(request[i].out);
	request[i].out = false;
	request[i].err = err;
	request[i].ends++;
	if (nended < REQUESTS)
		ended[nended++] = i;
	if (again) {
		again--;
		request[i].out = true;
		host_disk_submit(disk, io);
	}
}

static void prepare(u32 i, enum host_op op, u64 sector, u32 bytes, u32 pieces)
{
	struct host_io *io = &request[i].io;

	*io = (struct host_io){ op,   sector,	      request[i].piece, pieces,
				done, (void *)(u64)i, .next = NULL };
	for (u32 p = 0; p < pieces; p++)
		request[i].piece[p] = (struct host_piece){
			ptr_maddr(request[i].memory + (u64)p * (bytes / pieces)), bytes / pieces
		};
}

static void submit(u32 i, enum host_op op, u64 sector, u32 bytes, u32 pieces)
{
	prepare(i, op, sector, bytes, pieces);
	request[i].out = true;
	host_disk_submit(disk, &request[i].io);
}

static void later(u32 ms)
{
	now += ms * COUNT_MS;
	host_disks_tick();
}

static int start_with(u32 size, bool read_only)
{
	memset(&device, 0, sizeof(device));
	memset(request, 0, sizeof(request));
	memset(image, 0, sizeof(image));
	nended = again = arena_used = 0;
	device.starts = device.answers_id = true;
	device.size = size;
	device.read_only = read_only;
	host_disks_init(NULL, "");
	disk = host_disk_find("work.img");
	assert_non_null(disk);
	assert_int_equal(host_disk_sectors(disk), SECTORS);
	device.answers_id = false;
	lines[0] = 0;
	return 0;
}

static int start(void **state)
{
	(void)state;
	return start_with(VBLK_QUEUE, false);
}

#define assert_stat(field, value) assert_int_equal(host_disk_stats(disk).field, value)

/* ---- rows of the table ---- */

static void what_is_written_is_read(void **state)
{
	(void)state;
	memset(request[0].memory, 0x5a, 2048);
	submit(0, HOST_WRITE, 100, 2048, 2);
	do_all(0);
	submit(1, HOST_READ, 101, 1024, 1);
	submit(2, HOST_FLUSH, 0, 0, 0);
	assert_stat(flying, 2);
	do_all(0);
	assert_int_equal(nended, 3);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(request[i].err, 0);
	assert_memory_equal(request[1].memory, request[0].memory, 1024);
	assert_int_equal(request[1].memory[1024], 0);
	assert_stat(reads, 1);
	assert_stat(writes, 1);
	assert_stat(flushes, 1);
	assert_stat(sectors_written, 4);
	assert_stat(errors, 0);
}

static void what_has_no_room_waits_in_order(void **state)
{
	(void)state;
	start_with(16, false);
	for (u32 i = 0; i < 20; i++)
		submit(i, HOST_READ, i, 512, 1);
	assert_stat(flying, 5); /* of three descriptors each */
	assert_stat(waiting, 15);
	while (nended < 20)
		do_all(0);
	for (u32 i = 0; i < 20; i++)
		assert_int_equal(ended[i], i);
	assert_stat(flying, 0);
	assert_stat(waiting, 0);
}

static void the_device_may_end_them_in_any_order(void **state)
{
	(void)state;
	for (u32 i = 0; i < 60; i++)
		submit(i, HOST_READ, i, 512, 1 + i % 2);
	while (device.n) {
		do_one(device.n / 2, 0);
		if (device.n % 3 == 0)
			interrupt();
	}
	interrupt();
	for (u32 i = 0; i < 60; i++)
		assert_int_equal(request[i].ends, 1);
}

static void an_error_is_tried_again_then_told(void **state)
{
	(void)state;
	for (u32 try = 0; try < HOST_TRIES; try++) {
		if (!try)
			submit(0, HOST_WRITE, 7, 512, 1);
		assert_int_equal(nended, 0);
		assert_stat(flying, 1);
		do_all(1);
	}
	assert_int_equal(request[0].err, -EIO);
	assert_stat(retries, HOST_TRIES - 1);
	assert_stat(errors, 1);
	assert_string_equal(lines, "work.img: error at sector 7");
	submit(0, HOST_WRITE, 7, 512, 1);
	do_all(1);
	do_all(0);
	assert_int_equal(request[0].ends, 2);
	assert_int_equal(request[0].err, 0);
}

static void a_flush_that_failed_is_told_at_once(void **state)
{
	(void)state;
	submit(0, HOST_FLUSH, 0, 0, 0);
	do_all(1);
	assert_int_equal(request[0].err, -EIO);
	assert_stat(retries, 0);
}

static void a_late_request_resets_the_device(void **state)
{
	(void)state;
	submit(0, HOST_READ, 0, 512, 1);
	later(HOST_LATE_MS / 2);
	submit(1, HOST_READ, 1, 512, 1);
	submit(2, HOST_FLUSH, 0, 0, 0);
	later(HOST_LATE_MS / 2 - 1);
	assert_stat(resets, 0);
	later(1);
	assert_stat(resets, 1);
	assert_stat(flying, 3); /* again, in the same order */
	assert_int_equal(nended, 0);
	do_all(0);
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(ended[i], i);
		assert_int_equal(request[i].err, 0);
	}
}

static void who_is_late_each_time_gets_an_error(void **state)
{
	(void)state;
	submit(0, HOST_READ, 0, 512, 1);
	for (u32 try = 0; try < HOST_TRIES; try++) {
		assert_int_equal(nended, 0);
		submit(1, HOST_READ, 1, 512, 1); /* the others go on */
		do_one(1, 0);
		interrupt();
		assert_int_equal(request[1].err, 0);
		nended = 0;
		later(HOST_LATE_MS);
	}
	assert_int_equal(nended, 1);
	assert_int_equal(request[0].err, -EIO);
	submit(0, HOST_READ, 0, 512, 1); /* it lives */
	do_all(0);
	assert_int_equal(request[0].err, 0);
}

static void a_device_that_does_nothing_is_dead(void **state)
{
	(void)state;
	for (u32 i = 0; i < REQUESTS; i++)
		submit(i, HOST_READ, i, 512, 1);
	assert_true(host_disk_stats(disk).waiting > 0);
	for (u32 i = 0; i < HOST_RESETS; i++)
		later(HOST_LATE_MS);
	assert_int_equal(nended, REQUESTS);
	for (u32 i = 0; i < REQUESTS; i++)
		assert_int_equal(request[i].err, -EIO);
	assert_non_null(strstr(lines, "every request is an error from now on"));
	submit(0, HOST_READ, 0, 512, 1);
	assert_int_equal(request[0].ends, 1); /* never inside submit */
	later(10);
	assert_int_equal(request[0].ends, 2);
	assert_int_equal(request[0].err, -EIO);
}

static void a_device_that_does_not_start_again_is_dead(void **state)
{
	(void)state;
	submit(0, HOST_READ, 0, 512, 1);
	device.starts = false;
	later(HOST_LATE_MS);
	assert_int_equal(request[0].err, -EIO);
	assert_int_equal(request[0].ends, 1);
}

static void what_was_done_without_an_interrupt_is_not_late(void **state)
{
	(void)state;
	submit(0, HOST_READ, 0, 512, 1);
	do_one(0, 0);
	later(HOST_LATE_MS);
	assert_int_equal(request[0].ends, 1);
	assert_int_equal(request[0].err, 0);
	assert_stat(resets, 0);
}

/* 1: a request that ended; 256: no descriptor; 3: one inside of a chain. */
static void what_it_was_not_given_resets_it(void **state)
{
	static const u32 ids[] = { VBLK_QUEUE, ~0u, 1 };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(ids); i++) {
		submit(i, HOST_READ, i, 512, 1);
		give(ids[i]);
		interrupt();
		assert_stat(resets, i + 1);
		assert_int_equal(request[i].ends, 0);
		do_all(0);
		assert_int_equal(request[i].err, 0);
		assert_int_equal(request[i].ends, 1);
	}
}

static void it_is_reset_when_it_wants(void **state)
{
	(void)state;
	submit(0, HOST_WRITE, 0, 512, 1);
	device.config = device.needs_reset = true;
	interrupt();
	assert_stat(resets, 1);
	do_all(0);
	assert_int_equal(request[0].err, 0);
}

static void what_is_wrong_never_reaches_it(void **state)
{
	static const struct {
		enum host_op op;
		u64 sector;
		u32 bytes, pieces;
	} wrong[] = {
		{ HOST_READ, SECTORS, 512, 1 },
		{ HOST_READ, SECTORS - 1, 1024, 1 },
		{ HOST_READ, ~0ul, 512, 1 },
		{ HOST_READ, 0, 0, 0 },
		{ HOST_READ, 0, 0, 1 },
		{ HOST_READ, 0, 511, 1 },
		{ HOST_WRITE, SECTORS, 2048, 128 },
		{ HOST_FLUSH, 0, 512, 1 },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
		submit(i, wrong[i].op, wrong[i].sector, wrong[i].bytes, wrong[i].pieces);
		assert_int_equal(device.n, 0);
		assert_int_equal(request[i].ends, 0);
		later(10);
		assert_int_equal(request[i].err, -EIO);
		assert_int_equal(request[i].ends, 1);
	}
	prepare(9, HOST_READ, 0, 2048, 128);
	request[9].io.npieces = HOST_PIECES_MAX + 1;
	request[9].out = true;
	host_disk_submit(disk, &request[9].io);
	later(10);
	assert_int_equal(request[9].err, -EIO);
	start_with(VBLK_QUEUE, true);
	assert_true(host_disk_read_only(disk));
	submit(0, HOST_WRITE, 0, 512, 1);
	submit(1, HOST_READ, 0, 512, 1);
	do_all(0);
	later(10);
	assert_int_equal(request[0].err, -EIO);
	assert_int_equal(request[1].err, 0);
}

static void who_is_told_may_submit(void **state)
{
	(void)state;
	again = 10;
	submit(0, HOST_READ, 0, 512, 1);
	for (u32 i = 0; i < 11; i++)
		do_all(0);
	assert_int_equal(request[0].ends, 11);
	assert_false(request[0].out);
}

/* What the device does not have: a request that it has is returned by do_one alone. */
static void give_junk(u32 id)
{
	for (u32 i = 0; i < device.n; i++)
		if (device.heads[i] == id)
			return;
	give(id);
}

/*
 * Whatever the device does: each request ends once and not before it was submitted, one that ended
 * well has the right bytes, and nothing is left in the end.
 */
static void a_random_walk(void **state)
{
	u32 out = 0, ends = 0;

	(void)state;
	srand(1);
	start_with(64, false);
	for (u32 i = 0; i < SECTORS; i++)
		memset(image + i * 512, (int)(i * 7 + 1), 512);
	for (u32 step = 0; step < 300000; step++) {
		u32 what = (u32)rand() % 1000, i = (u32)rand() % REQUESTS;

		if (what < 450 && !request[i].out) {
			submit(i, what < 430 ? HOST_READ : HOST_FLUSH, (u32)rand() % (SECTORS - 4),
			       what < 430 ? 2048 : 0, what < 430 ? 1u << rand() % 5 : 0);
			out++;
		} else if (what < 930 && device.n) {
			do_one((u32)rand() % device.n, rand() % 50 == 0);
		} else if (what < 990) {
			interrupt();
		} else if (what < 998) {
			later((u32)rand() % 30);
		} else if (device.running && what == 998) {
			give_junk((u32)rand() % 70);
		} else if (device.n) {
			u32 n = device.n;

			device.n = rand() % 4 ? n : n - 1; /* it forgets one */
		}
		lines[0] = 0;
	}
	for (u32 i = 0; i < 200 && host_disk_stats(disk).flying; i++) {
		do_all(0);
		later(HOST_LATE_MS);
	}
	for (u32 i = 0; i < REQUESTS; i++) {
		ends += request[i].ends;
		assert_false(request[i].out);
		if (request[i].ends && !request[i].err && request[i].io.op == HOST_READ)
			assert_memory_equal(request[i].memory, image + request[i].io.sector * 512,
					    2048);
	}
	assert_int_equal(ends, out);
	assert_true(out > 100000);
	assert_true(host_disk_stats(disk).resets > 10);
	assert_stat(waiting, 0);
	assert_stat(flying, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_written_is_read, start),
		cmocka_unit_test_setup(what_has_no_room_waits_in_order, start),
		cmocka_unit_test_setup(the_device_may_end_them_in_any_order, start),
		cmocka_unit_test_setup(an_error_is_tried_again_then_told, start),
		cmocka_unit_test_setup(a_flush_that_failed_is_told_at_once, start),
		cmocka_unit_test_setup(a_late_request_resets_the_device, start),
		cmocka_unit_test_setup(who_is_late_each_time_gets_an_error, start),
		cmocka_unit_test_setup(a_device_that_does_nothing_is_dead, start),
		cmocka_unit_test_setup(a_device_that_does_not_start_again_is_dead, start),
		cmocka_unit_test_setup(what_was_done_without_an_interrupt_is_not_late, start),
		cmocka_unit_test_setup(what_it_was_not_given_resets_it, start),
		cmocka_unit_test_setup(it_is_reset_when_it_wants, start),
		cmocka_unit_test_setup(what_is_wrong_never_reaches_it, start),
		cmocka_unit_test_setup(who_is_told_may_submit, start),
		cmocka_unit_test_setup(a_random_walk, start),
	};

	return cmocka_run_group_tests_name("host_disk", tests, NULL, NULL);
}
