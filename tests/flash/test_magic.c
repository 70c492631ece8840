/* SPDX-License-Identifier: MIT */
/* qemu/flash/magic.c: the counters and rings of numa/magic.h. */
#include <stdlib.h>

#include "tests/flash/flash_test.h"

#include "numa/magic.h"
#include "qemu/flash/flash.h"

#define RAM_BYTES (512ull << 20)
#define RAM_BASE  0x80000000ull
#define PAGE	  1234ull

struct options options;
struct cpu cpus[MAX_CPUS];
unsigned cpu_count = 8;
struct ram ram;

static struct magic *m;

static void *at(uint64_t address) { return ram.host + address - RAM_BASE; }
static struct magic_page *page(void) { return (struct magic_page *)at(m->pages) + PAGE; }
static struct magic_ring *ring(unsigned node) { return (struct magic_ring *)at(m->rings) + node; }

static void store(uint64_t *field, uint64_t value)
{
	*field = value;
	magic_stored((uint64_t)((uint8_t *)field - ram.host));
}

static int setup(void **state)
{
	(void)state;
	options_default(&options);
	ram.bytes = RAM_BYTES;
	ram.host = calloc(1, RAM_BYTES);
	m = at(MAGIC_AT);
	magic_start();
	m->trigger = 4;
	m->sharing = 2;
	return ram.host ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(ram.host);
	return 0;
}

static void miss(unsigned node, unsigned times, bool write)
{
	while (times--)
		magic_count(node, PAGE, write, false);
}

static void its_memory_lies_above_equal_nodes(void **state)
{
	(void)state;
	assert_int_equal(m->id, MAGIC_ID);
	assert_int_equal(m->nodes, 8);
	assert_int_equal(m->clock_mhz, 400);
	assert_int_equal(m->range, RAM_BASE + 8 * m->node_bytes);
	assert_int_equal(m->range + m->bytes, RAM_BASE + RAM_BYTES);
	assert_true(m->rings + 8 * sizeof(struct magic_ring) <= m->range + m->bytes);
	assert_true(m->pages >= m->range);
	assert_true(m->pages + RAM_BYTES / 4096 * sizeof(struct magic_page) <= m->rings);
	assert_int_equal(m->node_bytes, ram.node_bytes);
}

static void it_keeps_out_of_small_machines(void **state)
{
	(void)state;
	memset(m, 0, sizeof(*m));
	ram.bytes = 256ull << 20;
	magic_start();
	assert_int_equal(m->id, MAGIC_ID);
	assert_int_equal(m->pages | m->rings | m->bytes, 0);
	assert_int_equal(ram.node_bytes, 32ull << 20);
	ram.bytes = RAM_BYTES;
	options.magic = 0;
	magic_start();
	assert_int_equal(m->id, MAGIC_ID);
	assert_int_equal(m->pages | m->rings | m->bytes, 0);
	memset(m, 0, sizeof(*m));
	options.magic = 2;
	options.cache = 0;
	magic_start();
	assert_int_equal(m->id, 0);
}

static void misses_count_by_node_and_saturate(void **state)
{
	(void)state;
	miss(3, 2, false);
	miss(5, 1, true);
	assert_int_equal(page()->count[3], 2);
	assert_int_equal(page()->count[5], 1);
	assert_int_equal(page()->writes, 1);
	miss(3, 70000, true);
	assert_int_equal(page()->count[3], 65535);
	assert_int_equal(page()->writes, 65535);
}

static void nothing_counts_without_a_trigger(void **state)
{
	(void)state;
	m->trigger = 0;
	miss(3, 100, false);
	assert_int_equal(page()->count[3], 0);
}

static void own_memory_does_not_count(void **state)
{
	uint64_t own = (m->range - RAM_BASE) / 4096;

	(void)state;
	for (int i = 0; i < 10; i++)
		magic_count(1, own, false, false);
	assert_int_equal(ring(1)->head, 0);
	magic_count(1, own - 1, false, false);
	assert_int_equal(((struct magic_page *)at(m->pages) + own - 1)->count[1], 1);
}

static void sharers_are_those_with_enough_misses(void **state)
{
	(void)state;
	miss(0, 1, false);
	miss(1, 2, false);
	assert_int_equal(page()->sharers, 1 << 1);
	miss(0, 1, false);
	assert_int_equal(page()->sharers, 3);
}

static void the_trigger_puts_the_page_in_the_nodes_ring(void **state)
{
	(void)state;
	miss(2, 3, false);
	assert_int_equal(ring(2)->head, 0);
	miss(2, 4, false);
	assert_int_equal(ring(2)->head, 1);
	assert_int_equal(ring(2)->page[0], RAM_BASE / 4096 + PAGE);
	miss(2, 1, false); /* as many misses again */
	assert_int_equal(ring(2)->head, 2);
	assert_int_equal(ring(2)->page[1], RAM_BASE / 4096 + PAGE);
	assert_int_equal(ring(0)->head, 0);
}

