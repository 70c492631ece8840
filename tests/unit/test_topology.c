/* SPDX-License-Identifier: MIT */
/* numa/topology.c: nodes' ranges are equal, whole pages, side by side; and what is kept is stepped
 * over. */
#include "tests/unit/unit.h"

#include "numa/topology.h"

#define BASE 0x80000000ull

static void ranges_are_equal_and_apart(void **state)
{
	u32 n, i;

	(void)state;
	for (n = 2; n <= 16; n++) {
		topology_init(n, (maddr_t){ BASE }, 500ull << 20, (maddr_t){ BASE + 0x123456 });
		for (i = 0; i < n; i++) {
			assert_int_equal(topology_bytes(i), topology_bytes(0));
			assert_int_equal(topology_base(i).v, BASE + i * topology_bytes(0));
			assert_int_equal(topology_base(i).v % PAGE_SIZE, 0);
		}
		assert_true(topology_base(n - 1).v + topology_bytes(0) <= BASE + (500ull << 20));
	}
}

static void the_image_is_the_monitors(void **state)
{
	u64 share = 8ull << 20;

	(void)state;
	topology_init(4, (maddr_t){ BASE }, 4 * share, (maddr_t){ BASE + share + 0x1234 });
	assert_int_equal(topology[0].boot_next.v, BASE + share); /* all of node 0 */
	assert_int_equal(topology[1].boot_next.v, BASE + share + 0x1234);
	assert_int_equal(topology[2].boot_next.v, BASE + 2 * share);
}

static void what_is_kept_is_stepped_over(void **state)
{
	const u64 kept = BASE + 0x10000, end = kept + 0x3001;

	(void)state;
	topology_keep((maddr_t){ kept }, 0x3001);
	assert_int_equal(topology_behind_kept((maddr_t){ kept - 0x1000 }, 0x1000).v, kept - 0x1000);
	assert_int_equal(topology_behind_kept((maddr_t){ kept - 0x1000 }, 0x1001).v, end);
	assert_int_equal(topology_behind_kept((maddr_t){ kept + 0x3000 }, 0x1000).v, end);
	assert_int_equal(topology_behind_kept((maddr_t){ end }, 0x1000).v, end);
	assert_int_equal(topology_behind_kept((maddr_t){ kept - 0x1000 }, 0x100000).v, end);
	topology_keep((maddr_t){ kept }, 0); /* nothing is kept */
	assert_int_equal(topology_behind_kept((maddr_t){ kept }, 0x1000).v, kept);
}

static void distance_is_hops(void **state)
{
	(void)state;
	assert_int_equal(topology_distance(3, 3), 0);
	assert_int_equal(topology_distance(3, 4), 1);
	assert_int_equal(topology_distance(4, 3), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_equal_and_apart),
		cmocka_unit_test(the_image_is_the_monitors),
		cmocka_unit_test(what_is_kept_is_stepped_over),
		cmocka_unit_test(distance_is_hops),
	};

	return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
