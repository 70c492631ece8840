/* SPDX-License-Identifier: MIT */
/*
 * Stacks with nothing below them. The windows show all memory, so a stack that grows too far would write into what lies there. Threads see their
 * stacks elsewhere, at GUARD_BASE above their "physical" address, by page tables that the monitor walks and that have
 * the pages of stacks only: a store below one is an exception, and fault.c says whose.
 *
 *   page                   its entry              when
 *   of a stack             shows it               from the creation of the thread on, also when it has ended
 *   below a stack          empty                  from the creation of the thread on; flushed if it was not
 *   any other              empty, or a stack's that was: nobody knows an address there
 *
 * An entry is a "physical" address and bits; rotated right by six it is EntryLo. All is valid and dirty from the beginning, since nobody
 * asks what was used.
 */
#include <string.h>

#include "guests/thin/thin.h"

#define PAGE	 4096ul
#define ROTATE	 6
#define PRESENT	 (1ul << 0)
#define WRITE	 (1ul << 1)
#define ACCESSED (1ul << 2)
#define MODIFIED (1ul << 3)
#define NO_FETCH (1ul << 4) /* XI */
#define GLOBAL	 (1ul << 6)
#define VALID	 (1ul << 7)
#define DIRTY	 (1ul << 8)
#define CACHED	 (5ul << 9)
#define OF_A_STACK \
	(PRESENT | WRITE | ACCESSED | MODIFIED | NO_FETCH | GLOBAL | VALID | DIRTY | CACHED)
#define ENTRIES	     512 /* of a table but the root: a page of them */
#define ROOT_ENTRIES 1024

static u64 root[ROOT_ENTRIES] __attribute__((aligned(4096)));
static u64 middle[ENTRIES]
	__attribute__((aligned(4096))); /* of the first GB, which is all that a VM has */
static struct spin lock;		/* both, and the tables that middle leads to */
static bool is_on;

static u64 pointer_to(const void *table) { return (u64)window(pa_of(table)); }

/* For the VCPU that calls, before it runs a thread. */
void guard_begin_vcpu(void)
{
	u64 block[DISCO_MMU_WORDS] = {
		[DISCO_MMU_KERNEL_ROOT] = pointer_to(root),
		[DISCO_MMU_SHIFTS] = 30 | 10 << 8 | 21 << 16 | 9 << 24 | 12ul << 32 | 9ul << 40,
		[DISCO_MMU_ROTATE] = ROTATE,
		[DISCO_MMU_PRESENT] = PRESENT,
		[DISCO_MMU_WRITE] = WRITE,
		[DISCO_MMU_ACCESSED] = ACCESSED,
		[DISCO_MMU_MODIFIED] = MODIFIED,
		[DISCO_MMU_VALID] = VALID,
		[DISCO_MMU_DIRTY] = DIRTY,
	};

	root[GUARD_BASE >> 30] = pointer_to(middle);
	is_on = hypercall(DISCO_HC_MMU_SETUP, pa_of(block), 0) == 0;
}

/* NULL: no memory for a table. Under the lock. */
static u64 *entry_of(u64 pa, bool make)
{
	u64 *above = &middle[pa >> 21 & (ENTRIES - 1)];
	u64 *table = (u64 *)*above;

	if (!table && make) {
		table = heap_alloc(ENTRIES * sizeof(*table), PAGE, NULL);
		if (!table)
			return NULL;
		memset(table, 0, ENTRIES * sizeof(*table));
		barrier_sync();
		*above = (u64)table;
	}
	return table ? &table[pa >> 12 & (ENTRIES - 1)] : NULL;
}

/* Under the lock. False: no memory for a table. */
static bool show(u64 pa, u64 bytes)
{
	for (u64 end = pa + bytes; pa < end; pa += PAGE) {
		u64 *entry = entry_of(pa, true);

		if (!entry)
			return false;
		*entry = pa | OF_A_STACK;
	}
	return true;
}

static void hide(u64 pa, u64 bytes)
{
	u64 was = 0;

	for (u64 at = pa; at < pa + bytes; at += PAGE) {
		u64 *entry = entry_of(at, false);

		if (entry) {
			was |= *entry;
			*entry = 0;
		}
	}
	barrier_sync();
	if (was)
		hypercall4(DISCO_HC_MMU_FLUSH, GUARD_BASE + pa, bytes, ~0ul, DISCO_ALL_ASIDS);
}

u8 *guard_stack(u8 *block, u64 bytes)
{
	u64 pa = pa_of(block);
	bool shown;
	u32 was;

	if (!is_on)
		return block + GUARD_BYTES;
	was = irq_off();
	spin_lock(&lock);
	hide(pa, GUARD_BYTES);
	shown = show(pa + GUARD_BYTES, bytes);
	spin_unlock(&lock);
	irq_back(was);
	return shown ? (u8 *)GUARD_BASE + pa + GUARD_BYTES : NULL;
}

bool guard_shows(u64 va)
{
	u64 *entry = va - GUARD_BASE < tree.memory ? entry_of(va - GUARD_BASE, false) : NULL;

	return entry && *entry;
}
