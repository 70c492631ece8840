/* SPDX-License-Identifier: MIT */
/*
 * kernel/vm/vmdesc.c: a good tree, then one property changed at a time and the message it must
 * give.
 */
#include "tests/unit/vm/vmdesc_tree.h"

static void reads_every_field(void **state)
{
	const struct vm_desc *a = &desc.vms[0], *b = &desc.vms[1];

	(void)state;
	assert_int_equal(parse(), 0);
	assert_int_equal(desc.nodes, 8);
	assert_int_equal(desc.memory_mb, 512);
	assert_int_equal(desc.nvms, 2);
	assert_true(a->valid && b->valid);
	assert_string_equal(a->name, "vm0");
	assert_string_equal(a->label, "alpha");
	assert_string_equal(a->kernel, "vmlinux");
	assert_string_equal(a->ramdisk, "root.cpio");
	assert_string_equal(a->bootargs, "quiet console=hvc0");
	assert_int_equal(a->memory_mb, 64);
	assert_int_equal(a->vcpus, 2);
	assert_int_equal(a->nodes.n, 1);
	assert_int_equal(a->nodes.list[0], 7);
	assert_false(a->manual);
	assert_string_equal(b->label, "beta");
	assert_string_equal(b->ramdisk, "");
	assert_string_equal(b->bootargs, "");
	assert_int_equal(b->vcpus, 1);
	assert_int_equal(b->nodes.n, 0);
	assert_true(b->manual);
}

static void names_what_is_wrong_in_the_machine(void **state)
{
	(void)state;
	set_cell("/", "nodes", 17);
	expect_machine_error("/: nodes: found 17, allowed 2..16");
	set_cell("/", "memory-mb", 4096);
	expect_machine_error("/: memory-mb: found 4096, allowed 128..2048");
	set_string("/", "compatible", "disco,vm");
	expect_machine_error("/: compatible: found \"disco,vm\", allowed \"disco,machine\"");
	unset("/", "nodes");
	expect_machine_error("/: nodes: missing");
	set_cell("/", "procesors", 2);
	expect_machine_error("/: procesors: found an unknown property");
	set("/", "nodes", "", 0);
	expect_machine_error("/: nodes: found 0 bytes, allowed one number 2..16");
	add_node("/", "disks");
	expect_machine_error("/: disks: found an unknown node");
	fdt_del_node(tree, fdt_path_offset(tree, "/vms"));
	expect_machine_error("/: vms: missing");
	set_cell("/vms", "count", 2);
	expect_machine_error("/vms: found a property, allowed VM nodes only");
}

static void set_cells(const char *name, u32 count, u32 first)
{
	fdt32_t cells[300];

	for (u32 i = 0; i < count; i++)
		cells[i] = cpu_to_fdt32(first + i);
	set("/", name, cells, 4 * count);
}

static void reads_the_topology(void **state)
{
	(void)state;
	assert_int_equal(parse(), 0);
	assert_int_equal(desc.topology, TOPOLOGY_CROSSBAR);
	assert_int_equal(desc.latency_ns.count, 0);
	set_string("/", "topology", "hypercube");
	set_cells("latency-ns", 64, 300);
	assert_int_equal(parse(), 0);
	assert_int_equal(desc.topology, TOPOLOGY_HYPERCUBE);
	assert_int_equal(desc.latency_ns.count, 64);
	assert_int_equal(desc.latency_ns.value[63], 363);
	set_string("/", "topology", "mesh");
	set_cells("latency-ns", 3, 20);
	assert_int_equal(parse(), 0);
	assert_int_equal(desc.topology, TOPOLOGY_MESH);
	assert_int_equal(desc.latency_ns.count, 3);
}

static void names_what_is_wrong_in_the_topology(void **state)
{
	(void)state;
	set_string("/", "topology", "ring");
	expect_machine_error(
		"/: topology: found \"ring\", allowed one of: crossbar mesh hypercube");
	set_string("/", "topology", "");
	expect_machine_error("/: topology: found \"\", allowed one of: crossbar mesh hypercube");
	set_string("/", "topology", "hypercube");
	set_cell("/", "nodes", 9);
	expect_machine_error("/: topology: found hypercube with 9 nodes, allowed 2, 4, 8, 16");
	set_cells("latency-ns", 5, 300);
	expect_machine_error("/: latency-ns: found 5 numbers, allowed 2, 3 or 64");
	set_cells("latency-ns", 2, 20000);
	expect_machine_error("/: latency-ns: found 20001, allowed 1..20000");
	set("/", "latency-ns", "abc", 3);
	expect_machine_error("/: latency-ns: found 3 bytes, allowed 1..256 numbers 1..20000");
	set_cells("latency-ns", 257, 300);
	expect_machine_error("/: latency-ns: found 1028 bytes, allowed 1..256 numbers 1..20000");
}

