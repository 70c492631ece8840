/* SPDX-License-Identifier: MIT */
/*
 * Device tree -> struct machine_desc: the tree as a whole, the machine's properties, and each VM by
 * vmdesc_vm.c, vmdesc_disk.c and vmdesc_net.c. A table says which properties there are, of which kind, with which limits; adding one
 * is a row.
 */
#include "kernel/vm/vmdesc.h"

#include <libfdt.h>
#include <string.h>

#include "kernel/reloc/patch.h"
#include "kernel/vm/props.h"

#define MACHINE(field) offsetof(struct machine_desc, field)

static const struct prop_rule machine_rules[] = {
	{ "compatible", PROP_COMPATIBLE, PROP_REQUIRED, 0, 0, 0, "disco,machine" },
	{ "nodes", PROP_CELL, PROP_REQUIRED, VMDESC_NODES_MIN, VMDESC_NODES_MAX, MACHINE(nodes),
	  NULL },
	{ "memory-mb", PROP_CELL, PROP_REQUIRED, VMDESC_MACHINE_MB_MIN, VMDESC_MACHINE_MB_MAX,
	  MACHINE(memory_mb), NULL },
	{ "topology", PROP_WORD, 0, 0, 0, MACHINE(topology), "crossbar mesh hypercube" },
	/* how many: check_machine */
	{ "latency-ns", PROP_CELLS, UP_TO(VMDESC_LATENCIES_MAX), VMDESC_LATENCY_NS_MIN,
	  VMDESC_LATENCY_NS_MAX, MACHINE(latency_ns), NULL },
};

/*
 * Is this a tree at all? libfdt checks each access against the header; this walk makes sure that
 * every tag can be reached, that nodes nest and that the structure ends, so that later loops see no
 * error in the middle.
 */
static int check_tree(const void *fdt, size_t size, struct report *r)
{
	unsigned int depth = 0;
	int offset = 0;
	int next, err;
	u32 tag;

	if (size < sizeof(struct fdt_header))
		return props_fail(r, "found a device tree of %llu bytes, allowed %u or more",
				  (unsigned long long)size,
				  (unsigned int)sizeof(struct fdt_header));
	if ((uintptr_t)fdt % 8 != 0)
		return props_fail(r,
				  "found the device tree at address ...%x, allowed a multiple of 8",
				  (unsigned int)((uintptr_t)fdt & 0xff));
	err = fdt_check_header(fdt);
	if (err)
		return props_fail(r, "found no device tree (%s)", fdt_strerror(err));
	if (fdt_totalsize(fdt) > size)
		return props_fail(r, "found %llu bytes, the device tree says %u",
				  (unsigned long long)size, (unsigned int)fdt_totalsize(fdt));
	/* libfdt reads 32-bit words here and believes the header about where they are */
	if (fdt_off_dt_struct(fdt) % 4 != 0)
		return props_fail(r, "found the structure at offset 0x%x, allowed a multiple of 4",
				  (unsigned int)fdt_off_dt_struct(fdt));
	do {
		tag = fdt_next_tag(fdt, offset, &next);
		if (next < 0)
			return props_fail(r, "found a broken device tree at offset 0x%x (%s)",
					  (unsigned int)offset, fdt_strerror(next));
		if (next <= offset) /* a length below 0: for ever */
			return props_fail(r, "found a broken device tree at offset 0x%x (length)",
					  (unsigned int)offset);
		if (tag == FDT_BEGIN_NODE)
			depth++;
		if ((tag == FDT_PROP && depth == 0) || (tag == FDT_END_NODE && depth-- == 0) ||
		    (tag == FDT_END && depth != 0))
			return props_fail(r, "found a broken device tree at offset 0x%x (nesting)",
					  (unsigned int)offset);
		offset = next;
	} while (tag != FDT_END);
	return 0;
}

static int read_vms(const void *fdt, int vms, struct machine_desc *out, struct report *r)
{
	struct report in_vms = { r->why, r->size, "/vms", "" };
	int prop = fdt_first_property_offset(fdt, vms);
	int node;

	if (prop >= 0)
		return props_fail(&in_vms, "found a property, allowed VM nodes only");
	fdt_for_each_subnode(node, fdt, vms) {
		if (out->nvms == VMDESC_MAX_VMS)
			return props_fail(&in_vms, "found more than %u VMs, allowed 0..%u",
					  VMDESC_MAX_VMS, VMDESC_MAX_VMS);
		vmdesc_read_vm(fdt, node, out, &out->vms[out->nvms]);
		out->nvms++;
	}
	return 0;
}

