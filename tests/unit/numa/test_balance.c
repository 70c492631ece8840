/* SPDX-License-Identifier: MIT */
/*
 * numa/balance.c: what a tick makes of the candidates: which pages it has moved, how many, and that
 * it is told; which policy words ask for. With the monitor's own policy, counters and memmap.
 */
#include "tests/unit/numa/balance_node.c"

/* ---- a machine ---- */

static void give_back_all(void)
{
	while (ngiven)
		free(given[--ngiven]);
}

static void boot(const char *words)
{
	give_back_all();
	said[0] = 0;
	numa_configure(words);
	for (u32 i = 0; i < NODES; i++) {
		node[i].id = i;
		memmap_init_node(i, PAGE(i, 0), NODE_PAGES, entries[i]);
		numa_init_node(i);
	}
	for (u32 i = 0; i < VM_PAGES; i++) {
		memmap_free_at_boot(PAGE(0, i));
		memmap_give(PAGE(0, i), 1, (gpn_t){ i });
		vm_pages[i] = (struct pmap_page){ .master = (u32)PAGE(0, i).v };
	}
}

static int begin(void **state)
{
	(void)state;
	vm = (struct vm){ .id = 1, .state = VM_RUNNING };
	vm.pmap.npages = VM_PAGES;
	vm.pmap.page = vm_pages;
	vm.pmap.view[1].entry = view;
	vms[0] = vms[1] = &vm;
	free_pages = unreserved = 100000;
	nmigrated = nreplicated = 0;
	latency_on = true;
	boot("policy=both,trigger=128,sharing=32,weight=1,risk=1000,gather=1");
	return 0;
}

static int end(void **state)
{
	(void)state;
	give_back_all();
	return 0;
}

static void hit(u32 n, mpn_t mpn, u32 times)
{
	while (times--)
		heat_sample(n, mpn, false);
}

static void tick(void)
{
	ms += 10;
	for (u32 i = 0; i < NODES; i++)
		numa_tick(&node[i]);
}

static u64 reason(enum policy_reason r) { return balance_stats(1)->reason[r]; }

static void run_command(int argc, ...)
{
	char *argv[COMMAND_MAX_ARGS] = { "policy" };
	va_list ap;

	va_start(ap, argc);
	for (int i = 1; i < argc; i++)
		argv[i] = va_arg(ap, char *);
	va_end(ap);
	said[0] = 0;
	command_policy(argc, argv);
}

/* ---- the tick ---- */

static void a_hot_page_is_fetched(void **state)
{
	(void)state;
	hit(1, PAGE(0, 5), balance_policy()->trigger - 1);
	tick();
	assert_int_equal(nmigrated, 0);
	hit(1, PAGE(0, 5), 1);
	tick();
	assert_int_equal(nmigrated, 1);
	assert_int_equal(migrated[0].v, PAGE(0, 5).v);
	assert_int_equal(nreplicated, 0);
	assert_int_equal(balance_stats(1)->candidates, 1);
	assert_int_equal(balance_stats(1)->migrated, 1);
	assert_int_equal(reason(POLICY_MOVED), 1);
	tick();
	assert_int_equal(nmigrated, 1);
}

static void a_page_offered_twice_is_fetched_once(void **state)
{
	(void)state;
	run_command(2, "trigger=60");
	for (u32 i = 0; i < 3; i++)
		hit(1, PAGE(0, i), 240);
	tick();
	assert_int_equal(balance_stats(1)->candidates, 12);
	assert_int_equal(nmigrated, 3);
}

static void a_read_shared_page_is_copied(void **state)
{
	(void)state;
	for (u32 i = 0; i < 3; i++) {
		hit(2, PAGE(0, i), 32);
		hit(1, PAGE(0, i), 128);
	}
	tick();
	assert_int_equal(nreplicated, 3);
	assert_int_equal(balance_stats(1)->replicated, 2); /* what was really done */
	assert_int_equal(reason(POLICY_MOVED), 3);
	assert_int_equal(nmigrated, 0);
}

