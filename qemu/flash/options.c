/* SPDX-License-Identifier: MIT */
/* The model's options: one table of names, defaults and limits. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu/flash/options.h"

const char *const topology_names[TOPOLOGIES] = { "crossbar", "mesh", "hypercube" };

static const struct option {
	const char *name;
	size_t at;
	uint64_t preset, min, max;
	bool power_of_two;
	const char *const *names; /* of the values */
	const char *zero;	  /* the name of 0, which min leaves out; NULL: 0 has none */
} table[] = {
#define AT(field) #field, offsetof(struct options, field)
	{ AT(cache), 1, 0, 1, false, NULL, NULL },
	{ AT(stalls), 1, 0, 1, false, NULL, NULL },
	{ AT(pace), 0, 0, 1, false, NULL, NULL },
	{ AT(magic), 2, 0, 2, false, NULL, NULL },
	{ AT(uma), 0, 0, 1, false, NULL, NULL },
	{ AT(l1), 32, 1, 1024, true, NULL, NULL },
	{ AT(l2), 1024, 1, 65536, true, NULL, NULL },
	{ AT(l2hit), 10, 0, 1000, false, NULL, NULL },
	{ AT(mhz), 400, 1, 1000, false, NULL, NULL },
	{ AT(local), 300, 0, 100000, false, NULL, NULL },
	{ AT(remote), 900, 0, 100000, false, NULL, NULL },
	{ AT(hop), 150, 0, 100000, false, NULL, NULL },
	{ AT(dirty), 0, 0, 1, false, NULL, NULL },
	{ AT(occupancy), 0, 0, 10000, false, NULL, NULL },
	{ AT(topology), TOPOLOGY_CROSSBAR, 0, TOPOLOGIES - 1, false, topology_names, NULL },
	{ AT(quantum), 1000, 100, 1000000, false, NULL, NULL },
	{ AT(skew), 0, 0, 1000000, false, NULL, NULL },
	{ AT(interleave), 0, 0, 1, false, NULL, NULL },
	{ AT(lock), 0, 0, ~0ull, false, NULL, NULL },
	{ AT(lock_bytes), 0, 0, 1 << 20, false, NULL, NULL },
	{ AT(spin), 0, 0, ~0ull, false, NULL, NULL },
	{ AT(spin_bytes), 0, 0, 1 << 20, false, NULL, NULL },
	{ AT(unit), 0, 1, 255, false, NULL, "none" },
	{ AT(tlb), 0, 16, 128, true, NULL, "qemu" },
	{ AT(eret), 0, 0, 1000, false, NULL, NULL },
#undef AT
};

#define OPTIONS (sizeof(table) / sizeof(table[0]))

/* Machines, by what is not as by default; docs/flash.md says where the values are from. */
static const struct {
	const char *name, *set;
} presets[] = {
	{ "plain", "tlb=qemu" },
	{ "paper", "tlb=64" },
};

#define PRESETS (sizeof(presets) / sizeof(presets[0]))

static uint64_t *field(struct options *o, const struct option *option)
{
	return (uint64_t *)((char *)o + option->at);
}

void options_default(struct options *o)
{
	memset(o, 0, sizeof(*o));
	for (size_t i = 0; i < OPTIONS; i++)
		*field(o, &table[i]) = table[i].preset;
}

static void say_allowed(const struct option *option, char *why, size_t bytes)
{
	if (option->names)
		snprintf(why, bytes, "%s=, allowed: crossbar, mesh, hypercube", option->name);
	else
		snprintf(why, bytes, "%s=, allowed: %lu to %lu%s%s%s", option->name,
			 (unsigned long)option->min, (unsigned long)option->max,
			 option->power_of_two ? ", a power of two" : "",
			 option->zero ? ", or " : "", option->zero ? option->zero : "");
}

static void say_names(char *why, size_t bytes)
{
	size_t used = snprintf(why, bytes, "allowed: out=FILE, preset=");

	for (size_t i = 0; i < OPTIONS && used < bytes; i++)
		used += snprintf(why + used, bytes - used, ", %s=", table[i].name);
}

static int value_of(const struct option *option, const char *text, uint64_t *value)
{
	char *end;

	if (option->zero && !strcmp(text, option->zero)) {
		*value = 0;
		return 0;
	}
	for (uint64_t i = 0; option->names && i <= option->max; i++) {
		if (!strcmp(text, option->names[i])) {
			*value = i;
			return 0;
		}
	}
	if (option->names || text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno || *end || *value < option->min || *value > option->max)
		return -1;
	return option->power_of_two && (*value & (*value - 1)) ? -1 : 0;
}

static int use_preset(struct options *o, const char *name, char *why, size_t bytes)
{
	for (size_t i = 0; i < PRESETS; i++)
		if (!strcmp(presets[i].name, name))
			return options_parse(o, presets[i].set, why, bytes);
	snprintf(why, bytes, "preset=, allowed: plain, paper");
	return -1;
}

int options_parse(struct options *o, const char *text, char *why, size_t bytes)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : strlen(text);

	if (len == 3 && !strncmp(text, "out", len) && equals && equals[1]) {
		if (strlen(equals + 1) < sizeof(o->out)) {
			strcpy(o->out, equals + 1);
			return 0;
		}
	}
	if (!strncmp(text, "preset=", 7))
		return use_preset(o, text + 7, why, bytes);
	for (size_t i = 0; i < OPTIONS; i++) {
		if (strlen(table[i].name) != len || strncmp(table[i].name, text, len))
			continue;
		if (equals && !value_of(&table[i], equals + 1, field(o, &table[i])))
			return 0;
		say_allowed(&table[i], why, bytes);
		return -1;
	}
	say_names(why, bytes);
	return -1;
}

void options_json(const struct options *o, char *to, size_t bytes)
{
	size_t used = 0;

	for (size_t i = 0; i < OPTIONS && used < bytes; i++) {
		uint64_t value = *(const uint64_t *)((const char *)o + table[i].at);
		const char *comma = i ? ", " : "";

		if (table[i].names)
			used += snprintf(to + used, bytes - used, "%s\"%s\": \"%s\"", comma,
					 table[i].name, table[i].names[value]);
		else if (table[i].zero && !value)
			used += snprintf(to + used, bytes - used, "%s\"%s\": \"%s\"", comma,
					 table[i].name, table[i].zero);
		else
			used += snprintf(to + used, bytes - used, "%s\"%s\": %lu", comma,
					 table[i].name, (unsigned long)value);
	}
}
