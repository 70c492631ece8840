/* SPDX-License-Identifier: MIT */
/*
 * What QEMU translates, block by block, and what the model does as it is executed.
 *
 * A block is counted when it begins. An exception may end it before its end: each instruction that
 * can do that is a point, numbered; a processor that begins another block without having passed all
 * points of the last one has not executed what came from the next point on. That is exact but for
 * one case: an instruction that traps, but not for its access to memory, as the very last of a
 * block, in a delay slot.
 */
#include <stdlib.h>
#include <string.h>

#include "qemu/flash/flash.h"
#include "qemu/plugin/qemu-api.h"

#define MAX_INSNS   1024 /* of a block; QEMU's limit is 512 */
#define PAGE_SHIFT  12
#define KSEG1_RESET 0xffffffffbf000500ull /* a store ends the machine */

/* What a mark of the region of interest or of a unit needs. */
struct mark {
	uint16_t behind; /* instructions of the block behind it */
	uint8_t unit;	 /* 0: of the region's */
	bool begin;
};

static struct block no_block;

static void *allocate(size_t bytes)
{
	static char *pool;
	static size_t left;
	char *got;

	bytes = (bytes + 7) & ~7ul;
	if (bytes > left) {
		left = 1 << 20;
		pool = malloc(left);
		if (!pool)
			abort();
	}
	got = pool;
	pool += bytes;
	left -= bytes;
	return got;
}

/* ---- execution ---- */

/* The block before ended early: take back what was not executed. */
static void take_back(struct cpu *c)
{
	unsigned over = c->block->insns - c->block->at[c->done];

	*c->insns -= over;
	c->n.cycles -= over;
}

static void fetch(struct cpu *c, uint64_t line)
{
	struct cache *cache = &caches.cache[c->id];

	if (line == cache->last_fetch)
		return;
	memory_access(c, line, ACCESS_FETCH);
	cache->last_fetch = line;
}

static void fetch_block(struct cpu *c, const struct block *b)
{
	for (unsigned i = 0; i < b->lines; i++)
		fetch(c, b->line + i);
	if (b->line_2 != NO_LINE)
		fetch(c, b->line_2);
}

static void block_ended(struct cpu *c)
{
	const struct block *b = c->block;

	if (b == &no_block)
		return; /* left before its first instruction */
	c->trap = b->cause;
	if (__builtin_expect(c->done < b->points, 0)) {
		c->trap = CAUSE_FAULT;
		take_back(c);
	}
	c->block = &no_block;
}

static void change_class(struct cpu *c, unsigned class)
{
	if (c->class == CLASS_MONITOR)
		entry_ends(c);
	c->class = class;
	c->vm = magic_vm(c->id);
}

/*
 * Spin locks are the kernel's. What it enters the monitor for while it waits is of the lock, too; a bare kernel's own code elsewhere is not.
 */
static void follow_locks(struct cpu *c, const struct block *b)
{
	bool below = b->class == CLASS_MONITOR && decode_class(options.lock) != CLASS_MONITOR;
	bool lock = below ? c->lock : b->lock;
	uint64_t busy = c->n.cycles - c->n.idle;

	if (lock == c->lock && b->class == c->class)
		return;
	if (c->lock)
		c->n.lock[c->class] += busy - c->counted;
	c->lock = lock;
	c->counted = busy;
}

static void block_begins(unsigned int id, void *data)
{
	struct cpu *c = &cpus[id];
	const struct block *b = data;

	block_ended(c);
	if (__builtin_expect(c->n.cycles >= c->bound, 0))
		clock_turn(c, __builtin_return_address(0));
	running = c;
	if (b->class == CLASS_MONITOR && (c->class != CLASS_MONITOR || c->trap == CAUSE_NONE))
		entry_begins(c, b);
	if (options.lock)
		follow_locks(c, b);
	if (b->class != c->class)
		change_class(c, b->class);
	c->block = b;
	c->done = 0;
	c->insns = &c->n.insns[c->vm][b->class];
	*c->insns += b->insns;
	c->n.cycles += b->insns;
	if (options.cache && b->line != NO_LINE)
		fetch_block(c, b);
}

