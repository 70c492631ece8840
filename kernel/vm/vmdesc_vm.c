/* SPDX-License-Identifier: MIT */
/* The description of one VM: its properties, a row each, and what they must be to each other. */
#include <libfdt.h>
#include <string.h>

#include "kernel/log.h"
#include "kernel/vm/props.h"
#include "kernel/vm/vmdesc.h"

#define VM(field)	offsetof(struct vm_desc, field)
#define VM_CHARS(field) (sizeof(((struct vm_desc *)0)->field) - 1)

static const struct prop_rule vm_rules[] = {
	{ "compatible", PROP_COMPATIBLE, PROP_REQUIRED, 0, 0, 0, "disco,vm" },
	{ "label", PROP_STRING, PROP_REQUIRED, 1, VM_CHARS(label), VM(label), CHARS_LABEL },
	{ "kernel", PROP_STRING, PROP_REQUIRED, 1, VM_CHARS(kernel), VM(kernel), CHARS_FILE },
	{ "ramdisk", PROP_STRING, 0, 1, VM_CHARS(ramdisk), VM(ramdisk), CHARS_FILE },
	{ "bootargs", PROP_STRING, 0, 0, VM_CHARS(bootargs), VM(bootargs), NULL },
	{ "memory-mb", PROP_CELL, PROP_REQUIRED, VMDESC_VM_MB_MIN, VMDESC_VM_MB_MAX, VM(memory_mb),
	  NULL },
	{ "vcpus", PROP_CELL, 0, 1, VMDESC_VCPUS_MAX, VM(vcpus), NULL },
	/* the machine's own limit: check_against_machine */
	{ "node", PROP_CELLS, UP_TO(VMDESC_NODES_MAX), 0, VMDESC_NODES_MAX - 1, VM(nodes), NULL },
	{ "weight", PROP_CELL, 0, VMDESC_WEIGHT_MIN, VMDESC_WEIGHT_MAX, VM(weight), NULL },
	{ "cap", PROP_CELL, 0, 1, VMDESC_CAP_MAX, VM(cap), NULL },
	{ "on-demand", PROP_FLAG, 0, 0, 0, VM(on_demand), NULL },
	{ "manual", PROP_FLAG, 0, 0, 0, VM(manual), NULL },
	{ "gang", PROP_FLAG, 0, 0, 0, VM(gang), NULL },
	{ "time-stops", PROP_FLAG, 0, 0, 0, VM(time_stops), NULL },
	{ "show-nodes", PROP_FLAG, 0, 0, 0, VM(show_nodes), NULL },
	{ "identity", PROP_FLAG, 0, 0, 0, VM(identity), NULL },
	{ "rewrite", PROP_FLAG, 0, 0, 0, VM(rewrite), NULL },
	{ "unpatched", PROP_FLAG, 0, 0, 0, VM(unpatched), NULL },
};

/* What one property alone cannot know: the other properties, the machine's nodes, the labels of
 * VMs before it. */
static int check_against_machine(const struct machine_desc *machine, const struct vm_desc *vm,
				 struct report *r)
{
	const struct vm_desc *other;

	if (vm->nodes.n > vm->vcpus)
		return props_fail(r, "node: found %u numbers, allowed 1..%u, one a VCPU",
				  (unsigned int)vm->nodes.n, (unsigned int)vm->vcpus);
	if (vm->rewrite && vm->memory_mb > VMDESC_REWRITE_MB_MAX)
		return props_fail(r, "memory-mb: found %u, allowed up to %u with rewrite",
				  (unsigned int)vm->memory_mb, VMDESC_REWRITE_MB_MAX);
	if (vm->unpatched && !vm->rewrite)
		return props_fail(r, "unpatched: found without rewrite, allowed with it");
	if (vm->show_nodes && vm->memory_mb < vm->nodes.n) /* pieces are whole blocks of 1 MB */
		return props_fail(r, "memory-mb: found %u, allowed from %u on with show-nodes",
				  (unsigned int)vm->memory_mb, (unsigned int)vm->nodes.n);
	for (u32 i = 0; i < vm->nodes.n; i++)
		if (vm->nodes.list[i] >= machine->nodes)
			return props_fail(r, "node: found %u, allowed 0..%u",
					  (unsigned int)vm->nodes.list[i],
					  (unsigned int)machine->nodes - 1);
	for (other = machine->vms; other < vm; other++)
		if (other->valid && strcmp(other->label, vm->label) == 0)
			return props_fail(r,
					  "label: found \"%s\", which /vms/%s has, allowed any other",
					  vm->label, other->name);
	return 0;
}

