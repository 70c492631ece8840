/* SPDX-License-Identifier: MIT */
/*
 * numa/heat.c: what the policy is told of a page, from samples and from MAGIC's counters: every
 * threshold at its edge, intervals, moves, full rings. MAGIC itself is played by the test.
 */
#include "tests/unit/unit.h"

#include "kernel/mem/memmap.h"
#include "kernel/node.h"
#include "kernel/panic.h"
#include "numa/heat.h"
#include "numa/magic.h"

#define NODES	      3
#define NODE_PAGES    1024u
#define PAGE(node, i) ((mpn_t){ 0x80000 + (u64)(node)*NODE_PAGES + (i) })
#define TRIGGER	      128
#define SHARING	      32

static struct page entries[NODES][NODE_PAGES];
static void *storage[NODES];
static u64 ms; /* never goes back, as time */

/* MAGIC's memory, as if its addresses were the machine's */
#define MAGIC_MEMORY 0x90000000ul
static struct {
	struct magic head;
	struct magic_ring ring[NODES];
	struct magic_page page[NODES * NODE_PAGES];
} magic;

void *fake_mpn_ptr(mpn_t mpn)
{
	u64 offset = mpn_maddr(mpn).v - MAGIC_MEMORY;

	assert_in_range(offset, 0, sizeof(magic) - 1);
	return (u8 *)&magic + offset;
}

_Noreturn void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

static void init_nodes(void)
{
	for (u32 i = 0; i < NODES; i++) {
		free(storage[i]);
		storage[i] = calloc(1, heat_bytes(NODE_PAGES)); /* ASan guards its end */
		memmap_init_node(i, PAGE(i, 0), NODE_PAGES, entries[i]);
		heat_init_node(i, PAGE(i, 0), NODE_PAGES, storage[i]);
	}
}

static void pass(u32 time)
{
	ms += time;
	heat_clock(ms);
}

static int samples(void **state)
{
	(void)state;
	heat_use_samples(false);
	init_nodes();
	pass(1000);
	heat_set(TRIGGER, SHARING, 1, 100);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (u32 i = 0; i < NODES; i++) {
		free(storage[i]);
		storage[i] = NULL;
	}
	return 0;
}

static void hit(u32 node, mpn_t mpn, u32 times)
{
	while (times--)
		heat_sample(node, mpn, false);
}

static void sees(u32 node, mpn_t mpn, u32 mine, u32 others, u32 writes)
{
	struct heat h = heat_read(node, mpn);

	assert_int_equal(h.mine, mine);
	assert_int_equal(h.others, others);
	assert_int_equal(h.writes, writes);
}

static void next_is(u32 node, mpn_t mpn)
{
	mpn_t found;

	assert_true(heat_next(node, &found));
	assert_int_equal(found.v, mpn.v);
}

static void none_is_next(u32 node)
{
	mpn_t found;

	assert_false(heat_next(node, &found));
}

/* ---- samples ---- */

static void a_page_is_offered_at_the_trigger(void **state)
{
	(void)state;
	hit(1, PAGE(0, 5), TRIGGER - 1);
	none_is_next(1);
	hit(1, PAGE(0, 5), 1);
	sees(1, PAGE(0, 5), TRIGGER, 0, 0);
	hit(1, PAGE(0, 5), TRIGGER - 2); /* counts end at 255 */
	next_is(1, PAGE(0, 5));
	none_is_next(1);
	hit(1, PAGE(0, 5), 500);
	none_is_next(1);
	none_is_next(0);
	none_is_next(2);
	sees(1, PAGE(0, 4), 0, 0, 0);
	sees(1, PAGE(0, 6), 0, 0, 0);
}

