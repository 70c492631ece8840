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
	topology_connect(8, TOPOLOGY_CROSSBAR);
	assert_int_equal(topology_distance(3, 3), 0);
	assert_int_equal(topology_distance(3, 4), 1);
	assert_int_equal(topology_distance(4, 3), 1);
}

static void a_mesh_is_counted_in_rows_and_columns(void **state)
{
	(void)state;
	topology_connect(8, TOPOLOGY_MESH); /* 0 1 2 / 3 4 5 / 6 7 */
	assert_int_equal(topology_distance(0, 3), 1);
	assert_int_equal(topology_distance(0, 4), 2);
	assert_int_equal(topology_distance(2, 6), 4);
	topology_connect(16, TOPOLOGY_MESH);
	assert_int_equal(topology_distance(0, 15), 6);
	assert_int_equal(topology_distance(15, 0), 6);
	topology_connect(2, TOPOLOGY_MESH);
	assert_int_equal(topology_distance(0, 1), 1);
}

static void a_hypercube_is_counted_in_bits(void **state)
{
	(void)state;
	topology_connect(16, TOPOLOGY_HYPERCUBE);
	assert_int_equal(topology_distance(0, 15), 4);
	assert_int_equal(topology_distance(5, 6), 2);
	assert_int_equal(topology_distance(9, 9), 0);
}

/* In every shape: each node once, itself first, never a farther one before a nearer. */
static void near_nodes_come_first(void **state)
{
	static const u32 sizes[] = { 2, 3, 7, 8, 12, 16 };

	(void)state;
	for (u32 s = 0; s < ARRAY_SIZE(sizes); s++)
		for (u32 shape = TOPOLOGY_CROSSBAR; shape <= TOPOLOGY_HYPERCUBE; shape++) {
			u32 n = sizes[s];

			topology_connect(n, shape);
			for (u32 node = 0; node < n; node++) {
				u32 seen = 0, last = 0;

				assert_int_equal(topology_near(node, 0), node);
				for (u32 i = 0; i < n; i++) {
					u32 d = topology_distance(node, topology_near(node, i));

					assert_true(d >= last);
					last = d;
					seen |= 1u << topology_near(node, i);
				}
				assert_int_equal(seen, BIT(n) - 1);
			}
		}
}

static u32 backwards(u32 from, u32 to) { return from == to ? 0 : 100 - to; }

static void another_measure_may_order_them(void **state)
{
	(void)state;
	topology_connect(4, TOPOLOGY_CROSSBAR);
	assert_int_equal(topology_near(1, 1), 2); /* all equal: in turn */
	assert_int_equal(topology_near(1, 3), 0);
	topology_sort(4, backwards);
	assert_int_equal(topology_near(1, 1), 3);
	assert_int_equal(topology_near(1, 2), 2);
	assert_int_equal(topology_near(1, 3), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_equal_and_apart),
		cmocka_unit_test(the_image_is_the_monitors),
		cmocka_unit_test(what_is_kept_is_stepped_over),
		cmocka_unit_test(distance_is_hops),
		cmocka_unit_test(a_mesh_is_counted_in_rows_and_columns),
		cmocka_unit_test(a_hypercube_is_counted_in_bits),
		cmocka_unit_test(near_nodes_come_first),
		cmocka_unit_test(another_measure_may_order_them),
	};

	return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