/*
 * What a VM has of its own beside properties, as nodes in its own: the beginning of a node's name says what
 * it is. Its struct begins with char name[16].
 */
static const struct part_kind {
	const char *begin, *what;
	u32 max;
	size_t number, list,
		bytes; /* in struct vm_desc: how many there are; the first; the size of one */
	int (*read)(const void *fdt, int node, const struct machine_desc *machine,
		    const struct vm_desc *vm, void *part, struct report *r);
} part_kinds[] = {
	{ "disk", "disks", VMDESC_DISKS_MAX, VM(ndisks), VM(disks), sizeof(struct disk_desc),
	  vmdesc_read_disk },
	{ "net", "network ports", VMDESC_NETS_MAX, VM(nnets), VM(nets), sizeof(struct net_desc),
	  vmdesc_read_net },
};

static int read_part(const void *fdt, int node, const struct part_kind *kind,
		     const struct machine_desc *machine, struct vm_desc *vm, const struct report *r)
{
	u32 *number = (u32 *)((char *)vm + kind->number);
	char *part = (char *)vm + kind->list + *number * kind->bytes;
	char path[sizeof("/vms//") + sizeof(vm->name)];
	struct report in_part = { r->why, r->size, path, part };
	const char *name = fdt_get_name(fdt, node, NULL);
	int err;

	if (*number == kind->max)
		return props_fail(r, "%s: found more than %u %s, allowed 0..%u",
				  props_show(name, strlen(name)).text, (unsigned int)kind->max,
				  kind->what, (unsigned int)kind->max);
	ksnprintf(path, sizeof(path), "/vms/%s/", vm->name);
	props_copy_shown(part, sizeof(vm->name), name);
	err = kind->read(fdt, node, machine, vm, part, &in_part);
	*number += !err;
	return err;
}

static int read_parts(const void *fdt, int node, const struct machine_desc *machine,
		      struct vm_desc *vm, const struct report *r)
{
	int child, err;

	fdt_for_each_subnode(child, fdt, node) {
		const char *name = fdt_get_name(fdt, child, NULL);
		const struct part_kind *kind = part_kinds;

		while (name && kind < part_kinds + ARRAY_SIZE(part_kinds) &&
		       strncmp(name, kind->begin, strlen(kind->begin)) != 0)
			kind++;
		if (!name || kind == part_kinds + ARRAY_SIZE(part_kinds))
			return props_fail(r, "%s: found an unknown node",
					  name ? props_show(name, strlen(name)).text : "?");
		err = read_part(fdt, child, kind, machine, vm, r);
		if (err)
			return err;
	}
	return 0;
}

void vmdesc_read_vm(const void *fdt, int node, const struct machine_desc *machine,
		    struct vm_desc *vm)
{
	const char *name = fdt_get_name(fdt, node, NULL);
	struct report r = { vm->error, sizeof(vm->error), "/vms/", vm->name };

	memset(vm, 0, sizeof(*vm));
	vm->vcpus = 1;
	props_copy_shown(vm->name, sizeof(vm->name), name);
	if (props_read(fdt, node, vm_rules, ARRAY_SIZE(vm_rules), vm, &r))
		return;
	if (read_parts(fdt, node, machine, vm, &r))
		return;
	vm->valid = check_against_machine(machine, vm, &r) == 0;
}