/* Whoever was refused may not be any more. */
static void a_page_is_offered_again_after_as_many_more(void **state)
{
	(void)state;
	heat_set(50, SHARING, 1, 100);
	for (u32 i = 0; i < 5; i++) {
		hit(1, PAGE(0, 5), 49);
		none_is_next(1);
		hit(1, PAGE(0, 5), 1);
		next_is(1, PAGE(0, 5));
	}
	hit(1, PAGE(0, 5), 500);
	none_is_next(1);
}

static void counts_end_at_255(void **state)
{
	(void)state;
	heat_set(255, SHARING, 100, 100);
	hit(1, PAGE(0, 5), 2);
	sees(1, PAGE(0, 5), 200, 0, 0);
	none_is_next(1);
	hit(1, PAGE(0, 5), 1);
	sees(1, PAGE(0, 5), 255, 0, 0);
	next_is(1, PAGE(0, 5));
	for (u32 i = 0; i < 10; i++)
		heat_sample(1, PAGE(0, 5), true);
	sees(1, PAGE(0, 5), 255, 0, 255);
	none_is_next(1);
}

static void a_sample_has_a_weight(void **state)
{
	(void)state;
	heat_set(TRIGGER, SHARING, 16, 100);
	hit(1, PAGE(0, 5), 7);
	none_is_next(1);
	sees(1, PAGE(0, 5), 7 * 16, 0, 0);
	hit(1, PAGE(0, 5), 1);
	next_is(1, PAGE(0, 5));
	heat_sample(2, PAGE(0, 5), true);
	sees(1, PAGE(0, 5), TRIGGER, 0, 16);
	heat_sample(2, PAGE(0, 5), true);
	sees(1, PAGE(0, 5), TRIGGER, 1, 32);
}

static void others_share_from_the_threshold_on(void **state)
{
	(void)state;
	hit(1, PAGE(0, 5), SHARING - 1);
	sees(1, PAGE(0, 5), SHARING - 1, 0, 0);
	sees(2, PAGE(0, 5), 0, 0, 0);
	hit(1, PAGE(0, 5), 1);
	sees(1, PAGE(0, 5), SHARING, 0, 0); /* not one of the others */
	sees(2, PAGE(0, 5), 0, 1, 0);
	hit(2, PAGE(0, 5), SHARING - 1);
	sees(1, PAGE(0, 5), SHARING, 0, 0);
	sees(2, PAGE(0, 5), SHARING - 1, 1, 0);
	hit(2, PAGE(0, 5), 1);
	hit(0, PAGE(0, 5), 200);
	for (u32 i = 0; i < NODES; i++)
		sees(i, PAGE(0, 5), i ? SHARING : 200, 2, 0);
}

static void writes_of_all_nodes_count(void **state)
{
	(void)state;
	heat_sample(1, PAGE(2, 7), true);
	heat_sample(1, PAGE(2, 7), false);
	heat_sample(0, PAGE(2, 7), true);
	sees(0, PAGE(2, 7), 1, 0, 2);
	sees(1, PAGE(2, 7), 2, 0, 2);
}

static void pages_that_nobody_owns_are_not_counted(void **state)
{
	(void)state;
	hit(1, (mpn_t){ 0 }, TRIGGER);
	hit(1, PAGE(NODES, 0), TRIGGER);
	hit(1, (mpn_t){ ~0ull }, TRIGGER);
	none_is_next(1);
	sees(1, PAGE(NODES, 0), 0, 0, 0);
	assert_int_equal(heat_read(1, (mpn_t){ 0 }).age, ~0u);
	heat_forget(PAGE(NODES, 0));
	heat_moved(PAGE(NODES, 0), (mpn_t){ 0 });
	hit(1, PAGE(NODES - 1, NODE_PAGES - 1), TRIGGER); /* the last that is */
	next_is(1, PAGE(NODES - 1, NODE_PAGES - 1));
}

/* ---- intervals ---- */

