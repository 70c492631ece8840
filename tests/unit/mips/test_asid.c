/* SPDX-License-Identifier: MIT */
/* arch/mips/asid.c: no two live slots ever share a machine ASID, and the flush is asked for exactly
 * when one is used again. */
#include "tests/unit/unit.h"

#include "arch/mips/asid.h"

#define SLOTS 3000

static struct asid_pool pool;
static u64 slots[SLOTS];

static int fill(void **state)
{
	(void)state;
	asid_pool_init(&pool);
	memset(slots, 0, sizeof(slots));
	return 0;
}

static void a_slot_keeps_its_asid(void **state)
{
	bool flush;
	u32 asid = asid_get(&pool, &slots[0], &flush);

	(void)state;
	assert_in_range(asid, 1, ASID_COUNT - 1);
	assert_false(flush);
	assert_int_equal(asid_get(&pool, &slots[0], &flush), asid);
	assert_int_equal(asid_peek(&pool, slots[0]), asid);
	assert_int_equal(asid_peek(&pool, slots[1]), 0);
}

static void slots_differ_within_a_generation(void **state)
{
	bool used[ASID_COUNT] = { false };
	bool flush;
	u32 i, asid;

	(void)state;
	for (i = 0; i < ASID_COUNT - 1; i++) {
		asid = asid_get(&pool, &slots[i], &flush);
		assert_false(flush);
		assert_in_range(asid, 1, ASID_COUNT - 1);
		assert_false(used[asid]);
		used[asid] = true;
	}
	assert_false(used[ASID_GLOBAL]);
}

static void a_new_generation_flushes_and_voids_the_old(void **state)
{
	bool flush;
	u32 i;

	(void)state;
	for (i = 0; i < ASID_COUNT - 1; i++)
		asid_get(&pool, &slots[i], &flush);
	assert_int_not_equal(asid_peek(&pool, slots[0]), 0);
	assert_int_equal(asid_get(&pool, &slots[i], &flush), 1);
	assert_true(flush);
	for (i = 0; i < ASID_COUNT - 1; i++)
		assert_int_equal(asid_peek(&pool, slots[i]), 0);
	asid_get(&pool, &slots[0], &flush);
	assert_false(flush);
}

/* Many slots used at random: whenever one gets an ASID, no other live slot has it. */
static void live_slots_never_share(void **state)
{
	u64 owner[ASID_COUNT];
	u32 random = 7;
	bool flush;
	int i;

	(void)state;
	memset(owner, 0xff, sizeof(owner));
	for (i = 0; i < 200000; i++) {
		u32 s, asid;

		random = random * 1664525 + 1013904223;
		s = (random >> 8) % SLOTS;
		asid = asid_get(&pool, &slots[s], &flush);
		if (flush)
			memset(owner, 0xff, sizeof(owner));
		assert_true(owner[asid] == s || owner[asid] == ~0ull);
		owner[asid] = s;
		if (random >> 28 == 0) { /* the slot's owner drops it: TLBINV */
			slots[s] = 0;
			owner[asid] = ~0ull - 1;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_slot_keeps_its_asid, fill),
		cmocka_unit_test_setup(slots_differ_within_a_generation, fill),
		cmocka_unit_test_setup(a_new_generation_flushes_and_voids_the_old, fill),
		cmocka_unit_test_setup(live_slots_never_share, fill),
	};

	return cmocka_run_group_tests_name("asid", tests, NULL, NULL);
}
