/* SPDX-License-Identifier: MIT */
/* kernel/vm/vmdesc_disk.c: disks of VMs, and the images that several name. */
#include "tests/unit/vm/vmdesc_tree.h"

static void add_disk(const char *vm, const char *name, const char *image, const char *mode)
{
	char path[64];

	snprintf(path, sizeof(path), "/vms/%s/%s", vm, name);
	path[strlen("/vms/vm0")] = 0;
	add_node(path, name);
	path[strlen("/vms/vm0")] = '/';
	set_string(path, "compatible", "disco,disk");
	set_string(path, "image", image);
	set_string(path, "mode", mode);
}

#define DISK0 "/vms/vm0/disk0"

static void reads_disks(void **state)
{
	const struct disk_desc *root = &desc.vms[0].disks[0], *work = &desc.vms[0].disks[1];

	(void)state;
	add_disk("vm1", "disk0", "root.img", "cow");
	add_disk("vm0", "disk1", "/var/work.img", "persistent");
	add_disk("vm0", "disk0", "root.img", "cow");
	set("/vms/vm0/disk0", "read-only", NULL, 0);
	set_cell("/vms/vm1/disk0", "limit-mb", 2048);
	set_string("/vms/vm0/disk1", "serial", "Work_1");
	assert_int_equal(parse(), 0);
	assert_true(desc.vms[0].valid && desc.vms[1].valid);
	assert_int_equal(desc.vms[0].ndisks, 2);
	assert_string_equal(root->name, "disk0");
	assert_string_equal(root->serial, "disk0");
	assert_string_equal(root->image, "root.img");
	assert_int_equal(root->mode, DISK_COW);
	assert_true(root->read_only);
	assert_false(root->in_archive);
	assert_string_equal(work->serial, "Work_1");
	assert_int_equal(work->mode, DISK_PERSISTENT);
	assert_int_equal(desc.vms[1].disks[0].limit_mb, 2048);
	/* one number an image, whoever has it */
	assert_int_equal(vmdesc_host_image(&desc, root), 0);
	assert_int_equal(vmdesc_host_image(&desc, work), 1);
	assert_int_equal(vmdesc_host_image(&desc, &desc.vms[1].disks[0]), 0);
	assert_ptr_equal(vmdesc_host_disk(&desc, 1), work);
	assert_null(vmdesc_host_disk(&desc, 2));
}

static void reads_disks_of_the_archive(void **state)
{
	const struct disk_desc *root = &desc.vms[0].disks[0];

	(void)state;
	add_disk("vm0", "disk1", "work.img", "cow");
	add_disk("vm0", "disk0", "root.img", "cow");
	set(DISK0, "in-archive", NULL, 0);
	set_cell(DISK0, "seek-us", 9000);
	set_cell(DISK0, "kb-per-second", 5000);
	assert_int_equal(parse(), 0);
	assert_true(desc.vms[0].valid);
	assert_true(root->in_archive);
	assert_int_equal(root->seek_us, 9000);
	assert_int_equal(root->kb_per_second, 5000);
	assert_int_equal(vmdesc_host_image(&desc, root), -1);
	assert_int_equal(vmdesc_host_image(&desc, root + 1), 0);
}

static void names_what_is_wrong_in_a_disk(void **state)
{
	static const struct {
		const char *name, *value, *error;
	} wrong[] = {
		{ "compatible", "disco,disc",
		  DISK0 ": compatible: found \"disco,disc\", allowed \"disco,disk\"" },
		{ "image", "", DISK0 ": image: found 0 characters \"\", allowed 1..127" },
		{ "mode", "raw", DISK0 ": mode: found \"raw\", allowed one of: cow persistent" },
		{ "serial", "a serial",
		  DISK0 ": serial: found \"a serial\", allowed characters "
			"._ABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789abcdefghijklmnopqrstuvwxyz" },
		{ "serial", "longer-than-twenty-ch",
		  DISK0 ": serial: found 21 characters \"longer-than-twenty-ch\", allowed 1..20" },
		{ "sectors", "8", DISK0 ": sectors: found an unknown property" },
		{ "limit-mb", "", DISK0 ": limit-mb: found 1 bytes, allowed one number 0..2048" },
		{ "serial", "disk1",
		  "/vms/vm0/disk1: serial: found \"disk1\", which disk0 has, allowed any other" },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
		add_disk("vm0", "disk1", "work.img", "persistent");
		add_disk("vm0", "disk0", "root.img", "cow");
		set_string(DISK0, wrong[i].name, wrong[i].value);
		expect_vm_error(wrong[i].error);
	}
	add_disk("vm0", "disk0", "root.img", "cow");
	unset(DISK0, "mode");
	expect_vm_error(DISK0 ": mode: missing");
	for (u32 i = 5; i-- > 0;)
		add_disk("vm0", (const char *[]){ "disk0", "disk1", "disk2", "disk3", "disk4" }[i],
			 "root.img", "cow");
	expect_vm_error("/vms/vm0: disk4: found more than 4 disks, allowed 0..4");
}

