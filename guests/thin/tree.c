/* SPDX-License-Identifier: MIT */
/* The device tree (docs/guest-abi.md), read once at the start, in one pass; nothing points into it afterwards. */
#include <libfdt.h>
#include <string.h>

#include "guests/thin/thin.h"

struct tree tree;

/* Nodes below the root. */
enum kind { DEVICE, MEMORY, CPUS, HYPERVISOR, CHOSEN };

struct property {
	const char *name;
	const fdt32_t *cells;
	u32 bytes;
};

/* What may be a device, until its node ends. */
struct device {
	bool is_virtio;
	bool has_names;
	u64 address;
	struct tree_port port;
};

/* One or two cells. */
static u64 number(const struct property *p, u32 cell, u32 cells)
{
	u64 value = 0;

	if (p->bytes < (cell + cells) * sizeof(*p->cells))
		return 0;
	for (u32 i = 0; i < cells; i++)
		value = value << 32 | fdt32_to_cpu(p->cells[cell + i]);
	return value;
}

static bool is(const struct property *p, const char *name) { return !strcmp(p->name, name); }

/* The word at, one of several that each end with 0; NULL: there are no more. */
static const char *next_word(const struct property *p, const char *at)
{
	const char *first = (const char *)p->cells, *end = first + p->bytes;

	at = at ? at + strlen(at) + 1 : first;
	return at < end && memchr(at, 0, (size_t)(end - at)) ? at : NULL;
}

static enum kind kind_of(const char *name)
{
	if (!strncmp(name, "memory@", 7))
		return MEMORY;
	if (!strcmp(name, "cpus"))
		return CPUS;
	if (!strcmp(name, "hypervisor"))
		return HYPERVISOR;
	return strcmp(name, "chosen") ? DEVICE : CHOSEN;
}

static void read_device(const struct property *p, struct device *d)
{
	const char *word = NULL;

	if (is(p, "compatible")) {
		while ((word = next_word(p, word)))
			d->is_virtio |= !strcmp(word, "virtio,mmio");
	} else if (is(p, "reg")) {
		d->address = number(p, 0, 2);
	} else if (is(p, "disco,subnet-number")) {
		d->port.subnet = (u32)number(p, 0, 1);
	} else if (is(p, "disco,names")) {
		d->has_names = true;
		while (d->port.names < TREE_PEERS && (word = next_word(p, word)))
			strlcpy(d->port.name[d->port.names++], word, TREE_NAME);
	}
}

static void read_property(const struct property *p, enum kind kind, struct device *d)
{
	const char *word = next_word(p, NULL);

	switch (kind) {
	case DEVICE: read_device(p, d); break;
	case MEMORY: /* all nodes of the machine that we are shown: it begins at 0 and has no holes */
		if (is(p, "reg"))
			tree.memory += number(p, 2, 2);
		break;
	case HYPERVISOR:
		if (is(p, "timer-frequency"))
			tree.frequency = number(p, 0, 1);
		else if (is(p, "label") && word)
			strlcpy(tree.label, word, sizeof(tree.label));
		break;
	case CHOSEN:
		if (is(p, "bootargs") && word)
			strlcpy(tree.words, word, sizeof(tree.words));
		break;
	default: break;
	}
}

static void keep_device(struct device *d)
{
	if (d->is_virtio && tree.devices < TREE_DEVICES) {
		tree.device[tree.devices++].address = d->address;
		if (d->has_names && tree.ports < TREE_PORTS)
			tree.port[tree.ports++] = d->port;
	}
	d->is_virtio = d->has_names = false;
	d->address = d->port.subnet = d->port.names = 0;
}

static void read_all(const void *blob)
{
	static struct device device;
	enum kind kind = DEVICE;
	u32 tag, depth = 0;

	for (int at = 0, next; (tag = fdt_next_tag(blob, at, &next)) != FDT_END; at = next) {
		if (tag == FDT_BEGIN_NODE) {
			depth++;
			if (depth == 2)
				kind = kind_of(fdt_get_name(blob, at, NULL));
			tree.vcpus += depth == 3 && kind == CPUS;
		} else if (tag == FDT_END_NODE) {
			if (depth-- == 2)
				keep_device(&device);
		} else if (tag == FDT_PROP && depth == 2 && kind != CPUS) {
			struct property p;
			int bytes;

			p.cells = fdt_getprop_by_offset(blob, at, &p.name, &bytes);
			p.bytes = (u32)bytes;
			if (p.cells)
				read_property(&p, kind, &device);
		}
	}
}

void tree_read(const void *blob)
{
	read_all(blob);
	tree.vcpus = MAX(tree.vcpus, 1u);
	/* Its memory becomes the heap's, whose fresh memory is zero. */
	memset((void *)blob, 0, fdt_totalsize(blob));
}