static void a_full_ring_loses_the_newest(void **state)
{
	(void)state;
	m->trigger = 1;
	for (uint64_t i = 0; i < MAGIC_RING + 3; i++)
		magic_count(2, 100 + i, false, false);
	assert_int_equal(ring(2)->head, MAGIC_RING);
	assert_int_equal(ring(2)->lost, 3);
	assert_int_equal(ring(2)->page[0], RAM_BASE / 4096 + 100);
	ring(2)->tail = 1;
	magic_count(2, 9999, false, false);
	assert_int_equal(ring(2)->page[0], RAM_BASE / 4096 + 9999);
}

static void a_nodes_own_page_does_not_trigger(void **state)
{
	(void)state;
	m->trigger = 1;
	magic_count(0, 100, false, false);
	assert_int_equal(ring(0)->head, 0);
	magic_count(1, 100, false, false);
	assert_int_equal(ring(1)->head, 1);
}

static void a_page_is_forgotten_at_the_store(void **state)
{
	(void)state;
	miss(2, 7, true);
	magic_count(2, PAGE + 1, false, false);
	store(&m->forget, RAM_BASE / 4096 + PAGE + 1);
	assert_int_equal(page()->count[2], 0);
	assert_int_equal(page()->writes, 0);
	assert_int_equal(page()->sharers, 0);
	assert_int_equal(page()[1].count[2], 1);
	assert_int_equal(m->forget, 0);
	store(&m->forget, 1); /* page 0 of the machine: no RAM */
	miss(2, 3, false);
	assert_int_equal(ring(2)->head, 1);
	miss(2, 1, false);
	assert_int_equal(ring(2)->head, 2); /* it triggers again */
}

static void upgrades_are_misses_that_are_told_apart(void **state)
{
	(void)state;
	miss(2, 3, true);
	magic_count(2, PAGE, true, true);
	assert_int_equal(page()->count[2], 4);
	assert_int_equal(page()->writes, 4);
	assert_int_equal(page()->upgrades, 1);
	store(&m->forget, RAM_BASE / 4096 + PAGE + 1);
	assert_int_equal(page()->upgrades, 0);
}

static void what_a_page_is_stays(void **state)
{
	(void)state;
	assert_int_equal(magic_kind(PAGE), MAGIC_GUEST);
	page()->kind = MAGIC_PMAP;
	miss(2, 7, true);
	store(&m->forget, RAM_BASE / 4096 + PAGE + 1);
	assert_int_equal(magic_kind(PAGE), MAGIC_PMAP);
	m->interval = 1000;
	magic_time(10);
	miss(2, 1, false);
	magic_time(1010);
	assert_int_equal(page()->count[2], 0);
	assert_int_equal(magic_kind(PAGE), MAGIC_PMAP);
	page()->kind = MAGIC_KINDS; /* nothing that it knows */
	assert_int_equal(magic_kind(PAGE), MAGIC_GUEST);
	assert_int_equal(magic_kind(RAM_BYTES / 4096), MAGIC_GUEST);
	page()->kind = MAGIC_L2TLB;
	magic_start(); /* the machine was reset */
	assert_int_equal(magic_kind(PAGE), MAGIC_GUEST);
}

static void counters_are_cleared_each_interval(void **state)
{
	(void)state;
	m->interval = 1000;
	magic_time(10);
	miss(2, 3, true);
	store(&m->forget, RAM_BASE / 4096 + PAGE + 1);
	miss(2, 3, true);
	magic_time(1009);
	assert_int_equal(page()->count[2], 3);
	magic_time(1010);
	assert_int_equal(page()->count[2], 0);
	assert_int_equal(page()->writes, 0);
	miss(2, 1, true);
	magic_time(2009);
	assert_int_equal(page()->count[2], 1);
	magic_time(2010);
	assert_int_equal(page()->count[2], 0);
}

static void the_monitor_says_whose_instructions_they_are(void **state)
{
	(void)state;
	assert_int_equal(magic_vm(3), 0);
	m->current[3] = 2;
	assert_int_equal(magic_vm(3), 2);
	m->current[3] = MAX_VMS;
	assert_int_equal(magic_vm(3), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(its_memory_lies_above_equal_nodes),
		TEST(it_keeps_out_of_small_machines),
		TEST(misses_count_by_node_and_saturate),
		TEST(nothing_counts_without_a_trigger),
		TEST(own_memory_does_not_count),
		TEST(sharers_are_those_with_enough_misses),
		TEST(the_trigger_puts_the_page_in_the_nodes_ring),
		TEST(a_full_ring_loses_the_newest),
		TEST(a_nodes_own_page_does_not_trigger),
		TEST(a_page_is_forgotten_at_the_store),
		TEST(counters_are_cleared_each_interval),
		TEST(upgrades_are_misses_that_are_told_apart),
		TEST(what_a_page_is_stays),
		TEST(the_monitor_says_whose_instructions_they_are),
	};

	return cmocka_run_group_tests_name("magic", tests, NULL, NULL);
}