static void forbidden_slot_runs(unsigned int id, void *data)
{
	struct cpu *c = &cpus[id];

	(void)data;
	++*c->insns;
	c->n.cycles++;
}

static void memory_accessed(unsigned int id, qemu_plugin_meminfo_t info, uint64_t va, void *point)
{
	struct cpu *c = &cpus[id];
	struct qemu_plugin_hwaddr *where = qemu_plugin_get_hwaddr(info, va);
	bool store = qemu_plugin_mem_is_store(info);
	uint64_t offset;

	if ((uintptr_t)point)
		c->done = (uintptr_t)point;
	if (!where || where->is_io) {
		if (va == KSEG1_RESET)
			report_stop();
		return;
	}
	offset = (uint64_t)((uint8_t *)where->host - ram.host);
	if (offset >= ram.bytes)
		return;
	memory_access(c, offset >> LINE_SHIFT, store ? ACCESS_WRITE : ACCESS_READ);
	if (__builtin_expect(offset >> PAGE_SHIFT == MAGIC_PAGE && store, 0))
		magic_stored(offset);
}

static void point_passed(unsigned int id, void *point) { cpus[id].done = (uintptr_t)point; }

static void wait_runs(unsigned int id, void *data)
{
	(void)data;
	clock_sleep(&cpus[id]);
}

static void exception_ends(unsigned int id, void *data)
{
	(void)data;
	cpus[id].n.cycles += options.eret;
	cpus[id].n.exceptions++;
}

static void mark_runs(unsigned int id, void *data)
{
	const struct mark *mark = data;

	if (mark->begin)
		report_begin(&cpus[id], mark->unit, mark->behind);
	else
		report_end(&cpus[id], mark->unit, mark->behind);
}

/* ---- translation ---- */

static uint64_t ram_offset(const struct qemu_plugin_insn *insn)
{
	uint8_t *host = qemu_plugin_insn_haddr(insn);
	uint64_t offset = (uint64_t)(host - ram.host);

	return host && offset < ram.bytes ? offset : NO_LINE;
}

static uint32_t word_of(const struct qemu_plugin_insn *insn)
{
	uint32_t word;

	memcpy(&word, qemu_plugin_insn_data(insn), sizeof(word));
	return word;
}

static enum cause last_cause(enum class class, uint32_t word)
{
	if (class != CLASS_MONITOR)
		return decode_cause(word);
	return decode_kind(word) == INSN_ERET ? CAUSE_NONE : CAUSE_FAULT;
}

static bool is_lock(uint64_t va)
{
	return va - options.lock < options.lock_bytes || va - options.spin < options.spin_bytes;
}

static void find_lines(struct block *b, struct qemu_plugin_tb *tb, size_t insns)
{
	uint64_t first = ram_offset(qemu_plugin_tb_get_insn(tb, 0));
	uint64_t last = ram_offset(qemu_plugin_tb_get_insn(tb, insns - 1));
	uint64_t va = qemu_plugin_tb_vaddr(tb), end = va + 4 * (insns - 1);

	b->line = b->line_2 = NO_LINE;
	if (first == NO_LINE || last == NO_LINE)
		return;
	b->line = first >> LINE_SHIFT;
	if (va >> PAGE_SHIFT == end >> PAGE_SHIFT) {
		b->lines = (last >> LINE_SHIFT) - b->line + 1;
		return;
	}
	b->lines = ((first | ((1ull << PAGE_SHIFT) - 1)) >> LINE_SHIFT) - b->line + 1;
	b->line_2 = last >> LINE_SHIFT; /* a delay slot */
}

