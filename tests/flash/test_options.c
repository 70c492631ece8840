/* SPDX-License-Identifier: MIT */
/* qemu/flash/options.c, network.c, decode.c: the tables. */
#include "tests/flash/flash_test.h"

#include "qemu/flash/decode.h"
#include "qemu/flash/network.h"
#include "qemu/flash/options.h"

static struct options o;
static char why[400];

static int parse(const char *text) { return options_parse(&o, text, why, sizeof(why)); }

static void the_preset_machine_is_the_papers(void **state)
{
	(void)state;
	options_default(&o);
	assert_int_equal(o.l1, 32);
	assert_int_equal(o.l2, 1024);
	assert_int_equal(o.mhz, 400);
	assert_int_equal(network_cycles(&o, 8, 3, 3), 120);
	assert_int_equal(network_cycles(&o, 8, 3, 4), 360);
	assert_int_equal(o.quantum, 1000);
}

static void the_papers_processor_has_its_tlb(void **state)
{
	(void)state;
	options_default(&o);
	assert_int_equal(parse("preset=plain"), 0);
	assert_int_equal(o.tlb, 0);
	assert_int_equal(parse("preset=paper"), 0);
	assert_int_equal(o.tlb, 64);
	assert_int_equal(o.l1, 32);
	assert_int_equal(o.l2, 1024);
	assert_int_equal(o.eret, 0);
	assert_int_equal(parse("tlb=128"), 0); /* what comes later counts */
	assert_int_equal(o.tlb, 128);
}

static void values_are_taken(void **state)
{
	(void)state;
	options_default(&o);
	assert_int_equal(parse("remote=1200"), 0);
	assert_int_equal(o.remote, 1200);
	assert_int_equal(parse("topology=mesh"), 0);
	assert_int_equal(o.topology, TOPOLOGY_MESH);
	assert_int_equal(parse("out=/tmp/x=y.json"), 0);
	assert_string_equal(o.out, "/tmp/x=y.json");
	assert_int_equal(parse("l2=0x200"), 0);
	assert_int_equal(o.l2, 512);
	assert_int_equal(parse("unit=64"), 0);
	assert_int_equal(o.unit, 64);
	assert_int_equal(parse("tlb=64"), 0);
	assert_int_equal(o.tlb, 64);
	assert_int_equal(parse("tlb=qemu"), 0);
	assert_int_equal(o.tlb, 0);
}

