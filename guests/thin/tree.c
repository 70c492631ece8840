/* SPDX-License-Identifier: MIT */
/* The device tree (docs/guest-abi.md), read once at the start; nothing points into it afterwards. */
#include <libfdt.h>
#include <string.h>

#include "guests/thin/thin.h"

struct tree tree;

/* A property of one or two cells. */
static u64 number(const void *blob, int node, const char *name, u32 cell, u32 cells)
{
	int bytes;
	const fdt32_t *p = node < 0 ? NULL : fdt_getprop(blob, node, name, &bytes);
	u64 value = 0;

	if (!p || (u32)bytes < (cell + cells) * sizeof(*p))
		return 0;
	for (u32 i = 0; i < cells; i++)
		value = value << 32 | fdt32_to_cpu(p[cell + i]);
	return value;
}

static void text(const void *blob, const char *path, const char *name, char *out, size_t bytes)
{
	int node = fdt_path_offset(blob, path);
	const char *s = node < 0 ? NULL : fdt_getprop(blob, node, name, NULL);

	strlcpy(out, s ? s : "", bytes);
}

/* Of all nodes of the machine that we are shown: it begins at 0 and has no holes. */
static u64 memory_bytes(const void *blob)
{
	u64 sum = 0;
	int node;

	fdt_for_each_subnode(node, blob, 0) {
		if (!strncmp(fdt_get_name(blob, node, NULL), "memory@", 7))
			sum += number(blob, node, "reg", 2, 2);
	}
	return sum;
}

static u32 count_vcpus(const void *blob)
{
	int cpus = fdt_path_offset(blob, "/cpus"), node;
	u32 n = 0;

	if (cpus < 0)
		return 1;
	fdt_for_each_subnode(node, blob, cpus)
		n++;
	return n;
}

static void read_port(const void *blob, int node, struct tree_port *p)
{
	const char *name;

	p->subnet = (u32)number(blob, node, "disco,subnet-number", 0, 1);
	while (p->names < TREE_PEERS &&
	       (name = fdt_stringlist_get(blob, node, "disco,names", (int)p->names, NULL)))
		strlcpy(p->name[p->names++], name, TREE_NAME);
}

static void read_devices(const void *blob)
{
	int node;

	fdt_for_each_subnode(node, blob, 0) {
		if (fdt_node_check_compatible(blob, node, "virtio,mmio") ||
		    tree.devices == TREE_DEVICES)
			continue;
		tree.device[tree.devices++].address = number(blob, node, "reg", 0, 2);
		if (fdt_getprop(blob, node, "disco,names", NULL) && tree.ports < TREE_PORTS)
			read_port(blob, node, &tree.port[tree.ports++]);
	}
}

void tree_read(const void *blob)
{
	int hypervisor = fdt_path_offset(blob, "/hypervisor");

	tree.memory = memory_bytes(blob);
	tree.vcpus = count_vcpus(blob);
	tree.frequency = number(blob, hypervisor, "timer-frequency", 0, 1);
	text(blob, "/hypervisor", "label", tree.label, sizeof(tree.label));
	text(blob, "/chosen", "bootargs", tree.words, sizeof(tree.words));
	read_devices(blob);
	/* Its memory becomes the heap's, whose fresh memory is zero. */
	memset((void *)blob, 0, fdt_totalsize(blob));
}
