/* SPDX-License-Identifier: MIT */
/*
 * Results: what happened between the first mark that begins the region of interest and the last
 * that ends it; without marks, from the start to the end. As JSON, without anything of the host in
 * it, so that two equal runs give equal files.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu/flash/flash.h"

#define MAX_UNITS 256

static struct counts at_begin[MAX_CPUS], at_end[MAX_CPUS];
static struct unit {
	unsigned runs, cpu;	  /* that executed its markers last */
	struct counts begin, sum; /* of that processor, of all runs */
} * units[MAX_UNITS];
static bool begun, ended, stopped;
static FILE *out;

#define JSON(...) fprintf(out, __VA_ARGS__)
#define U(x)	  ((unsigned long)(x))

/* behind: instructions of c's block that are counted but come later */
static void snapshot(struct counts *to, const struct cpu *c, unsigned behind)
{
	for (unsigned i = 0; i < cpu_count; i++) {
		uint64_t now = clock_of(&cpus[i]);

		to[i] = cpus[i].n;
		to[i].idle += now - to[i].cycles;
		to[i].cycles = now;
		to[i].invalidations = caches.cache[i].invalidations;
		to[i].writebacks = caches.cache[i].writebacks;
	}
	if (c) {
		to[c->id].cycles -= behind;
		to[c->id].insns[c->vm][c->class] -= behind;
	}
}

/* Counts are nothing but uint64_t. */
static void subtract(struct counts *from, const struct counts *what)
{
	uint64_t *to = (uint64_t *)from;

	for (size_t i = 0; i < sizeof(*from) / sizeof(*to); i++)
		to[i] -= ((const uint64_t *)what)[i];
}

static void add(struct counts *to, const struct counts *what)
{
	uint64_t *sum = (uint64_t *)to;

	for (size_t i = 0; i < sizeof(*to) / sizeof(*sum); i++)
		sum[i] += ((const uint64_t *)what)[i];
}

static struct counts counts_of(const struct cpu *c, unsigned behind)
{
	struct counts n = c->n;

	n.cycles -= behind;
	n.insns[c->vm][c->class] -= behind;
	return n;
}

static void unit_begin(const struct cpu *c, unsigned unit, unsigned behind)
{
	if (!units[unit])
		units[unit] = calloc(1, sizeof(struct unit));
	if (!units[unit])
		abort();
	units[unit]->cpu = c->id;
	units[unit]->begin = counts_of(c, behind);
}

/* An end without its beginning on this processor is none. */
static void unit_end(const struct cpu *c, unsigned unit, unsigned behind)
{
	struct counts n = counts_of(c, behind);

	if (!units[unit] || units[unit]->cpu != c->id)
		return;
	subtract(&n, &units[unit]->begin);
	add(&units[unit]->sum, &n);
	units[unit]->runs++;
}

void report_begin(struct cpu *c, unsigned unit, unsigned behind)
{
	if (unit == options.unit && !begun) {
		begun = true;
		clock_skew();
		snapshot(at_begin, c, behind);
	}
	if (unit)
		unit_begin(c, unit, behind);
}

void report_end(struct cpu *c, unsigned unit, unsigned behind)
{
	if (unit)
		unit_end(c, unit, behind);
	if (unit == options.unit && begun && !stopped) {
		snapshot(at_end, c, behind);
		ended = true;
	}
}

void report_stop(void)
{
	if (!ended && !stopped)
		snapshot(at_end, NULL, 0);
	stopped = true;
}

int report_open(void)
{
	if (!options.out[0])
		return 0;
	out = fopen(options.out, "w");
	if (!out)
		fprintf(stderr, "flash: %s: %s\n", options.out, strerror(errno));
	return out ? 0 : -1;
}

static uint64_t sum_of(const uint64_t (*by_vm)[CLASSES], enum class class)
{
	uint64_t sum = 0;

	for (unsigned vm = 0; vm < MAX_VMS; vm++)
		sum += by_vm[vm][class];
	return sum;
}

static void write_classes(const char *name, const uint64_t (*by_vm)[CLASSES])
{
	JSON("\"%s\": {\"monitor\": %lu, \"kernel\": %lu, \"user\": %lu}", name,
	     U(sum_of(by_vm, CLASS_MONITOR)), U(sum_of(by_vm, CLASS_KERNEL)),
	     U(sum_of(by_vm, CLASS_USER)));
}

static void write_where(const char *name, const uint64_t *at)
{
	JSON("\"%s\": {\"local\": %lu, \"remote\": %lu}", name, U(at[LOCAL]), U(at[REMOTE]));
}

/* Of those that happened: number, cycles. */
static void write_entries(const struct counts *n)
{
	bool comma = false;

	JSON("\"entries\": {");
	for (unsigned i = CAUSE_NONE + 1; i < CAUSES; i++) {
		if (!n->entries[i])
			continue;
		JSON("%s\"%s\": [%lu, %lu]", comma ? ", " : "", decode_cause_names[i],
		     U(n->entries[i]), U(n->entry_cycles[i]));
		comma = true;
	}
	JSON("}, ");
}