static void names_what_is_wrong_in_a_vm(void **state)
{
	(void)state;
	set_cell("/vms/vm0", "memory-mb", 0);
	expect_vm_error("/vms/vm0: memory-mb: found 0, allowed 4..1024");
	set_cell("/vms/vm0", "memory-mb", ~0u);
	expect_vm_error("/vms/vm0: memory-mb: found 4294967295, allowed 4..1024");
	set_cell("/vms/vm0", "memory-mb", 257);
	set("/vms/vm0", "rewrite", "", 0);
	expect_vm_error("/vms/vm0: memory-mb: found 257, allowed up to 256 with rewrite");
	set("/vms/vm0", "unpatched", "", 0);
	expect_vm_error("/vms/vm0: unpatched: found without rewrite, allowed with it");
	set_cell("/vms/vm0", "memory-mb", 4);
	set_cell("/vms/vm0", "vcpus", 5);
	set("/vms/vm0", "node", (const u8[5 * 4]){ 0 }, 5 * 4);
	set("/vms/vm0", "show-nodes", "", 0);
	expect_vm_error("/vms/vm0: memory-mb: found 4, allowed from 5 on with show-nodes");
	set_cell("/vms/vm0", "vcpus", 17);
	expect_vm_error("/vms/vm0: vcpus: found 17, allowed 1..16");
	set_cell("/vms/vm0", "node", 8);
	expect_vm_error("/vms/vm0: node: found 8, allowed 0..7");
	set_cell("/vms/vm0", "node", ~0u);
	expect_vm_error("/vms/vm0: node: found 4294967295, allowed 0..15");
	set_cell("/vms/vm0", "weight", 63);
	expect_vm_error("/vms/vm0: weight: found 63, allowed 64..16384");
	set_cell("/vms/vm0", "weight", 16385);
	expect_vm_error("/vms/vm0: weight: found 16385, allowed 64..16384");
	set_cell("/vms/vm0", "cap", 0);
	expect_vm_error("/vms/vm0: cap: found 0, allowed 1..100");
	set_cell("/vms/vm0", "cap", 101);
	expect_vm_error("/vms/vm0: cap: found 101, allowed 1..100");
	set("/vms/vm0", "manual", "x", 2);
	expect_vm_error("/vms/vm0: manual: found a value of 2 bytes, allowed none");
	set_cell("/vms/vm0", "memory", 64);
	expect_vm_error("/vms/vm0: memory: found an unknown property");
	unset("/vms/vm0", "kernel");
	expect_vm_error("/vms/vm0: kernel: missing");
	set_string("/vms/vm0", "compatible", "disco,machine");
	expect_vm_error("/vms/vm0: compatible: found \"disco,machine\", allowed \"disco,vm\"");
	add_node("/vms/vm0", "dusk");
	expect_vm_error("/vms/vm0: dusk: found an unknown node");
}

static void set_nodes(u32 n, u32 first, u32 step)
{
	fdt32_t cells[VMDESC_NODES_MAX + 1];

	for (u32 i = 0; i < n; i++)
		cells[i] = cpu_to_fdt32(first + i * step);
	set("/vms/vm0", "node", cells, (int)(n * sizeof(cells[0])));
}

static void reads_a_list_of_nodes(void **state)
{
	const struct vmdesc_nodes *nodes = &desc.vms[0].nodes;

	(void)state;
	set_cell("/vms/vm0", "vcpus", 3);
	set_nodes(3, 5, -2u);
	assert_int_equal(parse(), 0);
	assert_true(desc.vms[0].valid);
	assert_int_equal(nodes->n, 3);
	assert_int_equal(nodes->list[0], 5);
	assert_int_equal(nodes->list[1], 3);
	assert_int_equal(nodes->list[2], 1);
	/* fewer than VCPUs, and one of them twice */
	set_nodes(2, 6, 0);
	assert_int_equal(parse(), 0);
	assert_true(desc.vms[0].valid);
	assert_int_equal(nodes->n, 2);
	assert_int_equal(nodes->list[1], 6);
	set_cell("/", "nodes", 16);
	set_cell("/vms/vm0", "vcpus", 16);
	set_nodes(16, 0, 1);
	assert_int_equal(parse(), 0);
	assert_true(desc.vms[0].valid);
	assert_int_equal(nodes->n, 16);
	assert_int_equal(nodes->list[15], 15);
}

