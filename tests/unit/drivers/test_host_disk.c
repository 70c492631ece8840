/* SPDX-License-Identifier: MIT */
/*
 * drivers/host/disk.c and virtio_blk.c against a device that does what a test says: when it does a
 * request, with which result, in which order, or never. The table in drivers/host/disk.h, row by row.
 */
#include "tests/unit/drivers/block_device.h"

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
	assert_string_equal(lines, "work.img: error 1: write at sector 7 failed");
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

static void a_late_request_is_given_up(void **state)
{
	(void)state;
	memset(image, 7, 1024);
	submit(0, HOST_READ, 0, 512, 1);
	later(HOST_LATE_MS / 2);
	submit(1, HOST_READ, 1, 512, 1);
	later(HOST_LATE_MS / 2 - 1);
	assert_int_equal(nended, 0);
	later(1);
	assert_int_equal(request[0].err, -EIO);
	assert_stat(given_up, 1);
	assert_stat(flying, 1);
	assert_non_null(strstr(lines, "read at sector 0 takes too long"));
	do_all(0);
	assert_int_equal(request[1].err, 0);
	assert_int_equal(request[1].memory[0], 7);
	/* it came back, and its memory was not touched */
	assert_stat(given_up, 0);
	assert_stat(resets, 0);
	assert_int_equal(request[0].memory[0], 0);
	assert_int_equal(request[0].ends, 1);
}

static void behind_a_change_that_was_given_up_none_goes(void **state)
{
	static const enum host_op changes[] = { HOST_WRITE, HOST_FLUSH };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(changes); i++) {
		u32 bytes = changes[i] == HOST_WRITE ? 512 : 0;

		nended = 0;
		submit(0, changes[i], 0, bytes, bytes / 512);
		later(HOST_LATE_MS);
		assert_int_equal(request[0].err, -EIO);
		assert_int_equal(device.n, 1);
		submit(1, HOST_WRITE, 0, 512, 1);
		submit(2, HOST_READ, 4, 512, 1);
		submit(3, HOST_FLUSH, 0, 0, 0);
		assert_int_equal(device.n, 2); /* the read */
		assert_int_equal(nended, 1);
		later(10);
		assert_int_equal(request[1].err, -EIO);
		assert_int_equal(request[3].err, -EIO);
		do_all(0);
		assert_int_equal(request[2].err, 0);
		submit(1, HOST_WRITE, 0, 512, 1); /* all is back */
		do_all(0);
		assert_int_equal(request[1].err, 0);
	}
}

static void what_is_written_was_copied_before(void **state)
{
	(void)state;
	memset(request[0].memory, 1, 512);
	submit(0, HOST_WRITE, 0, 512, 1);
	later(HOST_LATE_MS);
	memset(request[0].memory, 2, 512); /* the caller's again */
	do_all(0);
	assert_int_equal(image[0], 1);
}

static void a_device_that_does_nothing_gives_errors(void **state)
{
	(void)state;
	for (u32 i = 0; i < REQUESTS; i++)
		submit(i, HOST_READ, i, 512, 1);
	assert_true(host_disk_stats(disk).waiting > 0);
	later(HOST_LATE_MS);
	later(10); /* those behind have no room, and nobody who makes any */
	assert_int_equal(nended, REQUESTS);
	for (u32 i = 0; i < REQUESTS; i++)
		assert_int_equal(request[i].err, -EIO);
	submit(0, HOST_READ, 0, 512, 1);
	assert_int_equal(request[0].ends, 1); /* never inside submit */
	later(10);
	assert_int_equal(request[0].ends, 2);
	do_all(0);
	assert_stat(given_up, 0);
	submit(0, HOST_READ, 0, 512, 1); /* it lives */
	do_all(0);
	assert_int_equal(request[0].err, 0);
}

static void any_pieces_of_memory_will_do(void **state)
{
	static const u32 sizes[] = { 1, 511, 3, 500, 9, 1024 };
	u32 at = 0;

	(void)state;
	for (u32 i = 0; i < 2048; i++)
		request[0].memory[i] = (u8)(i * 7 + i / 256);
	submit(0, HOST_WRITE, 3, 2048, 1);
	do_all(0);
	prepare(1, HOST_READ, 3, 2048, ARRAY_SIZE(sizes));
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		request[1].piece[i].at = ptr_maddr(request[1].memory + at);
		request[1].piece[i].bytes = sizes[i];
		at += sizes[i];
	}
	request[1].out = true;
	host_disk_submit(disk, &request[1].io);
	do_all(0);
	assert_memory_equal(request[1].memory, request[0].memory, 2048);
}

static u8 large[2][HOST_BYTES_MAX];

static void the_largest_request(void **state)
{
	(void)state;
	for (u32 i = 0; i < HOST_BYTES_MAX; i++)
		large[0][i] = (u8)(i ^ i >> 9);
	for (u32 i = 0; i < 2; i++) {
		prepare(i, i ? HOST_READ : HOST_WRITE, 8, 0, 1);
		request[i].piece[0] = (struct host_piece){ ptr_maddr(large[i]), HOST_BYTES_MAX };
		request[i].out = true;
		host_disk_submit(disk, &request[i].io);
		do_all(0);
		assert_int_equal(request[i].err, 0);
	}
	assert_memory_equal(large[0], large[1], HOST_BYTES_MAX);
}

static void a_device_that_does_not_start_again_is_dead(void **state)
{
	(void)state;
	submit(0, HOST_READ, 0, 512, 1);
	device.starts = false;
	device.config = device.needs_reset = true;
	interrupt();
	assert_int_equal(request[0].err, -EIO);
	assert_int_equal(request[0].ends, 1);
}

static void a_device_that_wants_to_be_reset_for_ever_is_dead(void **state)
{
	(void)state;
	submit(0, HOST_READ, 0, 512, 1);
	for (u32 i = 0; i < HOST_RESETS; i++) {
		assert_int_equal(nended, 0);
		device.config = device.needs_reset = true;
		interrupt();
	}
	assert_int_equal(request[0].err, -EIO);
	assert_non_null(strstr(lines, "every request is an error from now on"));
	submit(0, HOST_READ, 0, 512, 1);
	later(10);
	assert_int_equal(request[0].ends, 2);
	assert_int_equal(request[0].err, -EIO);
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

			device.n =
				rand() % 4
					? n
					: n - 1; /* it forgets one, and the queue has less room */
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
		cmocka_unit_test_setup(a_late_request_is_given_up, start),
		cmocka_unit_test_setup(behind_a_change_that_was_given_up_none_goes, start),
		cmocka_unit_test_setup(what_is_written_was_copied_before, start),
		cmocka_unit_test_setup(any_pieces_of_memory_will_do, start),
		cmocka_unit_test_setup(the_largest_request, start),
		cmocka_unit_test_setup(a_device_that_does_nothing_gives_errors, start),
		cmocka_unit_test_setup(a_device_that_wants_to_be_reset_for_ever_is_dead, start),
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