static void what_is_wrong_is_told_with_what_is_right(void **state)
{
	static const struct {
		const char *text, *told;
	} wrong[] = {
		{ "colour=red", "out=FILE, preset=, cache=" },
		{ "preset=fast", "plain, paper" },
		{ "preset", "preset=" },
		{ "remot=1", "remote=" },
		{ "remote", "0 to 100000" },
		{ "remote=", "0 to 100000" },
		{ "remote=fast", "0 to 100000" },
		{ "remote=100001", "0 to 100000" },
		{ "remote=-1", "0 to 100000" },
		{ "remote=9x", "0 to 100000" },
		{ "remote=99999999999999999999", "0 to 100000" },
		{ "l2=1000", "power of two" },
		{ "tlb=48", "16 to 128, a power of two, or qemu" },
		{ "tlb=0", "or qemu" },
		{ "tlb=256", "or qemu" },
		{ "tlb=QEMU", "or qemu" },
		{ "eret=1001", "0 to 1000" },
		{ "topology=torus", "crossbar, mesh, hypercube" },
		{ "topology=1", "crossbar, mesh, hypercube" },
		{ "out=", "out=FILE" },
		{ "", "out=FILE" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		options_default(&o);
		why[0] = 0;
		assert_int_equal(parse(wrong[i].text), -1);
		assert_non_null(strstr(why, wrong[i].told));
	}
}

/* Windows of 1000 cycles, requests of 300. */
static void a_controller_serves_one_after_the_other(void **state)
{
	static const struct {
		uint64_t now, wait;
	} requests[] = {
		{ 0, 0 },      { 10, 0 },     { 20, 0 },
		{ 30, 0 }, /* 1200 in the first window */
		{ 1000, 200 }, { 1150, 50 },  { 1200, 0 },
		{ 1999, 0 },		      /* 200 and 1200 in the second */
		{ 900, 200 },  { 2000, 700 }, /* of a processor that is behind; 200 and 1500 less 1000 */
		{ 2699, 1 },   { 2700, 0 },   { 3000, 600 },
		{ 9000, 0 }, /* idle windows do the rest */
	};
	struct controller c = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		assert_int_equal(controller_wait(&c, requests[i].now, 300, 1000), requests[i].wait);
}

static void options_are_written_as_json(void **state)
{
	char text[1000];

	(void)state;
	options_default(&o);
	options_json(&o, text, sizeof(text));
	assert_non_null(strstr(text, "\"cache\": 1, "));
	assert_non_null(strstr(text, "\"topology\": \"crossbar\""));
	assert_non_null(strstr(text, "\"tlb\": \"qemu\""));
	options_json(&o, text, 10); /* no more than there is room for */
	assert_int_equal(strlen(text), 9);
}

static void hops_of_each_topology(void **state)
{
	(void)state;
	assert_int_equal(network_hops(TOPOLOGY_CROSSBAR, 16, 0, 15), 1);
	assert_int_equal(network_hops(TOPOLOGY_HYPERCUBE, 16, 0, 15), 4);
	assert_int_equal(network_hops(TOPOLOGY_HYPERCUBE, 16, 5, 6), 2);
	assert_int_equal(network_hops(TOPOLOGY_MESH, 16, 0, 15), 6);
	assert_int_equal(network_hops(TOPOLOGY_MESH, 16, 1, 5), 1);
	assert_int_equal(network_hops(TOPOLOGY_MESH, 8, 2, 3), 3); /* rows of three */
	for (unsigned t = 0; t < TOPOLOGIES; t++)
		for (unsigned a = 0; a < 16; a++)
			for (unsigned b = 0; b < 16; b++) {
				assert_int_equal(network_hops(t, 16, a, b),
						 network_hops(t, 16, b, a));
				assert_int_equal(network_hops(t, 16, a, b) == 0, a == b);
			}
}

static void latency_grows_with_hops_and_not_with_uma(void **state)
{
	(void)state;
	options_default(&o);
	o.topology = TOPOLOGY_HYPERCUBE;
	assert_int_equal(network_cycles(&o, 16, 0, 0), 120);
	assert_int_equal(network_cycles(&o, 16, 0, 1), 360);
	assert_int_equal(network_cycles(&o, 16, 0, 3), 420);
	assert_int_equal(network_cycles(&o, 16, 0, 15), 540);
	o.uma = 1;
	assert_int_equal(network_cycles(&o, 16, 0, 15), 120);
}

static void instructions_are_told_apart(void **state)
{
	static const struct {
		uint32_t word;
		enum insn_kind kind;
	} words[] = {
		{ 0x24005101, INSN_ROI_BEGIN },	 { 0x24005102, INSN_ROI_END },
		{ 0x2c005107, INSN_UNIT_BEGIN }, { 0x2c0052ff, INSN_UNIT_END },
		{ 0x2c005100, INSN_PLAIN },	 { 0x24005103, INSN_PLAIN },
		{ 0x24025101, INSN_PLAIN },	 { 0x42000018, INSN_ERET },
		{ 0x42000058, INSN_ERET },				      /* eretnc */
		{ 0x42000020, INSN_WAIT },	 { 0x8c430000, INSN_MEMORY }, /* lw */
		{ 0xfc430000, INSN_MEMORY },				      /* sd */
		{ 0xec480001, INSN_MEMORY },				      /* lwpc */
		{ 0xec400001, INSN_PLAIN },				      /* addiupc */
		{ 0xec580001, INSN_MEMORY },				      /* ldpc */
		{ 0x7c430036, INSN_MEMORY },				      /* ll */
		{ 0x7c430026, INSN_MAYBE },				      /* sc */
		{ 0x7c03e83b, INSN_MAYBE },				      /* rdhwr */
		{ 0x00000034, INSN_MAYBE },				      /* teq */
		{ 0x00431020, INSN_MAYBE },				      /* add */
		{ 0x00431021, INSN_PLAIN },				      /* addu */
		{ 0x46020000, INSN_MAYBE },				      /* add.s */
		{ 0x44820000, INSN_PLAIN },				      /* mtc1 */
		{ 0xcb000000, INSN_PLAIN },				      /* bc */
		{ 0x00000000, INSN_PLAIN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_int_equal(decode_kind(words[i].word), words[i].kind);
}

static void what_traps_has_a_cause(void **state)
{
	static const struct {
		uint32_t word;
		enum cause cause;
	} words[] = {
		{ 0x0000000c, CAUSE_SYSCALL },	  { 0x0000000d, CAUSE_OTHER }, /* break */
		{ 0x00000034, CAUSE_OTHER },	  { 0x00431021, CAUSE_FAULT }, /* teq, addu */
		{ 0x42000006, CAUSE_TLB },	  { 0x42000002, CAUSE_TLB },   /* tlbwr, tlbwi */
		{ 0x42000008, CAUSE_TLB },	  { 0x42000004, CAUSE_TLB },   /* tlbp, tlbinvf */
		{ 0x42000018, CAUSE_ERET },	  { 0x42000028, CAUSE_CALL },
		{ 0x42000020, CAUSE_PRIVILEGED }, { 0x40046000, CAUSE_PRIVILEGED }, /* wait, mfc0 */
		{ 0x41606020, CAUSE_PRIVILEGED }, { 0x7c430025, CAUSE_PRIVILEGED }, /* ei, cache */
		{ 0x46020000, CAUSE_OTHER },	  { 0xc4430000, CAUSE_OTHER }, /* add.s, lwc1 */
		{ 0x8c430000, CAUSE_FAULT },	  { 0xfc430000, CAUSE_FAULT }, /* lw, sd */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_int_equal(decode_cause(words[i].word), words[i].cause);
}

static void compact_branches_have_forbidden_slots(void **state)
{
	(void)state;
	assert_true(decode_has_forbidden_slot(0xf8400003));  /* bnezc $2 */
	assert_false(decode_has_forbidden_slot(0xf8020000)); /* jialc $2 */
	assert_true(decode_has_forbidden_slot(0x20430003));  /* beqc $2, $3 */
	assert_false(decode_has_forbidden_slot(0x14400003)); /* bnez $2 */
	assert_false(decode_has_forbidden_slot(0x18400003)); /* blez $2 */
	assert_true(decode_has_forbidden_slot(0x18420003));  /* bgezalc $2 */
	assert_false(decode_has_forbidden_slot(0xc8000003)); /* bc */
}

static void addresses_have_classes(void **state)
{
	(void)state;
	assert_int_equal(decode_class(0x120000000), CLASS_USER);
	assert_int_equal(decode_class(0x4000000000000000), CLASS_KERNEL);
	assert_int_equal(decode_class(0xffffffffc0010000), CLASS_KERNEL);
	assert_int_equal(decode_class(0xffffffff80100000), CLASS_MONITOR);
	assert_int_equal(decode_class(0xffffffffe0000000), CLASS_MONITOR);
	assert_int_equal(decode_class(0x9800000080000000), CLASS_MONITOR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_preset_machine_is_the_papers),
		cmocka_unit_test(the_papers_processor_has_its_tlb),
		cmocka_unit_test(values_are_taken),
		cmocka_unit_test(what_is_wrong_is_told_with_what_is_right),
		cmocka_unit_test(a_controller_serves_one_after_the_other),
		cmocka_unit_test(options_are_written_as_json),
		cmocka_unit_test(hops_of_each_topology),
		cmocka_unit_test(latency_grows_with_hops_and_not_with_uma),
		cmocka_unit_test(instructions_are_told_apart),
		cmocka_unit_test(what_traps_has_a_cause),
		cmocka_unit_test(compact_branches_have_forbidden_slots),
		cmocka_unit_test(addresses_have_classes),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
