/* SPDX-License-Identifier: MIT */
/*
 * kernel/mem/shootdown.c: who asks returns when every node of the mask has flushed, once each, with
 * what was asked; the nodes here answer when they feel like it, and ask themselves meanwhile.
 */
#include "tests/unit/unit.h"

#include "kernel/mem/shootdown.h"
#include "kernel/panic.h"
#include "kernel/sched/sched.h"

#define NODES 5

static struct node node[NODES];
struct node *nodes[MAX_NODES];
unsigned nnodes = NODES;
static u32 self;
static unsigned posts[NODES], flushes[NODES];
static const void *wanted;
static u32 silent; /* nodes that never look */
static unsigned patience;

struct node *node_self(void) { return &node[self]; }

void node_post(struct node *n, u32 mail)
{
	assert_int_equal(mail, MAIL_SHOOTDOWN);
	posts[n->id]++;
}

_Noreturn void panic(const char *fmt, ...)
{
	(void)fmt;
	mock_assert(0, "panic", __FILE__, __LINE__);
	abort();
}

void sched_waive(struct node *n) { (void)n; }

static unsigned heeded;

void node_heed_stop(const struct node *n)
{
	assert_ptr_equal(n, node_self());
	heeded++;
}

u64 count64(void) { return 0; }

void mmu_flush_node(void) { flushes[self]++; }

static void answer(u32 id)
{
	u32 asker = self;

	self = id;
	shootdown_answer(&node[id]);
	self = asker;
}

static bool all_ask;	    /* nodes that run ask now and then */
static u32 asking;	    /* nodes that do */
static u32 to_flush[NODES]; /* of whom each still waits for, by what was asked */
static unsigned asked_in_all, most_at_once;

static void own_flush(struct node *n, const void *what)
{
	const u32 *waits = what;

	assert_ptr_equal(n, node_self());
	assert_true(*waits & BIT(n->id)); /* asked, and once */
	to_flush[waits - to_flush] &= ~(u32)BIT(n->id);
}

static struct nodemask mask_of(u32 bits);

/* Node id asks others, whoever else does. */
static void ask(u32 id)
{
	u32 before = self, bits = rand() % BIT(NODES);

	self = id;
	asking |= BIT(id);
	if (__builtin_popcount(asking) > (int)most_at_once)
		most_at_once = __builtin_popcount(asking);
	to_flush[id] = bits;
	shootdown(mask_of(bits), own_flush, &to_flush[id]);
	assert_int_equal(to_flush[id], 0);
	asked_in_all++;
	asking &= ~BIT(id);
	self = before;
}

/* The others run: one of them looks at its mail, or asks. */
void arch_yield(void)
{
	u32 id = rand() % NODES;

	mock_assert(patience-- > 0, "waits for ever", __FILE__, __LINE__);
	if (all_ask && !(asking & BIT(id)) && rand() % 2)
		ask(id);
	else if (id != self && !(silent & BIT(id)))
		answer(id);
}

static void flush(struct node *n, const void *what)
{
	assert_ptr_equal(what, wanted);
	assert_ptr_equal(n, node_self());
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
	silent = asking = 0;
	all_ask = false;
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
	assert_in_range(heeded, 1000, 1001); /* in each turn, in case the last one panicked */
	answer(3);
	assert_int_equal(flushes[3], 1);
}

static void all_ask_at_once(void **state)
{
	(void)state;
	all_ask = true;
	patience = 10000000;
	asked_in_all = most_at_once = 0;
	while (asked_in_all < 100000)
		ask(rand() % NODES);
	assert_int_equal(most_at_once, NODES);
	for (u32 i = 0; i < NODES; i++) /* nothing is left to answer */
		answer(i);
}

/* A flush waits for nobody: the asker would wait for itself. */
static void flush_that_asks(struct node *n, const void *what)
{
	(void)n;
	shootdown(mask_of(BIT(0)), flush, what);
}

static void a_flush_does_not_ask(void **state)
{
	(void)state;
	expect_assert_failure(shootdown(mask_of(BIT(2)), flush_that_asks, wanted));
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
		cmocka_unit_test_setup(all_ask_at_once, fill),
		cmocka_unit_test_setup(a_flush_does_not_ask, fill),
		cmocka_unit_test_setup(the_whole_tlb_is_one_of_them, fill),
	};

	return cmocka_run_group_tests_name("shootdown", tests, NULL, NULL);
}
