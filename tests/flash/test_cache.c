/* SPDX-License-Identifier: MIT */
/* qemu/flash/cache.c: hits, replacement, inclusion, coherence. */
#include "tests/flash/flash_test.h"

#include "qemu/flash/cache.h"

#define L1_BYTES 32768
#define L2_BYTES 1048576
#define L1_WAY	 (L1_BYTES / 2 / 64) /* lines a way apart share a set */
#define L2_WAY	 (L2_BYTES / 2 / 64) /* in 64-byte lines */
#define HIT	 HIT_L1

static struct cache_system s;

static int setup(void **state)
{
	(void)state;
	return cache_init(&s, 4, L1_BYTES, L2_BYTES, 64 << 20) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	cache_free(&s);
	return 0;
}

static enum outcome access(unsigned cpu, uint64_t line, enum access what)
{
	return cache_hits(&s, cpu, line, what) ? HIT : cache_access(&s, cpu, line, what);
}

static enum outcome read(unsigned cpu, uint64_t line) { return access(cpu, line, ACCESS_READ); }
static enum outcome write(unsigned cpu, uint64_t line) { return access(cpu, line, ACCESS_WRITE); }
static enum outcome fetch(unsigned cpu, uint64_t line) { return access(cpu, line, ACCESS_FETCH); }

static void halves_of_a_line_come_together(void **state)
{
	(void)state;
	assert_int_equal(read(0, 10), MISS);
	assert_int_equal(read(0, 10), HIT);
	assert_int_equal(read(0, 11), HIT_L2);
	assert_int_equal(read(0, 11), HIT);
	assert_int_equal(read(0, 12), MISS);
}

static void instructions_and_data_are_apart(void **state)
{
	(void)state;
	assert_int_equal(read(0, 10), MISS);
	assert_int_equal(fetch(0, 10), HIT_L2);
	assert_int_equal(fetch(0, 10), HIT);
}

static void two_ways_least_recently_used(void **state)
{
	(void)state;
	read(0, 0);
	read(0, L1_WAY);
	assert_int_equal(read(0, 0), HIT);
	assert_int_equal(read(0, 2 * L1_WAY), MISS); /* in place of L1_WAY */
	assert_int_equal(read(0, 0), HIT);
	assert_int_equal(read(0, L1_WAY), HIT_L2);
	assert_int_equal(read(0, 2 * L1_WAY), HIT_L2);
}

static void the_second_level_includes_the_first(void **state)
{
	(void)state;
	read(0, 0);
	fetch(0, 1);
	read(0, L2_WAY);
	read(0, 2 * L2_WAY); /* line 0 goes */
	assert_int_equal(s.directory[0].sharers, 0);
	assert_int_equal(fetch(0, 1), MISS);
	assert_int_equal(s.directory[0].sharers, 1);
}

static void first_write_to_a_line_read_is_an_upgrade(void **state)
{
	(void)state;
	assert_int_equal(read(0, 4), MISS);
	assert_int_equal(write(0, 4), UPGRADE);
	assert_int_equal(write(0, 4), HIT);
	assert_int_equal(write(0, 5), HIT_L2); /* the other half may be written, too */
	assert_int_equal(write(0, 5), HIT);
	assert_int_equal(write(0, 8), MISS);
	assert_int_equal(read(0, 9), HIT_L2);
	assert_int_equal(write(0, 9), HIT);
}

static void an_upgrade_covers_both_halves(void **state)
{
	(void)state;
	read(0, 4);
	read(0, 5);
	assert_int_equal(write(0, 4), UPGRADE);
	assert_int_equal(write(0, 5), HIT);
}

static void readers_share_and_a_write_takes_it_away(void **state)
{
	(void)state;
	for (unsigned cpu = 0; cpu < 4; cpu++)
		assert_int_equal(read(cpu, 6), MISS);
	assert_int_equal(s.directory[3].sharers, 0xf);
	assert_int_equal(write(2, 6), UPGRADE);
	assert_int_equal(s.directory[3].sharers, 1 << 2);
	assert_int_equal(s.directory[3].owner, 3);
	for (unsigned cpu = 0; cpu < 4; cpu++)
		assert_int_equal(s.cache[cpu].invalidations, cpu != 2);
	assert_int_equal(read(0, 6), MISS);
	assert_int_equal(s.directory[3].owner, 0);
	assert_int_equal(read(2, 6), HIT); /* it was only made read only */
	assert_int_equal(write(2, 6), UPGRADE);
}

static void writers_take_it_from_each_other(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(write(0, 20), MISS);
		assert_int_equal(write(1, 21), MISS); /* the same 128 bytes */
	}
	assert_int_equal(s.cache[0].invalidations, 10);
	assert_int_equal(s.cache[1].invalidations, 9);
}

static void a_written_line_that_goes_is_written_back(void **state)
{
	(void)state;
	write(0, 0);
	read(0, L2_WAY);
	assert_int_equal(s.cache[0].writebacks, 0);
	read(0, 2 * L2_WAY);
	assert_int_equal(s.cache[0].writebacks, 1);
	assert_int_equal(s.directory[0].owner, 0);
	assert_int_equal(write(1, 0), MISS);
	assert_int_equal(s.cache[0].invalidations, 0);
}

static void code_that_is_written_elsewhere_is_fetched_anew(void **state)
{
	(void)state;
	fetch(1, 30);
	s.cache[1].last_fetch = 30;
	write(0, 30);
	assert_int_equal(s.cache[1].last_fetch, NO_LINE);
	assert_int_equal(fetch(1, 30), MISS);
}

/*
 * Whatever happens: owner and sharers are what the caches hold, the first level is in the second.
 */
static void directory_and_caches_agree(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		access(random >> 40 & 3, (random >> 44 & 15) * L2_WAY + (random >> 50 & 7),
		       random >> 60 & 2 ? random >> 62 & 1 : ACCESS_WRITE);
	}
	for (unsigned page = 0; page < 16 * 4; page++) {
		uint64_t line2 = page / 4 * (L2_WAY / 2) + page % 4;
		unsigned sharers = 0, owner = 0;

		for (unsigned cpu = 0; cpu < 4; cpu++) {
			for (int way = 0; way < 2; way++) {
				uint64_t e = s.cache[cpu].l2[line2 & s.l2_mask].way[way];

				sharers |= (e >> 1 == line2 + 1) << cpu;
				if (e == ((line2 + 1) << 1 | 1))
					owner = cpu + 1;
			}
			for (int half = 0; half < 2; half++)
				if (cache_hits(&s, cpu, line2 * 2 + half, ACCESS_READ))
					assert_true(sharers >> cpu & 1);
		}
		assert_int_equal(s.directory[line2].sharers, sharers);
		assert_int_equal(s.directory[line2].owner, owner);
		assert_true(!owner || sharers == 1u << (owner - 1));
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(halves_of_a_line_come_together),
		TEST(instructions_and_data_are_apart),
		TEST(two_ways_least_recently_used),
		TEST(the_second_level_includes_the_first),
		TEST(first_write_to_a_line_read_is_an_upgrade),
		TEST(an_upgrade_covers_both_halves),
		TEST(readers_share_and_a_write_takes_it_away),
		TEST(writers_take_it_from_each_other),
		TEST(a_written_line_that_goes_is_written_back),
		TEST(code_that_is_written_elsewhere_is_fetched_anew),
		TEST(directory_and_caches_agree),
	};

	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
