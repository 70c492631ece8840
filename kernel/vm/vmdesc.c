/* SPDX-License-Identifier: MIT */
/*
 * Device tree -> struct machine_desc. Two tables say which properties a machine and a VM have, of
 * which kind, with which limits; the rest is one walk of the tree by libfdt. Adding a property is a
 * line in a table.
 */
#include "kernel/vm/vmdesc.h"

#include <libfdt.h>
#include <stdarg.h>
#include <string.h>

#include "kernel/errno.h"
#include "kernel/log.h"

enum prop_kind { PROP_CELL, PROP_CELLS, PROP_STRING, PROP_WORD, PROP_FLAG, PROP_COMPATIBLE };

#define PROP_REQUIRED 1u
#define UP_TO(n)      ((n) << 8) /* PROP_CELLS: how many */

/*
 * min, max: limits of a PROP_CELL's value, of each of PROP_CELLS, of a PROP_STRING's length. chars:
 * those a PROP_STRING may have, NULL for printable ASCII; the words of PROP_WORD, whose place in
 * the list is stored; the value of PROP_COMPATIBLE. offset: of the field in the struct that is
 * filled, for PROP_CELLS a count with as many numbers behind it.
 */
struct prop_rule {
	const char *name;
	enum prop_kind kind;
	unsigned int flags;
	u32 min, max;
	size_t offset;
	const char *chars;
};

#define CHARS_LABEL "-0123456789abcdefghijklmnopqrstuvwxyz"
#define CHARS_FILE  "./+_ABCDEFGHIJKLMNOPQRSTUVWXYZ" CHARS_LABEL

#define MACHINE(field)	offsetof(struct machine_desc, field)
#define VM(field)	offsetof(struct vm_desc, field)
#define VM_CHARS(field) (sizeof(((struct vm_desc *)0)->field) - 1)

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
	{ "manual", PROP_FLAG, 0, 0, 0, VM(manual), NULL },
	{ "identity", PROP_FLAG, 0, 0, 0, VM(identity), NULL },
};

/* Where an error goes, and the node it is about. */
struct report {
	char *why;
	size_t size;
	const char *node; /* "/" or "/vms/" */
	const char *name; /* "" or "vm0" */
};

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

PRINTF_LIKE(2, 3) static int fail(const struct report *r, const char *format, ...)
{
	int used = ksnprintf(r->why, r->size, "%s%s: ", r->node, r->name);
	va_list args;

	if (used < 0 || (size_t)used >= r->size)
		return -EINVAL;
	va_start(args, format);
	kvsnprintf(r->why + used, r->size - used, format, args);
	va_end(args);
	return -EINVAL;
}

/* A value from the tree made fit for one log line: at most 32 printable characters. */
struct shown {
	char text[33];
};

static struct shown show(const char *s, size_t len)
{
	struct shown out = { { 0 } };
	size_t i;

	for (i = 0; i < len && i < sizeof(out.text) - 1 && s[i] != 0; i++)
		out.text[i] = s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' ? s[i] : '?';
	return out;
}

/* A node's name, shown, cut to fit. */
static void copy_shown(char *to, size_t size, const char *name)
{
	struct shown s = show(name ? name : "?", size - 1);

	memcpy(to, s.text, size);
}

static int check_cell(const struct prop_rule *rule, u32 cell, struct report *r)
{
	if (cell >= rule->min && cell <= rule->max)
		return 0;
	return fail(r, "%s: found %u, allowed %u..%u", rule->name, (unsigned int)cell,
		    (unsigned int)rule->min, (unsigned int)rule->max);
}

static int read_cell(const struct prop_rule *rule, const void *value, int len, void *base,
		     struct report *r)
{
	u32 cell;
	int err;

	if (len != sizeof(fdt32_t))
		return fail(r, "%s: found %d bytes, allowed one number %u..%u", rule->name, len,
			    (unsigned int)rule->min, (unsigned int)rule->max);
	cell = fdt32_ld(value);
	err = check_cell(rule, cell, r);
	if (!err)
		memcpy((u8 *)base + rule->offset, &cell, sizeof(cell));
	return err;
}

static int read_cells(const struct prop_rule *rule, const void *value, int len, void *base,
		      struct report *r)
{
	u32 *count = (u32 *)((u8 *)base + rule->offset), *list = count + 1;
	u32 n = (u32)len / sizeof(fdt32_t), most = rule->flags >> 8;
	int err = 0;

	if (n < 1 || n > most || (u32)len % sizeof(fdt32_t))
		return fail(r, "%s: found %d bytes, allowed 1..%u numbers %u..%u", rule->name, len,
			    (unsigned int)most, (unsigned int)rule->min, (unsigned int)rule->max);
	for (*count = 0; *count < n && !err; ++*count) {
		list[*count] = fdt32_ld((const fdt32_t *)value + *count);
		err = check_cell(rule, list[*count], r);
	}
	return err;
}

static int read_word(const struct prop_rule *rule, const void *value, int len, void *base,
		     struct report *r)
{
	const char *s = value;
	u32 index = 0;