static void names_what_is_wrong_in_a_list_of_nodes(void **state)
{
	(void)state;
	set("/vms/vm0", "node", NULL, 0);
	expect_vm_error("/vms/vm0: node: found 0 bytes, allowed 1..16 numbers 0..15");
	set("/vms/vm0", "node", "\0\0\0\0\0", 5);
	expect_vm_error("/vms/vm0: node: found 5 bytes, allowed 1..16 numbers 0..15");
	set_nodes(17, 0, 0);
	expect_vm_error("/vms/vm0: node: found 68 bytes, allowed 1..16 numbers 0..15");
	set_nodes(2, 7, 9);
	expect_vm_error("/vms/vm0: node: found 16, allowed 0..15");
	set_nodes(2, 7, 1);
	expect_vm_error("/vms/vm0: node: found 8, allowed 0..7");
	set_nodes(3, 0, 1); /* of two VCPUs */
	expect_vm_error("/vms/vm0: node: found 3 numbers, allowed 1..2, one a VCPU");
}

static void names_what_is_wrong_in_a_string(void **state)
{
	char longest[2050];

	(void)state;
	set_string("/vms/vm0", "label", "Alpha");
	expect_vm_error("/vms/vm0: label: found \"Alpha\", allowed characters "
			"-0123456789abcdefghijklmnopqrstuvwxyz");
	set_string("/vms/vm0", "label", "");
	expect_vm_error("/vms/vm0: label: found 0 characters \"\", allowed 1..15");
	set_string("/vms/vm0", "label", "sixteen-letters-");
	expect_vm_error("/vms/vm0: label: found 16 characters \"sixteen-letters-\", allowed 1..15");
	set("/vms/vm0", "kernel", "a\0b", 4);
	expect_vm_error("/vms/vm0: kernel: found 4 bytes that are not one string, allowed one "
			"string");
	set("/vms/vm0", "kernel", "abc", 3);
	expect_vm_error("/vms/vm0: kernel: found 3 bytes that are not one string, allowed one "
			"string");
	set_string("/vms/vm0", "bootargs", "a\033[2J");
	expect_vm_error("/vms/vm0: bootargs: found \"a?[2J\", allowed characters 0x20..0x7e");
	memset(longest, 'x', 2049);
	longest[2049] = 0;
	set_string("/vms/vm0", "bootargs", longest);
	expect_vm_error("/vms/vm0: bootargs: found 2049 characters "
			"\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\", allowed 0..2048");
	longest[2048] = 0;
	set_string("/vms/vm0", "bootargs", longest);
	assert_int_equal(parse(), 0);
	assert_string_equal(desc.vms[0].bootargs, longest);
}

static void wants_labels_unique(void **state)
{
	(void)state;
	set_string("/vms/vm1", "label", "alpha");
	assert_int_equal(parse(), 0);
	assert_true(desc.vms[0].valid);
	assert_false(desc.vms[1].valid);
	assert_string_equal(desc.vms[1].error,
			    "/vms/vm1: label: found \"alpha\", which /vms/vm0 has, allowed any "
			    "other");
}

static void limits_the_number_of_vms(void **state)
{
	char name[16], path[32];
	int i;

	(void)state;
	for (i = 2; i < VMDESC_MAX_VMS; i++) {
		snprintf(name, sizeof(name), "vm%d", i);
		snprintf(path, sizeof(path), "/vms/vm%d", i);
		add_vm(name, path, name);
	}
	assert_int_equal(parse(), 0);
	assert_int_equal(desc.nvms, 16);
	for (i = 0; i < 16; i++)
		assert_true(desc.vms[i].valid);
	add_vm("vm16", "/vms/vm16", "one-more");
	expect_machine_error("/vms: found more than 16 VMs, allowed 0..16");
}

static void rejects_every_truncation(void **state)
{
	size_t size, n;

	(void)state;
	fdt_pack(tree);
	size = fdt_totalsize(tree);
	for (n = 0; n < size; n++) {
		void *copy = exact_copy(tree, n);

		assert_int_equal(vmdesc_parse(copy, n, &desc, why, sizeof(why)), -EINVAL);
		free(copy);
	}
}

static void survives_every_single_bit_change(void **state)
{
	size_t size, n;
	int bit;

	(void)state;
	fdt_pack(tree);
	size = fdt_totalsize(tree);
	for (n = 0; n < size; n++) {
		for (bit = 0; bit < 8; bit++) {
			char *copy = exact_copy(tree, size);

			copy[n] ^= 1u << bit;
			vmdesc_parse(copy, size, &desc, why, sizeof(why));
			free(copy);
		}
	}
}