static void names_what_does_not_go_with_a_mode(void **state)
{
	static const struct {
		const char *mode, *flag, *cell, *error;
	} wrong[] = {
		{ "persistent", "in-archive", NULL,
		  "mode: found persistent and in-archive, allowed cow" },
		{ "persistent", NULL, "limit-mb",
		  "limit-mb: found in a disk that is persistent, allowed with cow" },
		{ "cow", "read-only", "limit-mb",
		  "limit-mb: found in a disk that is read-only, allowed with cow" },
		{ "cow", NULL, "seek-us", "seek-us: found without in-archive, allowed with it" },
		{ "cow", NULL, "kb-per-second",
		  "kb-per-second: found without in-archive, allowed with it" },
	};
	char error[128];

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
		add_disk("vm0", "disk0", "root.img", wrong[i].mode);
		if (wrong[i].flag)
			set(DISK0, wrong[i].flag, NULL, 0);
		if (wrong[i].cell)
			set_cell(DISK0, wrong[i].cell, 1);
		snprintf(error, sizeof(error), DISK0 ": %s", wrong[i].error);
		expect_vm_error(error);
	}
	add_disk("vm0", "disk0", "/root.img", "cow");
	set(DISK0, "in-archive", NULL, 0);
	expect_vm_error(DISK0
			": image: found \"/root.img\" and in-archive, allowed a path in build/");
}

/* The second VM is wrong, by the first one's disk. */
static void expect_second_vm_error(const char *text)
{
	assert_int_equal(parse(), 0);
	assert_true(desc.vms[0].valid);
	assert_false(desc.vms[1].valid);
	assert_string_equal(desc.vms[1].error, text);
	fill(NULL);
}

static void refuses_an_image_of_two_disks(void **state)
{
	(void)state;
	add_disk("vm1", "disk0", "work.img", "persistent");
	add_disk("vm0", "disk0", "work.img", "persistent");
	expect_second_vm_error(
		"/vms/vm1/disk0: image: found \"work.img\", which /vms/vm0/disk0 has "
		"as its own, allowed any other");
	add_disk("vm1", "disk0", "work.img", "cow");
	add_disk("vm0", "disk0", "work.img", "persistent");
	expect_second_vm_error(
		"/vms/vm1/disk0: image: found \"work.img\", which /vms/vm0/disk0 has "
		"as its own, allowed any other");
	add_disk("vm1", "disk0", "work.img", "persistent");
	add_disk("vm0", "disk0", "work.img", "cow");
	expect_second_vm_error("/vms/vm1/disk0: image: found \"work.img\", which /vms/vm0/disk0 "
			       "has, allowed any other");
	add_disk("vm0", "disk1", "work.img", "persistent");
	add_disk("vm0", "disk0", "work.img", "persistent");
	expect_vm_error(
		"/vms/vm0/disk1: image: found \"work.img\", which /vms/vm0/disk0 has as its "
		"own, allowed any other");
	add_disk("vm1", "disk0", "root.img", "cow");
	add_disk("vm0", "disk0", "root.img", "cow");
	set(DISK0, "in-archive", NULL, 0);
	expect_second_vm_error("/vms/vm1/disk0: image: found \"root.img\" with another in-archive, "
			       "seek-us or kb-per-second than in /vms/vm0/disk0, allowed the same");
}

static void an_image_of_a_bad_vm_is_nobodys(void **state)
{
	(void)state;
	add_disk("vm1", "disk0", "work.img", "persistent");
	add_disk("vm0", "disk0", "work.img", "persistent");
	set_string("/vms/vm0", "label", "Alpha");
	assert_int_equal(parse(), 0);
	assert_false(desc.vms[0].valid);
	assert_true(desc.vms[1].valid);
	assert_int_equal(vmdesc_host_image(&desc, &desc.vms[1].disks[0]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_disks, fill),
		cmocka_unit_test_setup(reads_disks_of_the_archive, fill),
		cmocka_unit_test_setup(names_what_is_wrong_in_a_disk, fill),
		cmocka_unit_test_setup(names_what_does_not_go_with_a_mode, fill),
		cmocka_unit_test_setup(refuses_an_image_of_two_disks, fill),
		cmocka_unit_test_setup(an_image_of_a_bad_vm_is_nobodys, fill),
	};

	return cmocka_run_group_tests_name("vmdesc_disk", tests, NULL, NULL);
}