	for (const char *word = rule->chars; *word; index++) {
		size_t n = strcspn(word, " ");

		if ((size_t)len == n + 1 && !memcmp(s, word, n) && !s[n]) {
			memcpy((u8 *)base + rule->offset, &index, sizeof(index));
			return 0;
		}
		word += n + (word[n] == ' ');
	}
	return fail(r, "%s: found \"%s\", allowed one of: %s", rule->name, show(s, len).text,
		    rule->chars);
}

/* The first character of s that the rule does not allow, or NULL. */
static const char *bad_character(const struct prop_rule *rule, const char *s)
{
	for (; *s; s++)
		if (rule->chars ? !strchr(rule->chars, *s) : *s < 0x20 || *s > 0x7e)
			return s;
	return NULL;
}

static int read_string(const struct prop_rule *rule, const void *value, int len, void *base,
		       struct report *r)
{
	const char *s = value;

	if (len < 1 || memchr(s, 0, len) != s + len - 1)
		return fail(r, "%s: found %d bytes that are not one string, allowed one string",
			    rule->name, len);
	if ((u32)len - 1 < rule->min || (u32)len - 1 > rule->max)
		return fail(r, "%s: found %d characters \"%s\", allowed %u..%u", rule->name,
			    len - 1, show(s, len).text, (unsigned int)rule->min,
			    (unsigned int)rule->max);
	if (bad_character(rule, s))
		return fail(r, "%s: found \"%s\", allowed characters %s", rule->name,
			    show(s, len).text, rule->chars ? rule->chars : "0x20..0x7e");
	memcpy((u8 *)base + rule->offset, s, len);
	return 0;
}

static int read_compatible(const struct prop_rule *rule, const void *value, int len,
			   struct report *r)
{
	if ((size_t)len != strlen(rule->chars) + 1 || memcmp(value, rule->chars, len) != 0)
		return fail(r, "%s: found \"%s\", allowed \"%s\"", rule->name,
			    show(value, len).text, rule->chars);
	return 0;
}

static int read_prop(const struct prop_rule *rule, const void *value, int len, void *base,
		     struct report *r)
{
	switch (rule->kind) {
	case PROP_CELL: return read_cell(rule, value, len, base, r);
	case PROP_CELLS: return read_cells(rule, value, len, base, r);
	case PROP_WORD: return read_word(rule, value, len, base, r);
	case PROP_STRING: return read_string(rule, value, len, base, r);
	case PROP_COMPATIBLE: return read_compatible(rule, value, len, r);
	case PROP_FLAG: break;
	}
	if (len != 0)
		return fail(r, "%s: found a value of %d bytes, allowed none", rule->name, len);
	*((bool *)((u8 *)base + rule->offset)) = true;
	return 0;
}

/*
 * Every property of the node by its rule into *base: unknown, repeated and missing ones are errors.
 */
static int read_props(const void *fdt, int node, const struct prop_rule *rules, unsigned int nrules,
		      void *base, struct report *r)
{
	unsigned int seen = 0;
	unsigned int i;
	int prop, err;

	fdt_for_each_property_offset(prop, fdt, node) {
		const char *name;
		int len;
		const void *value = fdt_getprop_by_offset(fdt, prop, &name, &len);

		if (!value)
			return fail(r, "found a property that cannot be read (%s)",
				    fdt_strerror(len));
		for (i = 0; i < nrules && strcmp(rules[i].name, name) != 0; i++)
			continue;
		if (i == nrules)
			return fail(r, "%s: found an unknown property",
				    show(name, strlen(name)).text);
		if (seen & 1u << i)
			return fail(r, "%s: found twice, allowed once", rules[i].name);
		seen |= 1u << i;
		err = read_prop(&rules[i], value, len, base, r);
		if (err)
			return err;
	}
	for (i = 0; i < nrules; i++)
		if ((rules[i].flags & PROP_REQUIRED) && !(seen & 1u << i))
			return fail(r, "%s: missing", rules[i].name);
	return 0;
}

/* What one property alone cannot know: the other properties, the machine's nodes, the labels of
 * VMs before it. */
static int check_against_machine(const struct machine_desc *machine, const struct vm_desc *vm,
				 struct report *r)
{
	const struct vm_desc *other;

	if (vm->nodes.n > vm->vcpus)
		return fail(r, "node: found %u numbers, allowed 1..%u, one a VCPU",
			    (unsigned int)vm->nodes.n, (unsigned int)vm->vcpus);
	for (u32 i = 0; i < vm->nodes.n; i++)
		if (vm->nodes.list[i] >= machine->nodes)
			return fail(r, "node: found %u, allowed 0..%u",
				    (unsigned int)vm->nodes.list[i],
				    (unsigned int)machine->nodes - 1);
	for (other = machine->vms; other < vm; other++)
		if (other->valid && strcmp(other->label, vm->label) == 0)
			return fail(r, "label: found \"%s\", which /vms/%s has, allowed any other",
				    vm->label, other->name);
	return 0;
}

