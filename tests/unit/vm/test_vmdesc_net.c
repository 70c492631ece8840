/* SPDX-License-Identifier: MIT */
/* kernel/vm/vmdesc_net.c: network ports of VMs, and their addresses. */
#include "tests/unit/vm/vmdesc_tree.h"

static void add_net(const char *vm, const char *name, const char *subnet)
{
	char path[64];

	snprintf(path, sizeof(path), "/vms/%s", vm);
	add_node(path, name);
	snprintf(path, sizeof(path), "/vms/%s/%s", vm, name);
	set_string(path, "compatible", "disco,net");
	set_string(path, "subnet", subnet);
}

#define NET0 "/vms/vm0/net0"

static void reads_ports(void **state)
{
	const struct net_desc *lan = &desc.vms[0].nets[0], *other = &desc.vms[1].nets[0];

	(void)state;
	add_net("vm1", "net0", "lan");
	add_net("vm0", "net1", "back");
	add_net("vm0", "net0", "lan");
	set_cell(NET0, "mtu", 65535);
	set("/vms/vm1/net0", "any-source", NULL, 0);
	assert_int_equal(parse(), 0);
	assert_true(desc.vms[0].valid && desc.vms[1].valid);
	assert_int_equal(desc.vms[0].nnets, 2);
	assert_string_equal(lan->name, "net0");
	assert_string_equal(lan->subnet, "lan");
	assert_int_equal(lan->mtu, 65535);
	assert_false(lan->any_source);
	assert_string_equal(desc.vms[0].nets[1].subnet, "back");
	assert_int_equal(other->mtu, VMDESC_MTU_DEFAULT);
	assert_true(other->any_source);
}

/* Of one port, given by nobody else, and another one for each port. */
static void addresses_follow_from_names(void **state)
{
	u8 a[NET_ADDRESS_BYTES], b[NET_ADDRESS_BYTES];

	(void)state;
	add_net("vm0", "net0", "lan");
	assert_int_equal(parse(), 0);
	vmdesc_net_address("alpha", 0, a);
	assert_memory_equal(a, desc.vms[0].nets[0].address, sizeof(a));
	assert_int_equal(a[0], 0x02);
	vmdesc_net_address("alpha", 1, b);
	assert_memory_not_equal(a, b, sizeof(a));
	vmdesc_net_address("alphb", 0, b);
	assert_memory_not_equal(a, b, sizeof(a));
}

/* Of four million labels, these are one of a few pairs whose addresses are equal. */
#define LABEL "vm-1285838"
#define TWIN  "vm-3927727"

static void refuses_an_address_of_two_ports(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2; i++) {
		set_string("/vms/vm0", "label", LABEL);
		set_string("/vms/vm1", "label", TWIN);
		add_net("vm1", "net0", i ? "lan" : "back");
		add_net("vm0", "net0", "lan");
		assert_int_equal(parse(), 0);
		assert_memory_equal(desc.vms[0].nets[0].address, desc.vms[1].nets[0].address,
				    NET_ADDRESS_BYTES);
		assert_true(desc.vms[0].valid);
		assert_int_equal(desc.vms[1].valid, !i);
		fill(NULL);
	}
	assert_string_equal(
		desc.vms[1].error,
		"/vms/vm1/net0: found the link address of /vms/vm0/net0, allowed another: change the VM's label");
}

static void names_what_is_wrong_in_a_port(void **state)
{
	static const struct {
		const char *name, *value, *error;
	} wrong[] = {
		{ "compatible", "disco,nets",
		  NET0 ": compatible: found \"disco,nets\", allowed \"disco,net\"" },
		{ "subnet", "", NET0 ": subnet: found 0 characters \"\", allowed 1..15" },
		{ "subnet", "Lan",
		  NET0
		  ": subnet: found \"Lan\", allowed characters -0123456789abcdefghijklmnopqrstuvwxyz" },
		{ "address", "02", NET0 ": address: found an unknown property" },
		{ "subnet", "back",
		  "/vms/vm0/net1: subnet: found \"back\", which net0 has, allowed any other" },
	};
	static const u32 mtus[] = { 0, VMDESC_MTU_MIN - 1, VMDESC_MTU_MAX + 1, 0xffffffff };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
		add_net("vm0", "net1", "back");
		add_net("vm0", "net0", "lan");
		set_string(NET0, wrong[i].name, wrong[i].value);
		expect_vm_error(wrong[i].error);
	}
	for (u32 i = 0; i < ARRAY_SIZE(mtus); i++) {
		char text[80];

		add_net("vm0", "net0", "lan");
		set_cell(NET0, "mtu", mtus[i]);
		snprintf(text, sizeof(text), NET0 ": mtu: found %u, allowed %u..%u", mtus[i],
			 VMDESC_MTU_MIN, VMDESC_MTU_MAX);
		expect_vm_error(text);
	}
	add_net("vm0", "net2", "c");
	add_net("vm0", "net1", "b");
	add_net("vm0", "net0", "a");
	expect_vm_error("/vms/vm0: net2: found more than 2 network ports, allowed 0..2");
	add_net("vm0", "nett", "a");
	unset("/vms/vm0/nett", "subnet");
	expect_vm_error("/vms/vm0/nett: subnet: missing");
}