static void counts_are_of_one_interval(void **state)
{
	(void)state;
	hit(1, PAGE(0, 5), TRIGGER - 1);
	heat_sample(2, PAGE(0, 5), true);
	pass(99);
	sees(1, PAGE(0, 5), TRIGGER - 1, 0, 1);
	pass(1);
	sees(1, PAGE(0, 5), 0, 0, 0); /* before anyone touched it again */
	sees(2, PAGE(0, 5), 0, 0, 0);
	hit(1, PAGE(0, 5), TRIGGER - 1);
	sees(1, PAGE(0, 5), TRIGGER - 1, 0, 0);
	sees(2, PAGE(0, 5), 0, 1, 0);
	none_is_next(1);
	hit(1, PAGE(0, 5), 1);
	next_is(1, PAGE(0, 5));
	pass(100);
	hit(1, PAGE(0, 5), TRIGGER);
	next_is(1, PAGE(0, 5)); /* hot again */
}

/* One node's samples make the page fresh, but not the old counts of another. */
static void a_fresh_page_has_no_old_counts(void **state)
{
	(void)state;
	hit(2, PAGE(0, 5), 100);
	pass(100);
	hit(1, PAGE(0, 5), 1);
	sees(2, PAGE(0, 5), 0, 0, 0);
	hit(2, PAGE(0, 5), 28);
	sees(2, PAGE(0, 5), 28, 0, 0);
	none_is_next(2);
}

static void intervals_and_time_may_wrap(void **state)
{
	(void)state;
	/* generations of a page: 16 bits */
	for (u32 i = 0; i < 0x10002; i++) {
		hit(1, PAGE(0, 5), 1);
		pass(100);
		sees(1, PAGE(0, 5), 0, 0, 0);
	}
	/* ms: 32 bits */
	ms = 0xffffffff - 50;
	heat_clock(ms);
	hit(1, PAGE(0, 5), 3);
	heat_moved(PAGE(0, 6), PAGE(1, 6));
	pass(40);
	assert_int_equal(heat_read(1, PAGE(1, 6)).age, 40);
	sees(1, PAGE(0, 5), 3, 0, 0);
	pass(59);
	assert_int_equal(heat_read(1, PAGE(1, 6)).age, 99);
	sees(1, PAGE(0, 5), 3, 0, 0);
	pass(1);
	sees(1, PAGE(0, 5), 0, 0, 0);
}

static void new_thresholds_begin_a_new_interval(void **state)
{
	(void)state;
	hit(1, PAGE(0, 5), 50);
	heat_set(HEAT_NEVER, SHARING, 1, 100);
	sees(1, PAGE(0, 5), 0, 0, 0);
	hit(1, PAGE(0, 5), 1000);
	sees(1, PAGE(0, 5), 255, 0, 0); /* counted, but nobody is called */
	none_is_next(1);
	heat_set(1, SHARING, 1, 20);
	hit(1, PAGE(0, 5), 1);
	next_is(1, PAGE(0, 5));
	pass(20);
	sees(1, PAGE(0, 5), 0, 0, 0);
}

/* ---- candidates ---- */

static void a_full_ring_loses_the_newest(void **state)
{
	u64 lost = heat_lost(1);
	u32 i;

	(void)state;
	for (i = 0; i < MAGIC_RING + 3; i++)
		hit(1, PAGE(0, i), TRIGGER);
	assert_int_equal(heat_lost(1) - lost, 3);
	assert_int_equal(heat_lost(2), 0);
	next_is(1, PAGE(0, 0));
	hit(1, PAGE(2, 9), TRIGGER); /* there is room again */
	for (i = 1; i < MAGIC_RING; i++)
		next_is(1, PAGE(0, i));
	next_is(1, PAGE(2, 9)); /* beyond the ring's end */
	none_is_next(1);
	pass(100);
	hit(1, PAGE(0, MAGIC_RING), TRIGGER); /* a lost one comes again */
	next_is(1, PAGE(0, MAGIC_RING));
}

/* ---- moves ---- */