/* Of those that touched something beyond the first level, in the order of enum touch and then cycles: what was touched. */
static void write_touched(const struct counts *n)
{
	static const char *const names[MAGIC_KINDS] = { "guest", "monitor", "l2tlb", "pmap",
							"text" };
	const char *cause_comma = "";

	JSON("\"touched\": {");
	for (unsigned i = CAUSE_NONE + 1; i < CAUSES; i++) {
		if (!n->entries[i])
			continue;
		JSON("%s\"%s\": {", cause_comma, decode_cause_names[i]);
		for (unsigned kind = 0; kind < MAGIC_KINDS; kind++) {
			JSON("%s\"%s\": [", kind ? ", " : "", names[kind]);
			for (unsigned touch = 0; touch < TOUCHES; touch++)
				JSON("%lu, ", U(n->touched[i][kind][touch]));
			JSON("%lu]", U(n->touched_stall[i][kind]));
		}
		JSON("}");
		cause_comma = ", ";
	}
	JSON("}, ");
}

static void write_counts(const struct counts *n)
{
	JSON("\"cycles\": %lu, \"idle\": %lu, ", U(n->cycles), U(n->idle));
	write_classes("insns", n->insns);
	JSON(", ");
	write_classes("stall_by", n->stall);
	if (options.lock)
		JSON(", \"lock\": {\"monitor\": %lu, \"kernel\": %lu}", U(n->lock[CLASS_MONITOR]),
		     U(n->lock[CLASS_KERNEL]));
	JSON(", \"stall\": {\"l2\": %lu, \"local\": %lu, \"remote\": %lu}, ", U(n->stall_l2),
	     U(n->stall_at[LOCAL]), U(n->stall_at[REMOTE]));
	JSON("\"l1\": {\"fetch\": %lu, \"data\": %lu}, \"l2_hits\": %lu, ", U(n->l1[0]),
	     U(n->l1[1]), U(n->l2_hits));
	write_where("fetch_misses", n->misses[0]);
	JSON(", ");
	write_where("data_misses", n->misses[1]);
	JSON(", ");
	JSON("\"queued\": %lu, ", U(n->queued));
	JSON("\"dirty_misses\": %lu, \"exceptions\": %lu, ", U(n->dirty), U(n->exceptions));
	write_entries(n);
	write_touched(n);
	write_where("upgrades", n->upgrades);
	JSON(", \"invalidations\": %lu, \"writebacks\": %lu", U(n->invalidations),
	     U(n->writebacks));
}

static uint64_t misses_at(const struct counts *n, enum where where)
{
	return n->misses[0][where] + n->misses[1][where] + n->upgrades[where];
}

static uint64_t write_processors(struct counts *total)
{
	uint64_t longest = 0;

	JSON("\"processors\": [\n");
	for (unsigned i = 0; i < cpu_count; i++) {
		struct counts n = at_end[i];

		subtract(&n, &at_begin[i]);
		if (n.cycles > longest)
			longest = n.cycles;
		add(total, &n);
		JSON("{\"processor\": %u, ", i);
		write_counts(&n);
		JSON("}%s\n", i + 1 < cpu_count ? "," : "");
	}
	JSON("],\n");
	return longest;
}

static void write_units(void)
{
	bool comma = false;

	JSON("\"units\": [");
	for (unsigned i = 1; i < MAX_UNITS; i++) {
		if (!units[i] || !units[i]->runs)
			continue;
		JSON("%s\n{\"unit\": %u, \"runs\": %u, ", comma ? "," : "", i, units[i]->runs);
		write_counts(&units[i]->sum);
		JSON("}");
		comma = true;
	}
	JSON("],\n");
}

static void write_vms(const struct counts *total)
{
	bool comma = false;

	JSON("\"vms\": [");
	for (unsigned vm = 1; vm < MAX_VMS; vm++) {
		const uint64_t *insns = total->insns[vm], *stall = total->stall[vm];

		if (!insns[CLASS_KERNEL] && !insns[CLASS_USER])
			continue;
		JSON("%s\n{\"vm\": %u, \"insns\": {\"monitor\": %lu, \"kernel\": %lu, \"user\": %lu}, ",
		     comma ? "," : "", vm - 1, U(insns[CLASS_MONITOR]), U(insns[CLASS_KERNEL]),
		     U(insns[CLASS_USER]));
		JSON("\"stall_by\": {\"monitor\": %lu, \"kernel\": %lu, \"user\": %lu}}",
		     U(stall[CLASS_MONITOR]), U(stall[CLASS_KERNEL]), U(stall[CLASS_USER]));
		comma = true;
	}
	JSON("],\n");
}

void report_write(const char *qemu_version)
{
	struct counts total = { 0 };
	uint64_t longest, local, all;
	char text[1000];

	if (!out)
		return;
	report_stop();
	options_json(&options, text, sizeof(text));
	JSON("{\n\"qemu\": \"%s\",\n\"options\": {%s},\n", qemu_version, text);
	JSON("\"region\": %s,\n\"exact\": %s,\n", begun ? "true" : "false",
	     options.cache ? "true" : "false");
	longest = write_processors(&total);
	write_vms(&total);
	write_units();
	local = misses_at(&total, LOCAL);
	all = local + misses_at(&total, REMOTE);
	JSON("\"total\": {");
	write_counts(&total);
	JSON("},\n\"local_pct\": %.3f,\n\"T\": %lu\n}\n", all ? 100.0 * local / all : 100.0,
	     U(longest));
	fclose(out);
	out = NULL;
}