static void counts_the_memory_left_for_vms(void **state)
{
	(void)state;
	assert_int_equal(parse(), 0);
	/* two VMs of 64 MB: a MB each for their pmaps, rounded up */
	assert_int_equal(vmdesc_memory_for_vms(&desc, 0),
			 512 - VMDESC_MONITOR_MB - 8 * VMDESC_NODE_MB - 2);
	assert_int_equal(vmdesc_memory_for_vms(&desc, (10 << 20) + 1),
			 512 - VMDESC_MONITOR_MB - 8 * VMDESC_NODE_MB - 2 - 11);
	assert_int_equal(vmdesc_memory_for_vms(&desc, (size_t)600 << 20), 0);
	/* what is patched in a kernel of one VCPU is by its memory: 10.7 MB for 64, 0.9 for 4 */
	set("/vms/vm0", "rewrite", "", 0);
	set_cell("/vms/vm0", "vcpus", 1);
	assert_int_equal(parse(), 0);
	assert_int_equal(vmdesc_memory_for_vms(&desc, 0),
			 512 - VMDESC_MONITOR_MB - 8 * VMDESC_NODE_MB - 2 - 11);
	set_cell("/vms/vm0", "memory-mb", 4);
	assert_int_equal(parse(), 0);
	assert_int_equal(vmdesc_memory_for_vms(&desc, 0),
			 512 - VMDESC_MONITOR_MB - 8 * VMDESC_NODE_MB - 2 - 1);
	set("/vms/vm0", "unpatched", "", 0);
	assert_int_equal(parse(), 0);
	assert_int_equal(vmdesc_memory_for_vms(&desc, 0),
			 512 - VMDESC_MONITOR_MB - 8 * VMDESC_NODE_MB - 2);
	unset("/vms/vm0", "unpatched");
	set_cell("/vms/vm0", "memory-mb", 64);
	set_cell("/vms/vm0", "vcpus", 2);
	assert_int_equal(parse(), 0);
	assert_int_equal(vmdesc_memory_for_vms(&desc, 0),
			 512 - VMDESC_MONITOR_MB - 8 * VMDESC_NODE_MB - 2);
	unset("/vms/vm0", "rewrite");
	/* a pmap on each node, for 8 * 300 MB of 256, rounded up */
	set_cell("/vms/vm0", "memory-mb", 300);
	set_cell("/vms/vm0", "vcpus", 16);
	set_nodes(8, 0, 1);
	assert_int_equal(parse(), 0);
	assert_int_equal(vmdesc_memory_for_vms(&desc, 0),
			 512 - VMDESC_MONITOR_MB - 8 * VMDESC_NODE_MB - 10 - 1);
	set_nodes(8, 3, 0); /* all the same one */
	assert_int_equal(parse(), 0);
	assert_int_equal(vmdesc_memory_for_vms(&desc, 0),
			 512 - VMDESC_MONITOR_MB - 8 * VMDESC_NODE_MB - 2 - 1);
}

/* A property whose length leads back to itself. */
static void refuses_a_tree_without_end(void **state)
{
	int at = fdt_first_property_offset(tree, 0);
	struct fdt_property *p = (void *)((char *)tree + fdt_off_dt_struct(tree) + at);
	char text[80];

	(void)state;
	p->len = cpu_to_fdt32(-12);
	snprintf(text, sizeof(text), "/: found a broken device tree at offset 0x%x (length)", at);
	expect_machine_error(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(refuses_a_tree_without_end, fill),
		cmocka_unit_test_setup(reads_every_field, fill),
		cmocka_unit_test_setup(names_what_is_wrong_in_the_machine, fill),
		cmocka_unit_test_setup(reads_the_topology, fill),
		cmocka_unit_test_setup(names_what_is_wrong_in_the_topology, fill),
		cmocka_unit_test_setup(names_what_is_wrong_in_a_vm, fill),
		cmocka_unit_test_setup(reads_a_list_of_nodes, fill),
		cmocka_unit_test_setup(names_what_is_wrong_in_a_list_of_nodes, fill),
		cmocka_unit_test_setup(names_what_is_wrong_in_a_string, fill),
		cmocka_unit_test_setup(wants_labels_unique, fill),
		cmocka_unit_test_setup(limits_the_number_of_vms, fill),
		cmocka_unit_test_setup(rejects_every_truncation, fill),
		cmocka_unit_test_setup(survives_every_single_bit_change, fill),
		cmocka_unit_test_setup(counts_the_memory_left_for_vms, fill),
	};

	return cmocka_run_group_tests_name("vmdesc", tests, NULL, NULL);
}