/* What VMs share comes for all of them at once if they are all here, and is copied for who has it elsewhere, too. */
static void a_page_of_several_vms_comes_or_is_copied(void **state)
{
	(void)state;
	shared = PAGE(0, 5);
	memmap_page(shared)->state = PAGE_SHARED;
	for (u32 i = 0; i < 2; i++) {
		alone = !i;
		hit(1, shared, 128);
		tick();
		assert_int_equal(balance_stats(1)->migrated, 1);
		assert_int_equal(nreplicated, i);
		heat_clear(shared);
	}
	alone = true;
	run_command(2, "replicate"); /* nothing migrates */
	hit(2, shared, 32);
	hit(1, shared, 128);
	tick();
	assert_int_equal(balance_stats(1)->migrated, 1);
	assert_int_equal(nreplicated, 2);
	assert_int_equal(nmigrated, 0);
	shared = MPN_NONE;
}

static void a_write_shared_page_starts_afresh(void **state)
{
	(void)state;
	hit(2, PAGE(0, 5), 32);
	heat_sample(2, PAGE(0, 5), true);
	hit(1, PAGE(0, 5), 128);
	tick();
	assert_int_equal(reason(POLICY_WRITTEN), 1);
	assert_int_equal(heat_read(1, PAGE(0, 5)).mine, 0);
	hit(1, PAGE(0, 5), 128); /* node 2 has stopped */
	tick();
	assert_int_equal(nmigrated, 1);
}

static void what_replicas_there_are_is_known(void **state)
{
	(void)state;
	vm_pages[5].replicas = BIT(1);
	vm_pages[6].replicas = BIT(2);
	hit(1, PAGE(0, 5), 128);
	hit(1, PAGE(0, 6), 128);
	tick();
	assert_int_equal(reason(POLICY_LOCAL), 1);
	assert_int_equal(nreplicated, 1);
	assert_int_equal(replicated[0].v, PAGE(0, 6).v);
}

static void only_pages_of_running_vms_move(void **state)
{
	u32 n = 0;

	(void)state;
	hit(1, PAGE(0, NODE_PAGES - 1), 128); /* the monitor's */
	tick();
	assert_int_equal(reason(POLICY_FIXED), ++n);
	memmap_page(PAGE(0, 1))->state = PAGE_REPLICA;
	hit(1, PAGE(0, 1), 128);
	tick();
	assert_int_equal(reason(POLICY_FIXED), ++n);
	memmap_page(PAGE(0, 2))->owner = 2; /* there is no such VM */
	hit(1, PAGE(0, 2), 128);
	tick();
	assert_int_equal(reason(POLICY_FIXED), ++n);
	memmap_page(PAGE(0, 3))->gpn = VM_PAGES;
	hit(1, PAGE(0, 3), 128);
	tick();
	assert_int_equal(reason(POLICY_FIXED), ++n);
	vm_pages[4].master = (u32)PAGE(0, 40).v; /* not any more */
	hit(1, PAGE(0, 4), 128);
	tick();
	assert_int_equal(reason(POLICY_FIXED), ++n);
	vm.state = VM_STOPPING;
	hit(1, PAGE(0, 5), 128);
	tick();
	assert_int_equal(reason(POLICY_FIXED), ++n);
	vm.state = VM_RUNNING;
	vm.pmap.view[1].entry = NULL; /* no VCPU here */
	hit(1, PAGE(0, 6), 128);
	tick();
	assert_int_equal(reason(POLICY_FIXED), ++n);
	hit(1, PAGE(1, 7), 128);
	tick();
	assert_int_equal(reason(POLICY_LOCAL), 1);
	assert_int_equal(balance_stats(1)->candidates, n + 1);
	assert_int_equal(nmigrated + nreplicated, 0);
}

/* A Linux kernel's page in a large pair stays; one that its page tables have led to moves, as does any of a guest without the walker. */
static void pages_of_kernels_stay_in_their_pairs(void **state)
{
	static struct vcpu vcpu;
	u64 pairs[1] = { 1 };

	(void)state;
	vm.vcpus[0] = &vcpu;
	vm.nvcpus = 1;
	vm.pmap.view[1].large = pairs;
	vcpu.arch.walker.on = true;
	hit(1, PAGE(0, 0), 128);
	tick();
	assert_int_equal(reason(POLICY_FIXED), 1);
	assert_int_equal(nmigrated, 0);
	for (u32 i = 0; i < 3; i++) {
		begin(state);
		vm.vcpus[0] = &vcpu;
		vm.nvcpus = 1;
		pairs[0] = i != 0;
		vm.pmap.view[1].large = pairs;
		view[0].back = i == 1;
		vcpu.arch.walker.on = i != 2;
		hit(1, PAGE(0, 0), 128);
		tick();
		assert_int_equal(nmigrated, 1);
	}
	view[0].back = 0;
}

