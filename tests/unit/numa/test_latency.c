/* SPDX-License-Identifier: MIT */
/*
 * numa/latency.c: what a miss costs by the description, who is charged and who is not, and what may
 * stay in the TLB. Machine page p belongs to node p / 0x1000 of four; time is what waits ask for.
 */
#include "tests/unit/unit.h"

#include "numa/latency.c"

#define NODES 4

unsigned nnodes = NODES;
static struct node node[NODES];
static struct vcpu vcpu[NODES];
static struct machine_desc machine;
static struct magic model;
static u64 now;
static unsigned told, flushes, samples, written;

/* ---- stand-ins ---- */

const struct magic *magic_model(void) { return model.id ? &model : NULL; }
u64 count64(void) { return now += 10; }
int memmap_node(mpn_t mpn) { return mpn.v < NODES * 0x1000 ? (int)(mpn.v >> 12) : -1; }
void heat_sample(u32 on, mpn_t mpn, bool write)
{
	assert_int_not_equal(memmap_node(mpn), on);
	samples++;
	written += write;
}

void mmu_flush_node(void) { flushes++; }
void arch_vcpu_set_paths(struct vcpu *v) { (void)v; }
void kprintf(const char *fmt, ...) { (void)fmt; }
static void *given[3 * NODES];
static u32 ngiven;

void *nodemem_boot_alloc(u32 on, size_t bytes, size_t align)
{
	(void)on, (void)align;
	return given[ngiven++] = calloc(1, bytes);
}

void log_line(const char *module, const char *fmt, ...)
{
	(void)module, (void)fmt;
	told++;
}

_Noreturn void panic(const char *fmt, ...)
{
	(void)fmt;
	abort();
}

void shootdown(struct nodemask targets, shootdown_fn fn, const void *what)
{
	assert_int_equal(targets.bits, 0xf);
	for (u32 i = 0; i < NODES; i++)
		fn(&node[i], what);
}

/* ---- one machine ---- */

/* value: behind latency=; "": the command line does not have it */
static void configure(const char *value)
{
	char words[64] = "";

	if (*value)
		snprintf(words, sizeof(words), "latency=%s", value);
	told = 0;
	while (ngiven)
		free(given[--ngiven]);
	latency_configure(&machine, words);
	for (u32 i = 0; i < NODES; i++) {
		latency_init(i);
		node[i].id = i;
		node[i].current = &vcpu[i];
		memset(&vcpu[i].stats, 0, sizeof(vcpu[i].stats));
	}
}

static int fill(void **test_state)
{
	(void)test_state;
	memset(&machine, 0, sizeof(machine));
	memset(&model, 0, sizeof(model));
	memset(marks, 0, sizeof(marks));
	machine.nodes = NODES;
	configure("8");
	assert_true(latency_on);
	return 0;
}

static u64 lo_of(u64 page) { return arch_page_entry((mpn_t){ page }); }

/* A miss of a node on a line, whose page's neighbour is nowhere: what it was charged, in ns. */
static u64 miss_at(u32 on, u64 page, u64 va, bool write)
{
	u64 lo[2] = { lo_of(page), 0 }, before = vcpu[on].stats.charged_ns;

	latency_refill(&node[on], va, lo, write);
	assert_int_equal(arch_entry_page(lo[0]).v, page);
	return vcpu[on].stats.charged_ns - before;
}

static u64 miss(u32 on, u64 page, bool write) { return miss_at(on, page, 0x7000000, write); }

static void defaults_are_flashs(void **test_state)
{
	(void)test_state;
	assert_int_equal(latency_ns(2, 2), 300);
	assert_int_equal(latency_ns(2, 3), 900);
	machine.topology = TOPOLOGY_MESH; /* 0 1 / 2 3 */
	configure("8");
	assert_int_equal(latency_ns(0, 1), 900);
	assert_int_equal(latency_ns(0, 3), 1050);
}