static void read_vm(const void *fdt, int node, const struct machine_desc *machine,
		    struct vm_desc *vm)
{
	const char *name = fdt_get_name(fdt, node, NULL);
	struct report r = { vm->error, sizeof(vm->error), "/vms/", vm->name };
	int child;

	memset(vm, 0, sizeof(*vm));
	vm->vcpus = 1;
	copy_shown(vm->name, sizeof(vm->name), name);
	if (read_props(fdt, node, vm_rules, ARRAY_SIZE(vm_rules), vm, &r))
		return;
	child = fdt_first_subnode(fdt, node);
	if (child >= 0) {
		name = fdt_get_name(fdt, child, NULL);
		fail(&r, "%s: found an unknown node", name ? show(name, strlen(name)).text : "?");
		return;
	}
	vm->valid = check_against_machine(machine, vm, &r) == 0;
}

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
		return fail(r, "found a device tree of %llu bytes, allowed %u or more",
			    (unsigned long long)size, (unsigned int)sizeof(struct fdt_header));
	if ((uintptr_t)fdt % 8 != 0)
		return fail(r, "found the device tree at address ...%x, allowed a multiple of 8",
			    (unsigned int)((uintptr_t)fdt & 0xff));
	err = fdt_check_header(fdt);
	if (err)
		return fail(r, "found no device tree (%s)", fdt_strerror(err));
	if (fdt_totalsize(fdt) > size)
		return fail(r, "found %llu bytes, the device tree says %u",
			    (unsigned long long)size, (unsigned int)fdt_totalsize(fdt));
	/* libfdt reads 32-bit words here and believes the header about where they are */
	if (fdt_off_dt_struct(fdt) % 4 != 0)
		return fail(r, "found the structure at offset 0x%x, allowed a multiple of 4",
			    (unsigned int)fdt_off_dt_struct(fdt));
	do {
		tag = fdt_next_tag(fdt, offset, &next);
		if (next < 0)
			return fail(r, "found a broken device tree at offset 0x%x (%s)",
				    (unsigned int)offset, fdt_strerror(next));
		if (tag == FDT_BEGIN_NODE)
			depth++;
		if ((tag == FDT_PROP && depth == 0) || (tag == FDT_END_NODE && depth-- == 0) ||
		    (tag == FDT_END && depth != 0))
			return fail(r, "found a broken device tree at offset 0x%x (nesting)",
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
		return fail(&in_vms, "found a property, allowed VM nodes only");
	fdt_for_each_subnode(node, fdt, vms) {
		if (out->nvms == VMDESC_MAX_VMS)
			return fail(&in_vms, "found more than %u VMs, allowed 0..%u",
				    VMDESC_MAX_VMS, VMDESC_MAX_VMS);
		read_vm(fdt, node, out, &out->vms[out->nvms]);
		out->nvms++;
	}
	return 0;
}

/* What the machine's properties must be to each other. */
static int check_machine(const struct machine_desc *m, const struct report *r)
{
	u32 n = m->nodes, count = m->latency_ns.count;

	if (m->topology == TOPOLOGY_HYPERCUBE && (n & (n - 1)))
		return fail(r, "topology: found hypercube with %u nodes, allowed 2, 4, 8, 16",
			    (unsigned int)n);
	if (count && count != 2 && count != 3 && count != n * n)
		return fail(r, "latency-ns: found %u numbers, allowed 2, 3 or %u",
			    (unsigned int)count, (unsigned int)(n * n));
	return 0;
}

static int read_machine(const void *fdt, struct machine_desc *out, struct report *r)
{
	int err = read_props(fdt, 0, machine_rules, ARRAY_SIZE(machine_rules), out, r);
	int node, vms = -1;

	if (!err)
		err = check_machine(out, r);

	if (err)
		return err;
	fdt_for_each_subnode(node, fdt, 0) {
		const char *name = fdt_get_name(fdt, node, NULL);

		if (!name || strcmp(name, "vms") != 0)
			return fail(r, "%s: found an unknown node",
				    name ? show(name, strlen(name)).text : "?");
		if (vms >= 0)
			return fail(r, "vms: found twice, allowed once");
		vms = node;
	}
	if (vms < 0)
		return fail(r, "vms: missing");
	return read_vms(fdt, vms, out, r);
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

u32 vmdesc_memory_for_vms(const struct machine_desc *machine, size_t archive_bytes)
{
	u64 kept = VMDESC_MONITOR_MB + (u64)VMDESC_NODE_MB * machine->nodes;

	for (u32 i = 0; i < machine->nvms; i++)
		if (machine->vms[i].valid)
			kept += (count_nodes(&machine->vms[i]) * machine->vms[i].memory_mb +
				 VMDESC_VIEW_SHARE - 1) /
				VMDESC_VIEW_SHARE;

	kept += ((u64)archive_bytes + 0xfffff) >> 20;
	return kept < machine->memory_mb ? machine->memory_mb - kept : 0;
}