static void moves_and_memory_are_looked_at(void **state)
{
	(void)state;
	memmap_page(PAGE(0, 5))->moves = 1;
	ms += 1000;
	heat_clock(ms);
	heat_moved(PAGE(0, 99), PAGE(0, 5));
	hit(1, PAGE(0, 5), 128);
	tick();
	assert_int_equal(reason(POLICY_HELD), 1);
	memmap_page(PAGE(0, 6))->moves = 255;
	heat_moved(PAGE(0, 99), PAGE(0, 6));
	hit(1, PAGE(0, 6), 128);
	tick();
	assert_int_equal(reason(POLICY_LIMIT), 1);
	free_pages = 0;
	hit(1, PAGE(0, 7), 128);
	tick();
	free_pages = 100000;
	unreserved = 0; /* all of it is promised */
	hit(1, PAGE(0, 8), 128);
	tick();
	assert_int_equal(reason(POLICY_MEMORY), 2);
	assert_int_equal(nmigrated, 0);
}

static void work_in_a_tick_is_bounded(void **state)
{
	(void)state;
	for (u32 i = 0; i < 500; i++)
		hit(1, PAGE(0, i), 128);
	tick();
	assert_int_equal(nmigrated, policy_default.batch);
	tick();
	assert_int_equal(nmigrated, 2 * policy_default.batch);
	assert_int_equal(migrated[nmigrated - 1].v, PAGE(0, nmigrated - 1).v); /* none left out */
	vm.state = VM_STOPPING;
	tick();
	assert_int_equal(reason(POLICY_FIXED), LOOKS);
}

/* ---- the ledger ---- */

#define MOVE_US 50

static void moves_that_bring_nothing_end(void **state)
{
	(void)state;
	boot("policy=both,trigger=128,sharing=32,weight=1,stake=800,risk=1");
	move_us = MOVE_US;
	for (u32 i = 0; i < 400; i++)
		hit(1, PAGE(0, i), 128);
	tick();
	assert_int_equal(nmigrated, 800 / MOVE_US);
	tick();
	assert_int_equal(nmigrated, 800 / MOVE_US);
	assert_true(reason(POLICY_POOR) > 0); /* the others were not looked at, and this is told */
	assert_int_equal(balance_stats(1)->candidates + heat_lost(1), 400);
	for (u32 t = 0; t < 100; t++) { /* a second, in which a thousandth may be lost */
		for (u32 i = 400; i < 500; i++)
			hit(1, PAGE(0, i), 128);
		tick();
	}
	assert_in_range(nmigrated, 800 / MOVE_US + 8, 800 / MOVE_US + 25);
	move_us = 0;
}

/* While moves have not paid, a few pages stay unless they have cost what a batch does; and this is told. */
static void a_few_pages_make_no_batch_while_in_doubt(void **state)
{
	(void)state;
	boot("policy=both,trigger=32,sharing=32,weight=1,gather=4");
	hit(1, PAGE(0, 0), 64);
	hit(1, PAGE(0, 1), 63);
	for (u32 t = 0; t < 6; t++)
		tick();
	assert_int_equal(nmigrated, 0);
	assert_int_equal(reason(POLICY_FEW), 2);
	assert_int_equal(reason(POLICY_MOVED), 1); /* offered twice */
	hit(1, PAGE(0, 2), 200);
	for (u32 t = 0; t < 5; t++)
		tick();
	assert_int_equal(nmigrated, 1);
}

/* ---- words ---- */

/* spread=1: the scheduler hears where what is missed on is; a VCPU that goes there has nothing moved to where it leaves. */
static void a_vcpu_that_goes_to_its_memory_moves_none(void **state)
{
	(void)state;
	fetch_on = it_follows = true;
	memset(votes, 0, sizeof(votes));
	local_misses = 3 * balance_policy()->trigger + 5;
	hit(1, PAGE(0, 5), balance_policy()->trigger);
	hit(1, PAGE(0, 6), balance_policy()->trigger);
	tick();
	assert_int_equal(votes[0], 2);
	assert_int_equal(votes[1], 3);
	assert_int_equal(nmigrated, 0);
	tick();
	assert_int_equal(votes[0] + votes[1], 5); /* once */
	it_follows = false;
	hit(1, PAGE(0, 7), balance_policy()->trigger);
	tick();
	assert_int_equal(votes[0], 3);
	assert_int_equal(nmigrated, 1);
	fetch_on = false;
}

