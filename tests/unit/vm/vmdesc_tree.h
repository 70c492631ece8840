/* SPDX-License-Identifier: MIT */
/* A good description with two VMs, to be changed a property at a time, and what the parser says of it. */
#ifndef TESTS_UNIT_VM_VMDESC_TREE_H
#define TESTS_UNIT_VM_VMDESC_TREE_H

#include "tests/unit/unit.h"

#include <libfdt.h>

#include "kernel/errno.h"
#include "kernel/vm/vmdesc.h"

static char tree[8192] __attribute__((aligned(8)));
static char why[VMDESC_ERROR_BYTES];
static struct machine_desc desc;

static inline void set(const char *path, const char *name, const void *value, int len)
{
	assert_int_equal(fdt_setprop(tree, fdt_path_offset(tree, path), name, value, len), 0);
}

static inline void set_string(const char *path, const char *name, const char *value)
{
	set(path, name, value, strlen(value) + 1);
}

static inline void set_cell(const char *path, const char *name, u32 value)
{
	fdt32_t cell = cpu_to_fdt32(value);

	set(path, name, &cell, sizeof(cell));
}

static inline void unset(const char *path, const char *name)
{
	assert_int_equal(fdt_delprop(tree, fdt_path_offset(tree, path), name), 0);
}

static inline void add_node(const char *parent, const char *name)
{
	assert_true(fdt_add_subnode(tree, fdt_path_offset(tree, parent), name) >= 0);
}

static inline void add_vm(const char *name, const char *path, const char *label)
{
	add_node("/vms", name);
	set_string(path, "compatible", "disco,vm");
	set_string(path, "label", label);
	set_string(path, "kernel", "vmlinux");
	set_cell(path, "memory-mb", 64);
}

static inline int fill(void **state)
{
	(void)state;
	assert_int_equal(fdt_create_empty_tree(tree, sizeof(tree)), 0);
	set_string("/", "compatible", "disco,machine");
	set_cell("/", "nodes", 8);
	set_cell("/", "memory-mb", 512);
	add_node("/", "vms");
	/* libfdt adds a new node before its siblings */
	add_vm("vm1", "/vms/vm1", "beta");
	add_vm("vm0", "/vms/vm0", "alpha");
	set_string("/vms/vm0", "ramdisk", "root.cpio");
	set_string("/vms/vm0", "bootargs", "quiet console=hvc0");
	set_cell("/vms/vm0", "vcpus", 2);
	set_cell("/vms/vm0", "node", 7);
	set("/vms/vm1", "manual", NULL, 0);
	return 0;
}

static inline int parse(void)
{
	size_t size = fdt_totalsize(tree);
	void *copy = exact_copy(tree, size);
	int err = vmdesc_parse(copy, size, &desc, why, sizeof(why));

	free(copy);
	return err;
}

static inline void expect_machine_error(const char *text)
{
	assert_int_equal(parse(), -EINVAL);
	assert_string_equal(why, text);
	assert_int_equal(desc.nvms, 0);
	fill(NULL);
}

/* vm0 is wrong, vm1 is not disturbed. */
static inline void expect_vm_error(const char *text)
{
	assert_int_equal(parse(), 0);
	assert_int_equal(desc.nvms, 2);
	assert_false(desc.vms[0].valid);
	assert_string_equal(desc.vms[0].error, text);
	assert_true(desc.vms[1].valid);
	fill(NULL);
}

#endif /* TESTS_UNIT_VM_VMDESC_TREE_H */