/* What the machine's properties must be to each other. */
static int check_machine(const struct machine_desc *m, const struct report *r)
{
	u32 n = m->nodes, count = m->latency_ns.count;

	if (m->topology == TOPOLOGY_HYPERCUBE && (n & (n - 1)))
		return props_fail(r, "topology: found hypercube with %u nodes, allowed 2, 4, 8, 16",
				  (unsigned int)n);
	if (count && count != 2 && count != 3 && count != n * n)
		return props_fail(r, "latency-ns: found %u numbers, allowed 2, 3 or %u",
				  (unsigned int)count, (unsigned int)(n * n));
	return 0;
}

static int read_machine(const void *fdt, struct machine_desc *out, struct report *r)
{
	int err = props_read(fdt, 0, machine_rules, ARRAY_SIZE(machine_rules), out, r);
	int node, vms = -1, uplink = -1;

	if (!err)
		err = check_machine(out, r);
	if (err)
		return err;
	fdt_for_each_subnode(node, fdt, 0) {
		const char *name = fdt_get_name(fdt, node, NULL);
		bool is_vms = name && !strcmp(name, "vms");
		int *place = is_vms ? &vms : &uplink;

		if (!is_vms && (!name || strcmp(name, "uplink") != 0))
			return props_fail(r, "%s: found an unknown node",
					  name ? props_show(name, strlen(name)).text : "?");
		if (*place >= 0)
			return props_fail(r, "%s: found twice, allowed once", name);
		*place = node;
	}
	if (vms < 0)
		return props_fail(r, "vms: missing");
	err = uplink < 0 ? 0 : vmdesc_read_uplink(fdt, uplink, out, r);
	if (!err)
		err = read_vms(fdt, vms, out, r);
	return err ? err : vmdesc_number_nets(out, r);
}

int vmdesc_parse(const void *blob, size_t size, struct machine_desc *out, char *why,
		 size_t why_size)
{
	struct report r = { why, why_size, "/", "" };
	int err;

	memset(out, 0, sizeof(*out));
	err = check_tree(blob, size, &r);
	if (!err)
		err = read_machine(blob, out, &r);
	if (err)
		memset(out, 0, sizeof(*out));
	return err;
}

/* How many nodes a VM's VCPUs live on. */
static u32 count_nodes(const struct vm_desc *vm)
{
	u32 mask = 0, n = 0;

	for (u32 i = 0; i < vm->nodes.n; i++) {
		n += !(mask >> vm->nodes.list[i] & 1);
		mask |= 1u << vm->nodes.list[i];
	}
	return MAX(n, 1u);
}

/* For what is patched in its kernel while that runs. */
static u32 patch_mb(const struct vm_desc *vm)
{
	if (!vm->rewrite || vm->unpatched || vm->vcpus != 1)
		return 0;
	return (sizeof(struct patch) + patch_bytes(vm->memory_mb << (20 - PAGE_SHIFT)) + 0xfffff) >>
	       20;
}

u32 vmdesc_memory_for_vms(const struct machine_desc *machine, size_t archive_bytes)
{
	u64 kept = VMDESC_MONITOR_MB + (u64)VMDESC_NODE_MB * machine->nodes;
	u32 images = 0;

	while (vmdesc_host_disk(machine, images))
		images++;
	kept += (images * VMDESC_IMAGE_KB + machine->has_uplink * VMDESC_UPLINK_KB + 1023) >> 10;

	for (u32 i = 0; i < machine->nvms; i++)
		if (machine->vms[i].valid && !machine->vms[i].on_demand)
			kept += patch_mb(&machine->vms[i]) +
				(count_nodes(&machine->vms[i]) * machine->vms[i].memory_mb +
				 VMDESC_VIEW_SHARE - 1) /
					VMDESC_VIEW_SHARE;

	kept += ((u64)archive_bytes + 0xfffff) >> 20;
	return kept < machine->memory_mb ? machine->memory_mb - kept : 0;
}
