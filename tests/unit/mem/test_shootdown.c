/* SPDX-License-Identifier: MIT */
/* kernel/mem/shootdown.c: who asks returns when every node of the mask has flushed, once each, with
 * what was asked; the nodes here answer when they feel like it. */
#include "tests/unit/unit.h"

#include "kernel/lock.h"
#include "kernel/mem/shootdown.h"
#include "kernel/sched/sched.h"

#define NODES 5

static struct node node[NODES];
struct node *nodes[MAX_NODES];
unsigned nnodes = NODES;
static u32 self;
static unsigned posts[NODES], flushes[NODES], held;
static const void *wanted;
static u32 silent; /* nodes that never look */
static unsigned patience;

struct node *node_self(void) { return &node[self]; }

void lock_take(struct lock *l)
{
	assert_int_equal(l->rank, RANK_SHOOTDOWN);
	assert_int_equal(held++, 0);
}

void lock_release(struct lock *l)
{
	(void)l;
	held--;
}

void node_post(struct node *n, u32 mail)
{
	assert_int_equal(mail, MAIL_SHOOTDOWN);
	posts[n->id]++;
}

void sched_waive(struct node *n) { (void)n; }

static unsigned heeded;

void node_heed_stop(const struct node *n)
{
	assert_ptr_equal(n, node_self());
	heeded++;
}

void mmu_flush_node(void) { flushes[self]++; }

static void answer(u32 id)
{
	u32 asker = self;

	self = id;
	shootdown_answer(&node[id]);
	self = asker;
}

/* The others run: one of them looks at its mail. */
void arch_yield(void)
{
	u32 id = rand() % NODES;

	mock_assert(patience-- > 0, "waits for ever", __FILE__, __LINE__);
	if (id != self && !(silent & BIT(id)))
		answer(id);
}

static void flush(struct node *n, const void *what)
{
	assert_ptr_equal(what, wanted);
	assert_ptr_equal(n, node_self());
	assert_int_equal(held, 1);
	flushes[n->id]++;
}

static int fill(void **state)
{
	(void)state;
	memset(node, 0, sizeof(node));
	memset(posts, 0, sizeof(posts));
	memset(flushes, 0, sizeof(flushes));
	for (u32 i = 0; i < NODES; i++) {
		node[i].id = i;
		nodes[i] = &node[i];
	}
	self = 2;
	held = silent = 0;
	patience = 1000;
	wanted = &patience;
	return 0;
}

static struct nodemask mask_of(u32 bits)
{
	struct nodemask m = NODEMASK_NONE;

	for (u32 i = 0; i < NODES; i++)
		if (bits & BIT(i))
			nodemask_add(&m, i);
	return m;
}

static void all_have_flushed_once_on_return(void **state)
{
	(void)state;
	for (u32 bits = 0; bits < BIT(NODES); bits++) {
		fill(state);
		shootdown(mask_of(bits), flush, wanted);
		for (u32 i = 0; i < NODES; i++) {
			assert_int_equal(flushes[i], !!(bits & BIT(i)));
			assert_int_equal(posts[i], (bits & BIT(i)) && i != self);
			assert_int_equal(node[i].stats.shootdowns, flushes[i]);
		}
		assert_int_equal(held, 0);
	}
}

static void who_is_not_asked_does_nothing(void **state)
{
	(void)state;
	answer(0);
	shootdown(mask_of(BIT(1)), flush, wanted);
	answer(0);
	answer(1); /* a second time */
	assert_int_equal(flushes[0], 0);
	assert_int_equal(flushes[1], 1);
}

static void it_waits_for_the_last(void **state)
{
	(void)state;
	silent = BIT(3);
	heeded = 0;
	expect_assert_failure(shootdown(mask_of(BIT(1) | BIT(3)), flush, wanted));
	assert_int_equal(flushes[1], 1);
	assert_int_equal(flushes[3], 0);
	assert_int_equal(held, 1);	     /* nobody else's comes between */
	assert_in_range(heeded, 1000, 1001); /* in each turn, in case the last one panicked */
	answer(3);
	assert_int_equal(flushes[3], 1);
}

static void the_whole_tlb_is_one_of_them(void **state)
{
	(void)state;
	shootdown_all(mask_of(BIT(2) | BIT(4)));
	assert_int_equal(flushes[2], 1);
	assert_int_equal(flushes[4], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_have_flushed_once_on_return, fill),
		cmocka_unit_test_setup(who_is_not_asked_does_nothing, fill),
		cmocka_unit_test_setup(it_waits_for_the_last, fill),
		cmocka_unit_test_setup(the_whole_tlb_is_one_of_them, fill),
	};

	return cmocka_run_group_tests_name("shootdown", tests, NULL, NULL);
}
