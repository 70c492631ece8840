/* SPDX-License-Identifier: MIT */
/*
 * A TCG plugin that counts what processors execute between markers, exactly: instructions by
 * segment (monitor, guest kernel, user), privileged instructions by kind, entries to the exception
 * vectors, and the length of every path through the monitor from one guest instruction to the next,
 * by what caused it. It does not model time.
 *
 * Options:
 *   out=FILE         where the results go, one JSON object a line
 *   ebase=ADDR       the monitor's exception vectors; without it kernel mode is a bare kernel's
 *   exit=ADDR        what the refill vector does not reach when it finds the entry itself: a hit
 *                    (up to 2)
 *   boot=ADDR        executing this address is the begin marker of unit 1
 *   unit=N           paths are recorded only while unit N is measured, apart by processor and by the
 *                    guest's instruction, and how often each instruction of kernels runs
 *   probe=NAME:ADDR  paths that execute ADDR are kept apart, +NAME in their cause (up to 8)
 *
 * Markers are instructions without effect, legal in any mode: sltiu $0, $0, 0x5100 + n begins unit
 * n (1..255), sltiu $0, $0, 0x5200 + n ends it. What is reported is what the processor did that
 * executed the markers.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu/plugin/kinds.h"
#include "qemu/plugin/qemu-api.h"

#define MAX_CPUS   16
#define MAX_PROBES 8
#define MAX_CAUSES 4096
#define MAX_PATH   4096 /* longer ones share the last bin */
#define MARK_MASK  0xffffff00u
#define MARK_BEGIN 0x2c005100u
#define MARK_END   0x2c005200u

/* One per instruction and address; fixed once made. */
struct insn {
	struct insn *next;
	uint64_t va;
	uint32_t word;
	uint8_t segment;
	uint8_t kind;
	uint8_t probe; /* bit mask */
	bool vector;
	bool exit;
	uint64_t *runs; /* by processor, in path_unit; NULL: never */
};

struct counts {
	uint64_t insns[SEGMENTS];
	uint64_t privileged[SEGMENTS][KINDS_PRIVILEGED];
	uint64_t vectors[5]; /* at ebase + 0, 0x80, 0x100, 0x180, 0x200 */
	uint64_t hits;	     /* of the refills */
};

struct cpu {
	struct counts now;
	struct counts begin;
	unsigned int unit; /* being measured, 0 is none */
	bool seen;	   /* executed a guest instruction */
	/* the path through the monitor under way */
	bool inside;
	bool returned; /* its last instruction was an ERET */
	bool hit;
	uint8_t probes;
	uint32_t length;
	unsigned int vector;	 /* index in counts.vectors */
	const struct insn *last; /* the last guest instruction */
	uint32_t v0; /* what the guest last loaded by li v0: the number of its monitor call */
};

/* Paths of one cause; histogram by length. With unit=N of one processor and one guest's instruction, else 0. */
struct cause {
	uint64_t key;
	uint64_t from;
	unsigned int cpu;
	uint64_t paths;
	uint64_t sum;
	uint32_t bins[MAX_PATH];
};

static struct cpu cpus[MAX_CPUS];
static struct insn *table[1 << 16];
static struct cause *causes[MAX_CAUSES];
static uint64_t ebase, exit_va[2], boot;
static unsigned int path_unit; /* 0 is any time */
static struct {
	char name[24];
	uint64_t va;
} probes[MAX_PROBES];
static unsigned int probe_count;
static FILE *out;

/* ---- instructions ---- */

static struct insn *insn_get(uint64_t va, uint32_t word)
{
	struct insn **slot = &table[(va >> 2 ^ va >> 18 ^ word * 40503u) & 0xffff], *insn;

	for (insn = *slot; insn; insn = insn->next)
		if (insn->va == va && insn->word == word)
			return insn;
	insn = calloc(1, sizeof(*insn));
	if (!insn)
		abort();
	insn->va = va;
	insn->word = word;
	insn->segment = segment_of(va);
	insn->kind = kind_of(word);
	insn->exit = va == exit_va[0] || va == exit_va[1];
	insn->vector = ebase && va >= ebase && va <= ebase + 0x200 && !((va - ebase) & 0x7f);
	for (unsigned int i = 0; i < probe_count; i++)
		insn->probe |= (va == probes[i].va) << i;
	insn->next = *slot;
	*slot = insn;
	return insn;
}

/* ---- paths ---- */

/* key: vector, kind of the guest's last instruction, call number, segments left and entered, probes
 * passed */
static uint64_t cause_key(const struct cpu *cpu, const struct insn *to)
{
	const struct insn *from = cpu->last;
	bool general = cpu->vector == 3;
	uint64_t kind = general ? from->kind : 0;
	uint64_t call = general && from->kind == KIND_HYPCALL ? cpu->v0 & 0xff : 0;

	return (uint64_t)(cpu->vector & 7) | kind << 4 | call << 12 |
	       (uint64_t)from->segment << 20 | (uint64_t)(to ? to->segment : SEGMENTS) << 22 |
	       (uint64_t)cpu->probes << 24 | (uint64_t)cpu->hit << 32;
}