/* ---- the uplink ---- */

static void add_uplink(const char *subnet)
{
	add_node("/", "uplink");
	set_string("/uplink", "compatible", "disco,uplink");
	set_string("/uplink", "subnet", subnet);
}

static void numbers_subnets_and_ports(void **state)
{
	static const u32 ports[] = { 80, 65535 };
	fdt32_t cells[] = { cpu_to_fdt32(ports[0]), cpu_to_fdt32(ports[1]) };

	(void)state;
	add_net("vm1", "net1", "back");
	add_net("vm1", "net0", "lan");
	add_net("vm0", "net1", "lan");
	add_net("vm0", "net0", "far");
	add_uplink("lan");
	set("/vms/vm0/net1", "forward", cells, sizeof(cells));
	assert_int_equal(parse(), 0);
	assert_true(desc.vms[0].valid && desc.vms[1].valid && desc.has_uplink);
	assert_int_equal(desc.vms[0].nets[0].subnet_number, 0);
	assert_int_equal(desc.vms[0].nets[0].number, 1);
	assert_int_equal(desc.vms[0].nets[1].subnet_number, 1);
	assert_int_equal(desc.vms[0].nets[1].number, 1);
	assert_int_equal(desc.vms[1].nets[0].subnet_number, 1);
	assert_int_equal(desc.vms[1].nets[0].number, 2);
	assert_int_equal(desc.vms[1].nets[1].subnet_number, 2);
	assert_int_equal(desc.uplink.subnet_number, 1);
	assert_int_equal(desc.uplink.mtu, VMDESC_MTU_UPLINK);
	assert_int_equal(desc.vms[0].nets[1].forward.n, 2);
	assert_memory_equal(desc.vms[0].nets[1].forward.port, ports, sizeof(ports));
}

/* Its ports have no number, and take none from others. */
static void leaves_out_a_wrong_vm(void **state)
{
	(void)state;
	add_net("vm1", "net0", "lan");
	add_net("vm0", "net0", "far");
	set_cell("/vms/vm0", "memory-mb", 0);
	assert_int_equal(parse(), 0);
	assert_false(desc.vms[0].valid);
	assert_int_equal(desc.vms[1].nets[0].subnet_number, 0);
	assert_int_equal(desc.vms[1].nets[0].number, 1);
}

static void names_what_is_wrong_with_an_uplink(void **state)
{
	(void)state;
	add_net("vm0", "net0", "lan");
	add_uplink("wan");
	expect_machine_error("/uplink: subnet: found \"wan\", where no VM is, allowed a VM's");
	add_uplink("lan");
	expect_machine_error("/uplink: subnet: found \"lan\", where no VM is, allowed a VM's");
	add_uplink("lan");
	unset("/uplink", "subnet");
	expect_machine_error("/uplink: subnet: missing");
	add_uplink("lan");
	set_cell("/uplink", "mtu", 1500);
	expect_machine_error("/uplink: mtu: found an unknown property");
	add_net("vm0", "net1", "back");
	add_net("vm0", "net0", "lan");
	add_uplink("back");
	set_cell(NET0, "forward", 80);
	expect_vm_error(
		NET0
		": forward: found without an uplink on \"lan\", allowed with /uplink on that subnet");
	add_net("vm0", "net0", "lan");
	add_uplink("lan");
	set_cell(NET0, "forward", 0);
	expect_vm_error(NET0 ": forward: found 0, allowed 1..65535");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_ports, fill),
		cmocka_unit_test_setup(addresses_follow_from_names, fill),
		cmocka_unit_test_setup(refuses_an_address_of_two_ports, fill),
		cmocka_unit_test_setup(names_what_is_wrong_in_a_port, fill),
		cmocka_unit_test_setup(numbers_subnets_and_ports, fill),
		cmocka_unit_test_setup(leaves_out_a_wrong_vm, fill),
		cmocka_unit_test_setup(names_what_is_wrong_with_an_uplink, fill),
	};

	return cmocka_run_group_tests_name("vmdesc_net", tests, NULL, NULL);
}
