/* SPDX-License-Identifier: MIT */
/* kernel/mem/pmap_state.c: a page of a VM changes as the table of pmap_state.h says, and not otherwise. */
#include "tests/unit/unit.h"

#include "arch/mips/arch.h"
#include "kernel/mem/pmap_state.h"
#include "kernel/panic.h"

#define GPN  ((gpn_t){ 3 })
#define NODE 2
#define S    PMAP_MASTER_SHARED

static struct pmap_page pages[8];
static struct pmap_entry entries[8];
static u16 shown[8];
static struct pmap pmap = {
	.npages = 8, .page = pages, .shown = shown, .view[NODE].entry = entries
};

void pmap_large_changed_locked(struct pmap *p, gpn_t gpn, u32 of) { (void)p, (void)gpn, (void)of; }

_Noreturn void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

void lock_assert(const struct lock *l) { assert_ptr_equal(l, &pmap.range[0].lock); }

/* At least one page of each state; UNUSED first. */
static const struct pmap_page examples[] = {
	{ 0, 0, 0 },
	{ 0x80010, 0, 0 },
	{ 0x80010, 0, PMAP_BUSY_LEAVING },
	{ 0x80010, 0, 1 },
	{ 0x80010, 1 << 5, 16 },
	{ 0x80010, 1 << 5, 0 },
	{ 0x80010 | S, 0, 0 },
	{ 0x80010, 0, PMAP_BUSY_PINNED + 1 },
	{ 0x80010 | S, 0, 1 },
	{ 0x80010 | S, 1 << 5, 0 },
	{ 0x80010, 0, PMAP_BUSY_PINNED + 2 },
	{ 0, 0, PMAP_BUSY_BALLOON },
	/* impossible ones */
	{ 0x80010, 1, PMAP_BUSY_PINNED + 1 },
	{ 0x80010 | S, 0, PMAP_BUSY_PINNED + 1 },
	{ 0x80010 | S, 0, PMAP_BUSY_LEAVING },
	{ 0x80010, 0, PMAP_BUSY_PINNED },
	{ 0, 1, 0 },
	{ 0, 0, 1 },
	{ 0, 0, PMAP_BUSY_LEAVING },
	{ 0x80010, 1, PMAP_BUSY_LEAVING },
	{ 0x80010, 0, 17 },
	{ 0, 1, PMAP_BUSY_BALLOON },
};
static const enum pmap_state states[ARRAY_SIZE(examples)] = {
	PMAP_UNUSED,	 PMAP_SINGLE,	  PMAP_LEAVING,	   PMAP_COPIED,	    PMAP_COPIED,
	PMAP_REPLICATED, PMAP_SHARED,	  PMAP_PINNED,	   PMAP_COPIED,	    PMAP_REPLICATED,
	PMAP_PINNED,	 PMAP_BALLOONED,  PMAP_IMPOSSIBLE, PMAP_IMPOSSIBLE, PMAP_IMPOSSIBLE,
	PMAP_IMPOSSIBLE, PMAP_IMPOSSIBLE, PMAP_IMPOSSIBLE, PMAP_IMPOSSIBLE, PMAP_IMPOSSIBLE,
	PMAP_IMPOSSIBLE, PMAP_IMPOSSIBLE,
};

/*
 * A row from each state, a column to each: UNUSED, SINGLE, LEAVING, COPIED, REPLICATED, SHARED, PINNED,
 * BALLOONED, IMPOSSIBLE.
 */
static const bool allowed[][PMAP_IMPOSSIBLE + 1] = {
	[PMAP_UNUSED] = { 0, 1, 0, 0, 0, 1, 0, 1, 0 },
	[PMAP_SINGLE] = { 1, 0, 1, 1, 0, 1, 1, 1, 0 },
	[PMAP_LEAVING] = { 0, 1, 0, 0, 0, 0, 0, 0, 0 },
	[PMAP_COPIED] = { 0, 0, 0, 1, 1, 0, 0, 0, 0 },
	[PMAP_REPLICATED] = { 1, 1, 0, 1, 1, 1, 0, 0, 0 },
	[PMAP_SHARED] = { 1, 1, 0, 1, 0, 1, 0, 1, 0 },
	[PMAP_PINNED] = { 0, 1, 0, 0, 0, 0, 1, 0, 0 },
	[PMAP_BALLOONED] = { 1, 0, 0, 0, 0, 0, 0, 0, 0 },
	[PMAP_IMPOSSIBLE] = { 0, 0, 0, 0, 0, 0, 0, 0, 0 },
};

/* A master of the other kind comes only to a page that is alone, and is alone with it. */
static bool kind_fits(struct pmap_page a, struct pmap_page b)
{
	return !b.master || (a.master & S) == (b.master & S) ||
	       !(a.replicas | a.busy | b.replicas | b.busy);
}

static struct pmap_page to;

static u32 from;

static void do_change(void) { pmap_change_locked(&pmap, GPN, from, to); }

static void refused(void (*change)(void)) { expect_assert_failure(change()); }

static void states_are_told_from_the_fields(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(examples); i++)
		assert_int_equal(pmap_state_of(examples[i]), states[i]);
}

static void every_change_is_in_the_table_or_ends_the_monitor(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(examples); i++)
		for (u32 k = 0; k < ARRAY_SIZE(examples); k++) {
			pages[GPN.v] = examples[i];
			to = examples[k];
			from = ~0u;
			if (allowed[states[i]][states[k]] && kind_fits(examples[i], examples[k])) {
				do_change();
				assert_int_equal(pmap_state_of(pages[GPN.v]), states[k]);
				pages[GPN.v] = examples[i];
				from = ~BIT(states[i]); /* not what the caller expects */
				refused(do_change);
				continue;
			}
			refused(do_change);
			assert_memory_equal(&pages[GPN.v], &examples[i], sizeof(examples[i]));
		}
}