static void a_moved_page_starts_afresh(void **state)
{
	(void)state;
	assert_int_equal(heat_read(1, PAGE(0, 5)).age, ~0u);
	hit(1, PAGE(0, 5), 50);
	hit(2, PAGE(0, 5), 50);
	hit(2, PAGE(1, 6), 50); /* what was there before */
	heat_moved(PAGE(0, 5), PAGE(1, 6));
	sees(1, PAGE(0, 5), 0, 0, 0);
	sees(2, PAGE(1, 6), 0, 0, 0);
	assert_int_equal(heat_read(1, PAGE(0, 5)).age, ~0u);
	assert_int_equal(heat_read(1, PAGE(1, 6)).age, 0);
	pass(30);
	assert_int_equal(heat_read(0, PAGE(1, 6)).age, 30);
	heat_forget(PAGE(1, 6));
	assert_int_equal(heat_read(0, PAGE(1, 6)).age, ~0u);
}

static void a_page_can_start_afresh(void **state)
{
	(void)state;
	heat_moved(PAGE(2, 5), PAGE(1, 6));
	pass(30);
	hit(0, PAGE(1, 6), 100);
	heat_sample(2, PAGE(1, 6), true);
	heat_clear(PAGE(1, 6));
	sees(0, PAGE(1, 6), 0, 0, 0);
	assert_int_equal(heat_read(2, PAGE(1, 6)).age, 30); /* its past stays */
	assert_true(heat_read(2, PAGE(1, 6)).back);
	hit(0, PAGE(1, 6), TRIGGER - 1);
	none_is_next(0);
	hit(0, PAGE(1, 6), 1);
	next_is(0, PAGE(1, 6));
	heat_clear((mpn_t){ 0 });
}

/* Samples do not show that the page's new home uses it. */
static void who_had_a_page_before_is_known(void **state)
{
	(void)state;
	heat_moved(PAGE(2, 5), PAGE(1, 6));
	assert_true(heat_read(2, PAGE(1, 6)).back);
	assert_false(heat_read(0, PAGE(1, 6)).back);
	pass(1000);
	hit(0, PAGE(1, 6), 1);
	assert_true(heat_read(2, PAGE(1, 6)).back);
	heat_moved(PAGE(1, 6), PAGE(0, 7));
	assert_false(heat_read(2, PAGE(0, 7)).back);
	assert_true(heat_read(1, PAGE(0, 7)).back);
	assert_false(heat_read(2, PAGE(1, 6)).back);
	heat_moved(PAGE(0, 7), PAGE(0, 7)); /* collapsed where it was */
	assert_false(heat_read(0, PAGE(0, 7)).back);
	assert_int_equal(heat_read(1, PAGE(0, 7)).age, 0);

	heat_use_samples(true); /* the counters show all */
	heat_moved(PAGE(2, 5), PAGE(1, 6));
	assert_false(heat_read(2, PAGE(1, 6)).back);
}

/* ---- MAGIC ---- */

static int magics(void **state)
{
	u64 at = MAGIC_MEMORY;

	(void)state;
	memset(&magic, 0, sizeof(magic));
	magic.head = (struct magic){
		.id = MAGIC_ID,
		.range = mpn_maddr(PAGE(NODES, 0)).v,
		.rings = at + offsetof(typeof(magic), ring),
		.pages = at + offsetof(typeof(magic), page),
		.nodes = NODES,
		.clock_mhz = 400,
	};
	heat_use_magic(&magic.head);
	init_nodes();
	pass(1000);
	return 0;
}

static void magic_gets_its_thresholds(void **state)
{
	(void)state;
	assert_int_equal(heat_source(), HEAT_MAGIC);
	heat_set(96, 24, 16, 50);
	assert_int_equal(magic.head.trigger, 96);
	assert_int_equal(magic.head.sharing, 24);
	assert_int_equal(magic.head.interval, 50 * 400000);
	heat_set(HEAT_NEVER, 24, 16, 50);
	assert_int_equal(magic.head.trigger, ~0u);
}