static void the_description_says_what_it_costs(void **test_state)
{
	(void)test_state;
	machine.latency_ns = (struct vmdesc_list){ 2, { 100, 500 } };
	configure("on");
	assert_int_equal(latency_ns(1, 1), 100);
	assert_int_equal(latency_ns(1, 0), 500);
	machine.topology = TOPOLOGY_MESH;
	machine.latency_ns = (struct vmdesc_list){ 3, { 100, 500, 50 } };
	configure("on");
	assert_int_equal(latency_ns(1, 2), 550);
	machine.latency_ns.count = NODES * NODES;
	for (u32 i = 0; i < NODES * NODES; i++)
		machine.latency_ns.value[i] = 100 + i;
	configure("on");
	assert_int_equal(latency_ns(1, 2), 106);
	assert_int_equal(latency_ns(2, 1), 109);
	assert_int_equal(topology_near(3, 0), 3);
	assert_int_equal(topology_near(3, 1), 0); /* 112: nearer than 1 and 2 */
}

/* The machine may have fewer nodes than its description: rows are as long as described. */
static void rows_are_the_descriptions(void **test_state)
{
	(void)test_state;
	machine.nodes = 5;
	machine.latency_ns.count = 25;
	for (u32 i = 0; i < 25; i++)
		machine.latency_ns.value[i] = 100 + i;
	configure("on");
	assert_int_equal(latency_ns(3, 1), 116);
}

static void a_remote_miss_waits_and_a_local_one_does_not(void **test_state)
{
	u64 before = now;

	(void)test_state;
	assert_int_equal(miss(0, 0x2001, false), 8 * 600);
	assert_in_range((now - before) * 6, 8 * 600, 8 * 600 + 300);
	before = now;
	assert_int_equal(miss(0, 0x0001, false), 0);
	assert_in_range(now - before, 0, 100);
	assert_int_equal(latency_counts(0)->refills[2], 1);
	assert_int_equal(latency_counts(0)->ns[2], 4800);
	assert_int_equal(latency_counts(0)->refills[0], 1);
	assert_int_equal(latency_counts(0)->ns[0], 0);
	assert_int_equal(vcpu[0].stats.charged, 1);
}

static void the_charge_is_in_proportion_each_way(void **test_state)
{
	(void)test_state;
	machine.latency_ns.count = NODES * NODES;
	for (u32 i = 0; i < NODES * NODES; i++)
		machine.latency_ns.value[i] = 300;
	machine.latency_ns.value[0 * NODES + 1] = 1300;
	machine.latency_ns.value[1 * NODES + 0] = 800;
	configure("2.5");
	assert_true(latency_on);
	assert_int_equal(miss(0, 0x1000, false), 2500);
	assert_int_equal(miss(1, 0x0000, false), 1250);
	assert_int_equal(miss(2, 0x0000, false), 0); /* as near as its own */
}

static void a_line_in_the_filter_is_not_charged_again(void **test_state)
{
	(void)test_state;
	assert_int_equal(miss_at(0, 0x2001, 0x700007f, false), 4800);
	assert_int_equal(miss_at(0, 0x2001, 0x7000000, false), 0); /* the same line */
	latency_tick(&node[0]);
	assert_int_equal(miss(0, 0x2001, false), 0);
	assert_int_equal(latency_counts(0)->cached[2], 2);
	assert_int_equal(miss_at(0, 0x2001, 0x7000080, false), 4800);
	assert_int_equal(miss(1, 0x2001, false), 4800); /* another processor, another cache */
}

/* Of 8192 lines, 8 come with each charge. */
static void the_filter_is_as_large_as_the_cache(void **test_state)
{
	(void)test_state;
	for (u64 round = 0; round < 2; round++)
		for (u64 i = 0; i < 1024; i++)
			assert_int_equal(miss(0, 0x2000 + i, false), round ? 0 : 4800);
	assert_int_equal(miss(0, 0x3000, false), 4800);
	assert_int_equal(miss(0, 0x2000, false), 4800);
	configure("32");
	for (u64 i = 0; i < 513; i++) /* each is evicted before it comes again */
		assert_int_equal(miss(0, 0x2000 + i % 257, false), 32 * 600);
}

static void the_first_write_is_a_miss_of_its_own(void **test_state)
{
	(void)test_state;
	samples = written = 0;
	miss(0, 0x2001, false);
	assert_int_equal(miss(0, 0x2001, true), 4800);
	assert_int_equal(miss(0, 0x2001, true), 0);
	assert_int_equal(miss(0, 0x2001, false), 0);
	assert_int_equal(samples, 2); /* what is charged is heat */
	assert_int_equal(written, 1);
}