/* ---- what numa/ calls ---- */

static void do_leave(void) { pmap_leave_locked(&pmap, GPN); }
static void do_arrive(void) { pmap_arrive_locked(&pmap, GPN, (mpn_t){ 0x80020 }); }
static void do_begin(void) { pmap_copy_begin_locked(&pmap, GPN); }
static void do_end(void) { pmap_copy_end_locked(&pmap, GPN, NODE, (mpn_t){ 0x80030 }); }
static void do_collapse(void) { pmap_collapse_locked(&pmap, GPN, (mpn_t){ 0x80030 }); }

#define NO PMAP_IMPOSSIBLE

static const struct {
	void (*change)(void);
	u8 becomes[10]; /* of the first ten examples */
} changes[] = {
	{ do_leave, { NO, PMAP_LEAVING, NO, NO, NO, NO, NO, NO, NO, NO } },
	{ do_arrive, { NO, NO, PMAP_SINGLE, NO, NO, NO, NO, NO, NO, NO } },
	{ do_begin,
	  { NO, PMAP_COPIED, NO, PMAP_COPIED, NO, PMAP_COPIED, PMAP_COPIED, NO, PMAP_COPIED,
	    PMAP_COPIED } },
	{ do_end, { NO, NO, NO, PMAP_REPLICATED, PMAP_COPIED, NO, NO, NO, PMAP_REPLICATED, NO } },
	{ do_collapse, { NO, NO, NO, NO, NO, PMAP_SINGLE, NO, NO, NO, PMAP_SHARED } },
};

static void moves_and_copies_are_for_some_states_only(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(changes); i++)
		for (u32 k = 0; k < 10; k++) {
			pages[GPN.v] = examples[k];
			if (changes[i].becomes[k] == NO) {
				refused(changes[i].change);
				continue;
			}
			changes[i].change();
			assert_int_equal(pmap_state_of(pages[GPN.v]), changes[i].becomes[k]);
		}
}

static void who_may_go_is_told_before(void **state)
{
	static const bool leave[] = { 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 },
			  copy[] = { 0, 1, 0, 1, 1, 1, 1, 0, 1, 1 };

	(void)state;
	for (u32 k = 0; k < 10; k++) {
		pages[GPN.v] = examples[k];
		assert_int_equal(pmap_may_leave_locked(&pmap, GPN), leave[k]);
		assert_int_equal(pmap_may_copy_locked(&pmap, GPN, NODE), copy[k]);
	}
	assert_false(pmap_may_copy_locked(&pmap, GPN, 5)); /* once is enough */
}

static void a_copy_that_is_made_is_a_replica_that_its_node_sees(void **state)
{
	(void)state;
	pages[GPN.v] = (struct pmap_page){ .master = 0x80010 };
	entries[GPN.v].lo = 0;
	do_begin();
	assert_true(nodemask_empty(pmap_copies(&pmap, GPN).replicas));
	do_end();
	assert_true(nodemask_is(pmap_copies(&pmap, GPN).replicas, NODE));
	assert_int_equal(pmap_copies(&pmap, GPN).master.v, 0x80010);
	assert_int_equal(arch_entry_page(entries[GPN.v].lo).v, 0x80030);
	assert_false(arch_entry_writable(entries[GPN.v].lo));
	assert_int_equal(pmap_hide_locked(&pmap, GPN, NODE).v, 0x80030);
	assert_int_equal(pmap_hide_locked(&pmap, GPN, NODE).v, MPN_NONE.v);
	assert_int_equal(entries[GPN.v].lo, 0);
}

static void the_right_to_write_goes_once(void **state)
{
	(void)state;
	entries[GPN.v].lo = arch_page_entry((mpn_t){ 0x80010 });
	shown[GPN.v] = BIT(NODE);
	assert_true(pmap_downgrade_locked(&pmap, GPN, NODE));
	assert_false(pmap_downgrade_locked(&pmap, GPN, NODE));
	assert_int_equal(entries[GPN.v].lo,
			 arch_readonly_entry(arch_page_entry((mpn_t){ 0x80010 })));
	entries[GPN.v].lo = 0;
	assert_false(pmap_downgrade_locked(&pmap, GPN, NODE));
}

static void what_is_not_the_vms_has_no_copies(void **state)
{
	(void)state;
	assert_false(mpn_valid(pmap_copies(&pmap, (gpn_t){ 8 }).master));
	assert_false(mpn_valid(pmap_copies(&pmap, (gpn_t){ ~0ul }).master));
	assert_true(pmap_has_view(&pmap, NODE));
	assert_false(pmap_has_view(&pmap, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_are_told_from_the_fields),
		cmocka_unit_test(every_change_is_in_the_table_or_ends_the_monitor),
		cmocka_unit_test(moves_and_copies_are_for_some_states_only),
		cmocka_unit_test(who_may_go_is_told_before),
		cmocka_unit_test(a_copy_that_is_made_is_a_replica_that_its_node_sees),
		cmocka_unit_test(the_right_to_write_goes_once),
		cmocka_unit_test(what_is_not_the_vms_has_no_copies),
	};

	return cmocka_run_group_tests_name("pmap_state", tests, NULL, NULL);
}