static void words_choose_the_policy(void **state)
{
	static const enum placement places[POLICY_KINDS] = { PLACE_HOME,	PLACE_FIRST_TOUCH,
							     PLACE_ROUND_ROBIN, PLACE_FIRST_TOUCH,
							     PLACE_FIRST_TOUCH, PLACE_FIRST_TOUCH };
	struct policy counted = policy_default;
	char words[64];

	(void)state;
	counted.kind = POLICY_BOTH; /* somebody counts misses */
	for (u32 i = 0; i < POLICY_KINDS; i++) {
		snprintf(words, sizeof(words), "policy=%s,trigger=77 exit=1", policy_name(i));
		boot(words);
		assert_int_equal(balance_policy()->kind, i);
		assert_int_equal(balance_policy()->trigger, 77);
		assert_int_equal(place, places[i]);
		assert_string_equal(said, "");
	}
	boot("");
	assert_memory_equal(balance_policy(), &counted, sizeof(counted));
	boot("policy=both,trigger=0,weight=3");
	assert_memory_equal(balance_policy(), &counted, sizeof(counted));
	assert_non_null(strstr(said, "policy=: found trigger=0, allowed trigger=1 to 255"));
	boot("policy=bath");
	assert_non_null(strstr(said, "policy=: found bath, allowed none,"));
	boot("policy=both,");
	assert_int_equal(balance_policy()->kind, POLICY_BOTH);
	latency_on = false;
	boot("");
	assert_memory_equal(balance_policy(), &policy_default, sizeof(policy_default));
}

static void nothing_moves_unless_asked_for(void **state)
{
	(void)state;
	boot("policy=first-touch,trigger=128,weight=1,risk=1000,gather=1");
	hit(1, PAGE(0, 5), 500);
	assert_int_equal(heat_read(1, PAGE(0, 5)).mine, 255); /* still shown */
	tick();
	assert_int_equal(balance_stats(1)->candidates, 0);
	run_command(2, "migrate");
	hit(1, PAGE(0, 5), 128);
	tick();
	assert_int_equal(nmigrated, 1);
	hit(1, PAGE(0, 6), 128);
	run_command(2, "none"); /* with one in the ring */
	tick();
	assert_int_equal(nmigrated, 1);
	assert_int_equal(place, PLACE_HOME);
}

static void the_prompt_sets_and_shows(void **state)
{
	(void)state;
	run_command(3, "migrate", "trigger=64");
	assert_int_equal(balance_policy()->kind, POLICY_MIGRATE);
	assert_int_equal(balance_policy()->trigger, 64);
	assert_int_equal(balance_policy()->weight, 1); /* as it was */
	assert_non_null(strstr(said, "policy migrate: trigger=64 sharing=32"));
	assert_non_null(strstr(said, "\n   2  0 "));
	run_command(3, "both", "trigger=1000"); /* all or nothing */
	assert_string_equal(said, "policy: found trigger=1000, allowed trigger=1 to 255\n");
	assert_int_equal(balance_policy()->kind, POLICY_MIGRATE);
	run_command(1);
	assert_non_null(strstr(said, "policy migrate: trigger=64"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_hot_page_is_fetched, begin),
		cmocka_unit_test_setup(a_page_offered_twice_is_fetched_once, begin),
		cmocka_unit_test_setup(a_page_of_several_vms_comes_or_is_copied, begin),
		cmocka_unit_test_setup(a_read_shared_page_is_copied, begin),
		cmocka_unit_test_setup(a_write_shared_page_starts_afresh, begin),
		cmocka_unit_test_setup(what_replicas_there_are_is_known, begin),
		cmocka_unit_test_setup(only_pages_of_running_vms_move, begin),
		cmocka_unit_test_setup(pages_of_kernels_stay_in_their_pairs, begin),
		cmocka_unit_test_setup(moves_and_memory_are_looked_at, begin),
		cmocka_unit_test_setup(work_in_a_tick_is_bounded, begin),
		cmocka_unit_test_setup(moves_that_bring_nothing_end, begin),
		cmocka_unit_test_setup(a_few_pages_make_no_batch_while_in_doubt, begin),
		cmocka_unit_test_setup(a_vcpu_that_goes_to_its_memory_moves_none, begin),
		cmocka_unit_test_setup(words_choose_the_policy, begin),
		cmocka_unit_test_setup(nothing_moves_unless_asked_for, begin),
		cmocka_unit_test_setup(the_prompt_sets_and_shows, begin),
	};

	return cmocka_run_group_tests_name("balance", tests, NULL, end);
}