static bool is_cause(const struct cause *c, uint64_t key, uint64_t from, unsigned int cpu)
{
	return c->key == key && c->from == from && c->cpu == cpu;
}

static void path_record(struct cpu *cpu, const struct insn *to)
{
	uint64_t key = cause_key(cpu, to), from = path_unit ? cpu->last->va : 0;
	unsigned int number = path_unit ? cpu - cpus : 0, i;

	if (path_unit && cpu->unit != path_unit)
		return;
	for (i = 0; i < MAX_CAUSES && causes[i] && !is_cause(causes[i], key, from, number); i++)
		;
	if (i == MAX_CAUSES)
		return;
	if (!causes[i]) {
		causes[i] = calloc(1, sizeof(*causes[i]));
		if (!causes[i])
			abort();
		causes[i]->key = key;
		causes[i]->from = from;
		causes[i]->cpu = number;
	}
	causes[i]->paths++;
	causes[i]->sum += cpu->length;
	causes[i]->bins[cpu->length < MAX_PATH ? cpu->length : MAX_PATH - 1]++;
}

static uint32_t cause_quantile(const struct cause *cause, uint64_t rank)
{
	uint64_t seen = 0;

	for (uint32_t length = 0; length < MAX_PATH; length++) {
		seen += cause->bins[length];
		if (seen > rank)
			return length;
	}
	return MAX_PATH - 1;
}

static void cause_print(const struct cause *cause)
{
	uint64_t key = cause->key;
	unsigned int vector = key & 7, kind = key >> 4 & 0xff, call = key >> 12 & 0xff;

	fprintf(out, "{\"path\": \"0x%03x", vector * 0x80);
	if (vector == 3)
		fprintf(out, " %s", kind_names[kind]);
	if (kind == KIND_HYPCALL)
		fprintf(out, " %u", call);
	fprintf(out, " %s>%s", segment_names[key >> 20 & 3], segment_names[key >> 22 & 3]);
	if (key >> 32 & 1)
		fprintf(out, " hit");
	for (unsigned int i = 0; i < probe_count; i++)
		if (key >> (24 + i) & 1)
			fprintf(out, " +%s", probes[i].name);
	fprintf(out, "\"");
	if (path_unit)
		fprintf(out, ", \"cpu\": %u, \"from\": %lu", cause->cpu,
			(unsigned long)cause->from);
	fprintf(out,
		", \"paths\": %lu, \"insns\": %lu, \"min\": %u, \"median\": %u, \"max\": %u}\n",
		(unsigned long)cause->paths, (unsigned long)cause->sum, cause_quantile(cause, 0),
		cause_quantile(cause, (cause->paths - 1) / 2),
		cause_quantile(cause, cause->paths - 1));
}

/* ---- units ---- */

static void unit_print(const struct cpu *cpu, unsigned int number)
{
	const struct counts *now = &cpu->now, *begin = &cpu->begin;

	fprintf(out, "{\"unit\": %u, \"cpu\": %u, \"insns\": {", number,
		(unsigned int)(cpu - cpus));
	for (int seg = 0; seg < SEGMENTS; seg++)
		fprintf(out, "%s\"%s\": %lu", seg ? ", " : "", segment_names[seg],
			(unsigned long)(now->insns[seg] - begin->insns[seg]));
	fprintf(out, "}, \"vectors\": {");
	for (int i = 0; i < 5; i++)
		fprintf(out, "%s\"0x%03x\": %lu", i ? ", " : "", i * 0x80,
			(unsigned long)(now->vectors[i] - begin->vectors[i]));
	fprintf(out, "}, \"hits\": %lu", (unsigned long)(now->hits - begin->hits));
	for (int seg = 0; seg < SEGMENTS; seg++) {
		fprintf(out, ", \"%s_privileged\": {", segment_names[seg]);
		for (int kind = 1, n = 0; kind < KINDS_PRIVILEGED; kind++) {
			uint64_t delta = now->privileged[seg][kind] - begin->privileged[seg][kind];

			if (delta)
				fprintf(out, "%s\"%s\": %lu", n++ ? ", " : "", kind_names[kind],
					(unsigned long)delta);
		}
		fprintf(out, "}");
	}
	fprintf(out, "}\n");
	fflush(out);
}

static void unit_begin(struct cpu *cpu, unsigned int number)
{
	cpu->unit = number;
	cpu->begin = cpu->now;
}

static void mark(struct cpu *cpu, uint32_t word)
{
	unsigned int number = word & ~MARK_MASK;

	if (number && (word & MARK_MASK) == MARK_BEGIN) {
		unit_begin(cpu, number);
	} else if (number && cpu->unit == number) {
		unit_print(cpu, number);
		cpu->unit = 0;
	}
}

/* ---- execution ---- */

static void path_end(struct cpu *cpu, const struct insn *to)
{
	path_record(cpu, to);
	cpu->now.hits += cpu->hit;
	cpu->inside = false;
}