/* Callbacks of one instruction; waiting: a point that is passed when this one begins, or 0. */
static void instrument(struct qemu_plugin_insn *insn, enum insn_kind kind, uintptr_t point,
		       uintptr_t waiting)
{
	if (waiting)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, point_passed, QEMU_PLUGIN_CB_NO_REGS,
						       (void *)waiting);
	if (kind == INSN_WAIT)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, wait_runs, QEMU_PLUGIN_CB_NO_REGS,
						       NULL);
	if (options.cache && (kind == INSN_MEMORY || kind == INSN_MAYBE))
		qemu_plugin_register_vcpu_mem_cb(insn, memory_accessed, QEMU_PLUGIN_CB_NO_REGS,
						 QEMU_PLUGIN_MEM_RW, (void *)point);
}

static void instrument_mark(struct qemu_plugin_insn *insn, enum insn_kind kind, unsigned behind)
{
	struct mark *mark = allocate(sizeof(*mark));

	memset(mark, 0, sizeof(*mark));
	mark->behind = behind;
	mark->begin = kind == INSN_ROI_BEGIN || kind == INSN_UNIT_BEGIN;
	if (kind == INSN_UNIT_BEGIN || kind == INSN_UNIT_END)
		mark->unit = decode_unit(word_of(insn));
	qemu_plugin_register_vcpu_insn_exec_cb(insn, mark_runs, QEMU_PLUGIN_CB_NO_REGS, mark);
}

static void block_translated(uint64_t plugin, struct qemu_plugin_tb *tb)
{
	size_t insns = qemu_plugin_tb_n_insns(tb);
	struct block *b = allocate(sizeof(*b));
	uint16_t at[MAX_INSNS];
	uintptr_t waiting = 0;
	static bool begun;
	bool slot = false;

	(void)plugin;
	if (!begun)
		plugin_before_first_block();
	begun = true;
	memset(b, 0, sizeof(*b));
	b->class = decode_class(qemu_plugin_tb_vaddr(tb));
	b->lock = is_lock(qemu_plugin_tb_vaddr(tb));
	b->vector = qemu_plugin_tb_vaddr(tb) & ((1 << PAGE_SHIFT) - 1);
	b->cause = last_cause(b->class, word_of(qemu_plugin_tb_get_insn(tb, insns - 1)));
	find_lines(b, tb, insns);
	b->insns = insns;
	if (insns > 1 && decode_has_forbidden_slot(word_of(qemu_plugin_tb_get_insn(tb, insns - 2))))
		b->insns--, slot = true;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, block_begins, QEMU_PLUGIN_CB_NO_REGS, b);
	for (size_t i = 0; i < insns; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		enum insn_kind kind = decode_kind(word_of(insn));
		uintptr_t point = 0;

		if (options.cache && i < b->insns &&
		    (kind == INSN_MEMORY || (kind == INSN_MAYBE && i + 1 < b->insns))) {
			at[b->points] = i;
			point = ++b->points;
		}
		instrument(insn, kind, point, waiting);
		/* a guest's own ERETNC is not allowed where it is, and the monitor's counts */
		if (kind == INSN_ERET && b->class == CLASS_MONITOR)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, exception_ends,
							       QEMU_PLUGIN_CB_NO_REGS, NULL);
		waiting = kind == INSN_MAYBE ? point : 0;
		if (kind >= INSN_ROI_BEGIN)
			instrument_mark(insn, kind, b->insns > i ? b->insns - i - 1 : 0);
	}
	if (slot)
		qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_tb_get_insn(tb, insns - 1),
						       forbidden_slot_runs, QEMU_PLUGIN_CB_NO_REGS,
						       NULL);
	b->at = allocate(b->points * sizeof(at[0]));
	memcpy(b->at, at, b->points * sizeof(at[0]));
}

void translate_register(uint64_t plugin)
{
	for (unsigned i = 0; i < cpu_count; i++)
		cpus[i].block = &no_block;
	qemu_plugin_register_vcpu_tb_trans_cb(plugin, block_translated);
}
