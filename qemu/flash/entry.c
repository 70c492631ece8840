/* SPDX-License-Identifier: MIT */
/*
 * Why the exception vectors were entered, and how long it took until a program below went on:
 * instructions and stalls, not what was idled meanwhile. On a bare machine its kernel is what is entered, and what
 * interrupts the kernel itself counts for what it interrupted.
 */
#include "qemu/flash/flash.h"

#define PAGE_MASK 0xfffu

enum {
	VECTOR_MISS_32 = 0x000,
	VECTOR_MISS = 0x080,
	VECTOR_GENERAL = 0x180,
	VECTOR_INTERRUPT = 0x200,
};

static uint64_t busy(const struct cpu *c) { return c->n.cycles - c->n.idle; }

static enum cause cause_of(const struct cpu *c, unsigned vector)
{
	switch (vector) {
	case VECTOR_MISS_32:
	case VECTOR_MISS:
		if (c->class == CLASS_USER)
			return CAUSE_USER_MISS;
		return c->class == CLASS_KERNEL ? CAUSE_KERNEL_MISS : CAUSE_FETCH_MISS;
	case VECTOR_GENERAL: return c->trap == CAUSE_NONE ? CAUSE_FAULT : c->trap;
	case VECTOR_INTERRUPT: return CAUSE_INTERRUPT;
	default: return CAUSE_NONE;
	}
}

/* From below, or right after a return, whose first fetch was not to be: below nothing has happened. */
void entry_begins(struct cpu *c, const struct block *b)
{
	if (c->class == CLASS_MONITOR && c->trap != CAUSE_NONE)
		return;
	if (c->class == CLASS_MONITOR && cause_of(c, b->vector) == CAUSE_NONE)
		return; /* a bare kernel that returned to itself */
	entry_ends(c);
	c->cause = cause_of(c, b->vector);
	c->entered = busy(c);
	c->n.entries[c->cause]++;
}

void entry_ends(struct cpu *c)
{
	c->n.entry_cycles[c->cause] += c->cause == CAUSE_NONE ? 0 : busy(c) - c->entered;
	c->cause = CAUSE_NONE;
}
