/* SPDX-License-Identifier: MIT */
/* Properties by rules: one function for each kind of property. */
#include "kernel/vm/props.h"

#include <libfdt.h>
#include <stdarg.h>
#include <string.h>

#include "kernel/errno.h"
#include "kernel/log.h"

int props_fail(const struct report *r, const char *format, ...)
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

struct shown props_show(const char *s, size_t len)
{
	struct shown out = { { 0 } };
	size_t i;

	for (i = 0; i < len && i < sizeof(out.text) - 1 && s[i] != 0; i++)
		out.text[i] = s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' ? s[i] : '?';
	return out;
}

void props_copy_shown(char *to, size_t size, const char *name)
{
	struct shown s = props_show(name ? name : "?", size - 1);

	memcpy(to, s.text, size);
}

static int check_cell(const struct prop_rule *rule, u32 cell, struct report *r)
{
	if (cell >= rule->min && cell <= rule->max)
		return 0;
	return props_fail(r, "%s: found %u, allowed %u..%u", rule->name, (unsigned int)cell,
			  (unsigned int)rule->min, (unsigned int)rule->max);
}

static int read_cell(const struct prop_rule *rule, const void *value, int len, void *base,
		     struct report *r)
{
	u32 cell;
	int err;

	if (len != sizeof(fdt32_t))
		return props_fail(r, "%s: found %d bytes, allowed one number %u..%u", rule->name,
				  len, (unsigned int)rule->min, (unsigned int)rule->max);
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
		return props_fail(r, "%s: found %d bytes, allowed 1..%u numbers %u..%u", rule->name,
				  len, (unsigned int)most, (unsigned int)rule->min,
				  (unsigned int)rule->max);
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
	return props_fail(r, "%s: found \"%s\", allowed one of: %s", rule->name,
			  props_show(s, len).text, rule->chars);
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
		return props_fail(r,
				  "%s: found %d bytes that are not one string, allowed one string",
				  rule->name, len);
	if ((u32)len - 1 < rule->min || (u32)len - 1 > rule->max)
		return props_fail(r, "%s: found %d characters \"%s\", allowed %u..%u", rule->name,
				  len - 1, props_show(s, len).text, (unsigned int)rule->min,
				  (unsigned int)rule->max);
	if (bad_character(rule, s))
		return props_fail(r, "%s: found \"%s\", allowed characters %s", rule->name,
				  props_show(s, len).text,
				  rule->chars ? rule->chars : "0x20..0x7e");
	memcpy((u8 *)base + rule->offset, s, len);
	return 0;
}

static int read_compatible(const struct prop_rule *rule, const void *value, int len,
			   struct report *r)
{
	if ((size_t)len != strlen(rule->chars) + 1 || memcmp(value, rule->chars, len) != 0)
		return props_fail(r, "%s: found \"%s\", allowed \"%s\"", rule->name,
				  props_show(value, len).text, rule->chars);
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
		return props_fail(r, "%s: found a value of %d bytes, allowed none", rule->name,
				  len);
	*((bool *)((u8 *)base + rule->offset)) = true;
	return 0;
}

int props_read(const void *fdt, int node, const struct prop_rule *rules, unsigned int nrules,
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
			return props_fail(r, "found a property that cannot be read (%s)",
					  fdt_strerror(len));
		for (i = 0; i < nrules && strcmp(rules[i].name, name) != 0; i++)
			continue;
		if (i == nrules)
			return props_fail(r, "%s: found an unknown property",
					  props_show(name, strlen(name)).text);
		if (seen & 1u << i)
			return props_fail(r, "%s: found twice, allowed once", rules[i].name);
		seen |= 1u << i;
		err = read_prop(&rules[i], value, len, base, r);
		if (err)
			return err;
	}
	for (i = 0; i < nrules; i++)
		if ((rules[i].flags & PROP_REQUIRED) && !(seen & 1u << i))
			return props_fail(r, "%s: missing", rules[i].name);
	return 0;
}