static void a_write_takes_the_page_from_the_others(void **test_state)
{
	(void)test_state;
	miss(0, 0x2001, false);
	miss(1, 0x2001, true);
	assert_int_equal(miss(0, 0x2001, false), 4800);
	assert_int_equal(miss(0, 0x2001, false), 0);
	assert_int_equal(miss(1, 0x2001, true), 0); /* it wrote last */
	assert_int_equal(miss(0, 0x2001, true), 4800);
	assert_int_equal(miss(1, 0x2001, true), 4800);
}

static void what_stays_in_the_tlb(void **test_state)
{
	u64 lo[2] = { lo_of(0x2000), lo_of(0x2001) };

	(void)test_state;
	assert_true(latency_remote(0, lo));
	assert_false(latency_remote(2, lo));
	latency_refill(&node[0], 0, lo, false);
	assert_int_equal(lo[0], lo_of(0x2000) & ~(u64)ENTRYLO_D);
	assert_int_equal(lo[1], 0); /* its first use must be seen, too */
	lo[0] = lo_of(0x2000);
	lo[1] = lo_of(0x2001);
	latency_refill(&node[0], 0x1000, lo, true);
	assert_int_equal(lo[1], lo_of(0x2001));
	lo[0] = lo_of(0x2000);
	latency_refill(&node[0], 0, lo, true); /* a store to both at once must end */
	assert_int_equal(lo[0], lo_of(0x2000));
	assert_int_equal(lo[1], lo_of(0x2001));
	latency_tick(&node[0]);
	latency_refill(&node[0], 0, lo, false); /* from now on writes are news again */
	assert_int_equal(lo[0], lo_of(0x2000) & ~(u64)ENTRYLO_D);
	lo[0] = lo_of(0x2000);
	lo[1] = lo_of(5);
	latency_hide(0, lo);
	assert_int_equal(lo[0], 0);
	assert_int_equal(lo[1], lo_of(5));
	latency_refill(&node[0], 0x1000, lo, false); /* local: as it is */
	assert_int_equal(lo[1], lo_of(5));
}

static void words_are_checked(void **test_state)
{
	static const char *const bad[] = { "yes", "0", "-1", "101", "1x", "3,5", "9999999999" };

	(void)test_state;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		configure(bad[i]);
		assert_false(latency_on);
		assert_int_equal(told, 1);
	}
	configure("");
	assert_false(latency_on);
	configure("off");
	assert_false(latency_on);
	assert_int_equal(told, 0);
	configure("0.25 exit=1");
	assert_true(latency_on);
	assert_int_equal(misses, 25);
	configure("100");
	assert_int_equal(misses, 10000);
	configure("sequential exit=1");
	assert_true(latency_on);
	assert_int_equal(misses, 3200);
}

static void never_together_with_the_models_stalls(void **test_state)
{
	char name[] = "latency", on[] = "on", *argv[] = { name, on };

	(void)test_state;
	model.id = MAGIC_ID;
	model.stalls = 1;
	configure("on");
	assert_false(latency_on);
	assert_int_equal(told, 1);
	configure("off");
	command_latency(2, argv);
	assert_false(latency_on);
	model.stalls = 0; /* the scheduler alone */
	command_latency(2, argv);
	assert_true(latency_on);
	assert_int_equal(flushes > 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(defaults_are_flashs, fill),
		cmocka_unit_test_setup(the_description_says_what_it_costs, fill),
		cmocka_unit_test_setup(rows_are_the_descriptions, fill),
		cmocka_unit_test_setup(a_remote_miss_waits_and_a_local_one_does_not, fill),
		cmocka_unit_test_setup(the_charge_is_in_proportion_each_way, fill),
		cmocka_unit_test_setup(a_line_in_the_filter_is_not_charged_again, fill),
		cmocka_unit_test_setup(the_filter_is_as_large_as_the_cache, fill),
		cmocka_unit_test_setup(the_first_write_is_a_miss_of_its_own, fill),
		cmocka_unit_test_setup(a_write_takes_the_page_from_the_others, fill),
		cmocka_unit_test_setup(what_stays_in_the_tlb, fill),
		cmocka_unit_test_setup(words_are_checked, fill),
		cmocka_unit_test_setup(never_together_with_the_models_stalls, fill),
	};

	return cmocka_run_group_tests_name("latency", tests, NULL, NULL);
}