static void path_begin(struct cpu *cpu, unsigned int vector)
{
	cpu->inside = true;
	cpu->length = 0;
	cpu->probes = 0;
	cpu->vector = vector;
	cpu->hit = exit_va[0] && vector <= 1;
}

static void count_run(const struct cpu *cpu, struct insn *insn)
{
	if (!insn->runs)
		insn->runs = calloc(MAX_CPUS, sizeof(*insn->runs));
	if (!insn->runs)
		abort();
	insn->runs[cpu - cpus]++;
}

static void run_kernel(struct cpu *cpu, struct insn *insn)
{
	if (insn->vector) {
		unsigned int index = (insn->va - ebase) >> 7;

		cpu->now.vectors[index]++;
		/* The guest's very first fetch missed: one path ends where the next begins. */
		if (cpu->inside && cpu->returned)
			path_end(cpu, NULL);
		if (cpu->last && !cpu->inside)
			path_begin(cpu, index);
	}
	cpu->returned = insn->kind == KIND_ERET;
	cpu->length++;
	cpu->probes |= insn->probe;
	cpu->hit &= !insn->exit;
}

static void run_guest(struct cpu *cpu, const struct insn *insn)
{
	if (cpu->inside) {
		path_end(cpu, insn);
		/* A refill comes back to the instruction that missed: it was not executed twice. */
		if (insn == cpu->last)
			cpu->now.insns[insn->segment]--;
	}
	cpu->last = insn;
	if ((insn->word & 0xffff0000) == 0x24020000 || (insn->word & 0xffff0000) == 0x64020000)
		cpu->v0 = insn->word & 0xffff;
}

static void insn_run(unsigned int vcpu, void *data)
{
	struct insn *insn = data;
	struct cpu *cpu = &cpus[vcpu & (MAX_CPUS - 1)];

	if (ebase && insn->segment != SEG_KERNEL)
		run_guest(cpu, insn);
	cpu->now.insns[insn->segment]++;
	if (path_unit && cpu->unit == path_unit && insn->segment != SEG_USER)
		count_run(cpu, insn);
	if (insn->kind && insn->kind < KINDS_PRIVILEGED)
		cpu->now.privileged[insn->segment][insn->kind]++;
	if (ebase && insn->segment == SEG_KERNEL)
		run_kernel(cpu, insn);
	if (insn->va == boot)
		unit_begin(cpu, 1);
	if ((insn->word & MARK_MASK) == MARK_BEGIN || (insn->word & MARK_MASK) == MARK_END)
		mark(cpu, insn->word);
}

static void block_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *from = qemu_plugin_tb_get_insn(tb, i);
		uint32_t word;

		memcpy(&word, qemu_plugin_insn_data(from), sizeof(word));
		qemu_plugin_register_vcpu_insn_exec_cb(from, insn_run, QEMU_PLUGIN_CB_NO_REGS,
						       insn_get(qemu_plugin_insn_vaddr(from),
								word));
	}
}

static void runs_print(const struct insn *insn)
{
	for (unsigned int i = 0; insn->runs && i < MAX_CPUS; i++)
		if (insn->runs[i])
			fprintf(out, "{\"%s\": %lu, \"cpu\": %u, \"runs\": %lu}\n",
				insn->segment == SEG_KERNEL ? "pc" : "guest_pc",
				(unsigned long)insn->va, i, (unsigned long)insn->runs[i]);
}

static void finish(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	for (unsigned int i = 0; i < MAX_CAUSES && causes[i]; i++)
		cause_print(causes[i]);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (const struct insn *insn = table[i]; insn; insn = insn->next)
			runs_print(insn);
	fclose(out);
}

/* ---- start ---- */

static int option(const char *text)
{
	char *colon = strchr(text, ':');

	if (!strncmp(text, "out=", 4)) {
		out = fopen(text + 4, "w");
		if (!out)
			fprintf(stderr, "count: %s: %s\n", text + 4, strerror(errno));
		return out ? 0 : -1;
	}
	if (!strncmp(text, "ebase=", 6)) {
		ebase = strtoull(text + 6, NULL, 0);
	} else if (!strncmp(text, "exit=", 5)) {
		exit_va[exit_va[0] != 0] = strtoull(text + 5, NULL, 0);
	} else if (!strncmp(text, "boot=", 5)) {
		boot = strtoull(text + 5, NULL, 0);
	} else if (!strncmp(text, "unit=", 5)) {
		path_unit = strtoul(text + 5, NULL, 0);
	} else if (!strncmp(text, "probe=", 6) && colon && probe_count < MAX_PROBES) {
		snprintf(probes[probe_count].name, sizeof(probes[0].name), "%.*s",
			 (int)(colon - text - 6), text + 6);
		probes[probe_count++].va = strtoull(colon + 1, NULL, 0);
	} else {
		fprintf(stderr,
			"count: found option '%s', expected out=, ebase=, exit=, boot=, unit= or probe=\n",
			text);
		return -1;
	}
	return 0;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info,
					   int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++)
		if (option(argv[i]))
			return -1;
	if (!out) {
		fprintf(stderr, "count: found no out=FILE\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