static void magics_counters_are_read(void **state)
{
	struct magic_page *p = &magic.page[NODE_PAGES + 5];

	(void)state;
	heat_set(TRIGGER, SHARING, 16, 100);
	p->count[0] = 1000;
	p->count[1] = SHARING;
	p->count[2] = SHARING - 1;
	p->sharers = 3; /* a bit each */
	p->writes = 300;
	sees(0, PAGE(1, 5), 1000, 1, 300);
	sees(1, PAGE(1, 5), SHARING, 1, 300);
	sees(2, PAGE(1, 5), SHARING - 1, 2, 300);
	sees(2, PAGE(1, 6), 0, 0, 0);
	sees(2, PAGE(NODES, 0), 0, 0, 0);
	hit(1, PAGE(1, 5), 500); /* refills don't count here */
	sees(1, PAGE(1, 5), SHARING, 1, 300);
	assert_false(heat_read(0, PAGE(1, 5)).back);
}

static void magics_ring_is_drained(void **state)
{
	struct magic_ring *r = &magic.ring[2];

	(void)state;
	none_is_next(2);
	r->head = r->tail = 0xfffffffe; /* both go on counting */
	r->page[r->head++ % MAGIC_RING] = PAGE(0, 1).v;
	r->page[r->head++ % MAGIC_RING] = PAGE(0, 2).v;
	r->page[r->head++ % MAGIC_RING] = ~0ull;
	r->lost = 7;
	next_is(2, PAGE(0, 1));
	next_is(2, PAGE(0, 2));
	assert_int_equal(r->tail, 0);
	next_is(2, (mpn_t){ ~0ull }); /* whoever asks checks it */
	none_is_next(2);
	none_is_next(1);
	assert_int_equal(heat_lost(2), 7);
}

static void magic_is_told_of_moves(void **state)
{
	(void)state;
	heat_forget(PAGE(0, 9));
	assert_int_equal(magic.head.forget, PAGE(0, 9).v + 1);
	heat_moved(PAGE(0, 5), PAGE(1, 6));
	assert_int_equal(magic.head.forget, PAGE(1, 6).v + 1); /* the last of two */
	pass(77);
	assert_int_equal(heat_read(0, PAGE(1, 6)).age, 77);
	assert_false(heat_read(0, PAGE(1, 6)).back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_page_is_offered_at_the_trigger, samples),
		cmocka_unit_test_setup(a_page_is_offered_again_after_as_many_more, samples),
		cmocka_unit_test_setup(counts_end_at_255, samples),
		cmocka_unit_test_setup(a_sample_has_a_weight, samples),
		cmocka_unit_test_setup(others_share_from_the_threshold_on, samples),
		cmocka_unit_test_setup(writes_of_all_nodes_count, samples),
		cmocka_unit_test_setup(pages_that_nobody_owns_are_not_counted, samples),
		cmocka_unit_test_setup(counts_are_of_one_interval, samples),
		cmocka_unit_test_setup(a_fresh_page_has_no_old_counts, samples),
		cmocka_unit_test_setup(intervals_and_time_may_wrap, samples),
		cmocka_unit_test_setup(new_thresholds_begin_a_new_interval, samples),
		cmocka_unit_test_setup(a_full_ring_loses_the_newest, samples),
		cmocka_unit_test_setup(a_moved_page_starts_afresh, samples),
		cmocka_unit_test_setup(a_page_can_start_afresh, samples),
		cmocka_unit_test_setup(who_had_a_page_before_is_known, samples),
		cmocka_unit_test_setup(magic_gets_its_thresholds, magics),
		cmocka_unit_test_setup(magics_counters_are_read, magics),
		cmocka_unit_test_setup(magics_ring_is_drained, magics),
		cmocka_unit_test_setup(magic_is_told_of_moves, magics),
	};

	return cmocka_run_group_tests_name("heat", tests, NULL, end);
}
