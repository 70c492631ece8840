/* SPDX-License-Identifier: MIT */
/*
 * Properties of a device tree's node, read by a table of rules into a struct. Pure. What more than one
 * property says together is for the caller to check.
 */
#ifndef KERNEL_VM_PROPS_H
#define KERNEL_VM_PROPS_H

#include "kernel/types.h"

/* Characters that strings may have. */
#define CHARS_LABEL "-0123456789abcdefghijklmnopqrstuvwxyz"
#define CHARS_WORD  "._ABCDEFGHIJKLMNOPQRSTUVWXYZ" CHARS_LABEL
#define CHARS_FILE  "/+" CHARS_WORD

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

/* Where an error goes, and the node it is about. */
struct report {
	char *why;
	size_t size;
	const char *node; /* "/", "/vms/" or "/vms/vm0/" */
	const char *name; /* "", "vm0" or "disk0" */
};

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Puts "/vms/vm0: " and the text where the report goes; returns -EINVAL. */
PRINTF_LIKE(2, 3) int props_fail(const struct report *r, const char *format, ...);

/* A value from the tree made fit for one log line: at most 32 printable characters. */
struct shown {
	char text[33];
};
struct shown props_show(const char *s, size_t len);
void props_copy_shown(char *to, size_t size, const char *name); /* a node's name, cut to fit */

/*
 * Every property of the node by its rule into *base: unknown, repeated and missing ones are errors.
 */
int props_read(const void *fdt, int node, const struct prop_rule *rules, unsigned int nrules,
	       void *base, struct report *r);

#endif /* KERNEL_VM_PROPS_H */
