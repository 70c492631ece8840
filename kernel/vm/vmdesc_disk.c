/* SPDX-License-Identifier: MIT */
/* The description of a VM's disks: their properties, and what disks that name one image must agree on. */
#include <libfdt.h>
#include <string.h>

#include "kernel/vm/props.h"
#include "kernel/vm/vmdesc.h"

#define DISK(field)	  offsetof(struct disk_desc, field)
#define DISK_CHARS(field) (sizeof(((struct disk_desc *)0)->field) - 1)

static const struct prop_rule disk_rules[] = {
	{ "compatible", PROP_COMPATIBLE, PROP_REQUIRED, 0, 0, 0, "disco,disk" },
	{ "image", PROP_STRING, PROP_REQUIRED, 1, DISK_CHARS(image), DISK(image), CHARS_FILE },
	{ "mode", PROP_WORD, PROP_REQUIRED, 0, 0, DISK(mode), "cow persistent" },
	{ "serial", PROP_STRING, 0, 1, VMDESC_SERIAL_MAX, DISK(serial), CHARS_WORD },
	{ "read-only", PROP_FLAG, 0, 0, 0, DISK(read_only), NULL },
	{ "limit-mb", PROP_CELL, 0, 0, VMDESC_DISK_LIMIT_MAX, DISK(limit_mb), NULL },
	{ "in-archive", PROP_FLAG, 0, 0, 0, DISK(in_archive), NULL },
	{ "seek-us", PROP_CELL, 0, 0, VMDESC_SEEK_US_MAX, DISK(seek_us), NULL },
	{ "kb-per-second", PROP_CELL, 0, 0, VMDESC_KB_SECOND_MAX, DISK(kb_per_second), NULL },
};

static bool same_image(const struct disk_desc *a, const struct disk_desc *b)
{
	return strcmp(a->image, b->image) == 0;
}

/* What properties of one disk must be to each other. */
static int check_disk(const struct disk_desc *d, const struct report *r)
{
	if (d->in_archive && d->mode != DISK_COW)
		return props_fail(r, "mode: found persistent and in-archive, allowed cow");
	if (d->in_archive && d->image[0] == '/')
		return props_fail(r, "image: found \"%s\" and in-archive, allowed a path in build/",
				  props_show(d->image, DISK_CHARS(image)).text);
	if (d->limit_mb && (d->mode != DISK_COW || d->read_only))
		return props_fail(r, "limit-mb: found in a disk that is %s, allowed with cow",
				  d->read_only ? "read-only" : "persistent");
	if ((d->seek_us || d->kb_per_second) && !d->in_archive)
		return props_fail(r, "%s: found without in-archive, allowed with it",
				  d->seek_us ? "seek-us" : "kb-per-second");
	return 0;
}

/* What two disks with one image must be to each other; owner is the VM of the other. */
static int check_image(const struct disk_desc *d, const struct disk_desc *other, const char *owner,
		       const struct report *r)
{
	if (d->mode != DISK_COW || other->mode != DISK_COW)
		return props_fail(r,
				  "image: found \"%s\", which /vms/%s/%s has%s, allowed any other",
				  props_show(d->image, DISK_CHARS(image)).text, owner, other->name,
				  other->mode == DISK_COW ? "" : " as its own");
	if (d->in_archive != other->in_archive || d->seek_us != other->seek_us ||
	    d->kb_per_second != other->kb_per_second)
		return props_fail(
			r,
			"image: found \"%s\" with another in-archive, seek-us or kb-per-second than in /vms/%s/%s, allowed the same",
			props_show(d->image, DISK_CHARS(image)).text, owner, other->name);
	return 0;
}

/* The disk against those before it, of the VM and of the VMs before. */
static int check_others(const struct machine_desc *machine, const struct vm_desc *vm,
			const struct disk_desc *d, const struct report *r)
{
	for (const struct disk_desc *other = vm->disks; other < d; other++)
		if (strcmp(other->serial, d->serial) == 0)
			return props_fail(r,
					  "serial: found \"%s\", which %s has, allowed any other",
					  d->serial, other->name);
	for (const struct vm_desc *before = machine->vms; before <= vm; before++) {
		if (before != vm && !before->valid)
			continue;
		for (const struct disk_desc *other = before->disks;
		     other < before->disks + before->ndisks && other != d; other++) {
			int err = same_image(d, other) ? check_image(d, other, before->name, r) : 0;

			if (err)
				return err;
		}
	}
	return 0;
}

int vmdesc_read_disk(const void *fdt, int node, const struct machine_desc *machine,
		     const struct vm_desc *vm, void *part, struct report *r)
{
	struct disk_desc *d = part;
	int err;

	memcpy(d->serial, d->name, sizeof(d->name));
	err = props_read(fdt, node, disk_rules, ARRAY_SIZE(disk_rules), d, r);
	if (!err)
		err = check_disk(d, r);
	return err ? err : check_others(machine, vm, d, r);
}

/* The first disk of a valid VM that has the image of d. */
static bool is_first(const struct machine_desc *machine, const struct disk_desc *d)
{
	for (const struct vm_desc *vm = machine->vms; vm < machine->vms + machine->nvms; vm++)
		for (u32 i = 0; vm->valid && i < vm->ndisks; i++)
			if (same_image(&vm->disks[i], d))
				return &vm->disks[i] == d;
	return false;
}

const struct disk_desc *vmdesc_host_disk(const struct machine_desc *machine, u32 n)
{
	for (const struct vm_desc *vm = machine->vms; vm < machine->vms + machine->nvms; vm++)
		for (u32 i = 0; vm->valid && i < vm->ndisks; i++)
			if (!vm->disks[i].in_archive && is_first(machine, &vm->disks[i]) && !n--)
				return &vm->disks[i];
	return NULL;
}

int vmdesc_host_image(const struct machine_desc *machine, const struct disk_desc *disk)
{
	const struct disk_desc *d;

	for (u32 n = 0; (d = vmdesc_host_disk(machine, n)); n++)
		if (same_image(d, disk))
			return (int)n;
	return -1;
}
