/* SPDX-License-Identifier: MIT */
/*
 * Page tables for the monitor's walker (kernel/abi/disco.h, DISCO_MMU_...): Linux's shape, three
 * levels of one page each. What is mapped from the start is the probes' code and data, so that they
 * run in user mode with the walker on.
 */
#ifndef TESTS_GUEST_WALK_H
#define TESTS_GUEST_WALK_H

#include "tests/guest/test.h"

#define ROTATE	      8
#define PRESENT	      (1ul << 0)
#define WRITE	      (1ul << 1)
#define ACCESSED      (1ul << 2)
#define MODIFIED      (1ul << 3)
#define NO_EXEC	      (1ul << 6) /* EntryLo.XI */
#define NO_READ	      (1ul << 7) /* EntryLo.RI */
#define GLOBAL	      (1ul << 8)
#define VALID	      (1ul << 9)
#define DIRTY	      (1ul << 10)
#define READ_BITS     (ACCESSED | VALID)
#define WRITE_BITS    (READ_BITS | MODIFIED | DIRTY)
#define PTE(pa, bits) (((u64)(pa) >> 12) << (ROTATE + 6) | 3ul << (ROTATE + 3) | (bits))

typedef volatile u64 table_t[512];

/* The user's tables: root, middle, last of 0x20000000 (VA_USER) and of 0x10000000 (the probes). */
static table_t walk_root __attribute__((aligned(PAGE_SIZE))),
	walk_middle __attribute__((aligned(PAGE_SIZE))),
	walk_last __attribute__((aligned(PAGE_SIZE))),
	walk_probes __attribute__((aligned(PAGE_SIZE)));
/* Pointers are addresses in this window: walk_fast.S knows xsseg, walk.c both. */
static u64 walk_window = DISCO_XSSEG_BASE;

static inline u64 walk_pointer(volatile u64 *table) { return walk_window + guest_pa(table); }

static inline void walk_link(table_t root, table_t middle, u64 va, table_t last)
{
	root[va >> 30 & 511] = walk_pointer(middle);
	middle[va >> 21 & 511] = walk_pointer(last);
}

static inline volatile u64 *walk_entry(table_t last, u64 va) { return &last[va >> 12 & 511]; }

static inline void walk_tables(void)
{
	u64 code, data = guest_pa(probe_user_data());
	extern char __probe_start[];

	code = guest_pa(__probe_start);
	walk_link(walk_root, walk_middle, VA_USER, walk_last);
	walk_link(walk_root, walk_middle, USER_CODE, walk_probes);
	for (unsigned i = 0; i < 2; i++) {
		u64 off = i * PAGE_SIZE;

		*walk_entry(walk_probes, USER_CODE + off) = PTE(code + off, PRESENT);
		*walk_entry(walk_probes, USER_DATA + off) = PTE(data + off, PRESENT | WRITE);
	}
}

static u64 walk_block[DISCO_MMU_WORDS];

static inline void walk_describe(u64 kernel_root)
{
	walk_block[DISCO_MMU_KERNEL_ROOT] = kernel_root;
	walk_block[DISCO_MMU_SHIFTS] = 30 | 10 << 8 | 21 << 16 | 9 << 24 | 12ul << 32 | 9ul << 40;
	walk_block[DISCO_MMU_ROTATE] = ROTATE;
	walk_block[DISCO_MMU_PRESENT] = PRESENT;
	walk_block[DISCO_MMU_WRITE] = WRITE;
	walk_block[DISCO_MMU_ACCESSED] = ACCESSED;
	walk_block[DISCO_MMU_MODIFIED] = MODIFIED;
	walk_block[DISCO_MMU_VALID] = VALID;
	walk_block[DISCO_MMU_DIRTY] = DIRTY;
	walk_block[DISCO_MMU_NO_READ] = NO_READ;
}

static inline s64 walk_setup(void)
{
	return hypercall(DISCO_HC_MMU_SETUP, guest_pa(walk_block), 0);
}

static inline s64 walk_switch(u64 asid, table_t root)
{
	return hypercall(DISCO_HC_MMU_SWITCH, asid, walk_pointer(root));
}

static inline s64 walk_flush(u64 va, u64 bytes, u64 asid)
{
	return hypercall4(DISCO_HC_MMU_FLUSH, va, bytes, ~0ul, asid);
}

/* On, with the tables above, as address space 0. */
static inline void walk_on(void)
{
	walk_tables();
	walk_describe(walk_pointer(walk_root));
	check_eq("MMU_SETUP", (u64)walk_setup(), 0);
	check_eq("MMU_SWITCH", (u64)walk_switch(0, walk_root), 0);
}

/* One fault, of one of two codes (0: the first), at the general vector, with the address. */
static inline void check_fault(const char *what, const struct trap *t, u32 exc, u32 or_exc, u64 va)
{
	check(t->taken && (t->exc == exc || (or_exc && t->exc == or_exc)), "%s: %s, wanted %s",
	      what, trap_name(t->exc), trap_name(exc));
	check_eq(text("%s: vector", what), t->f.vector, 0x180);
	check_eq(text("%s: BadVAddr", what), t->f.badvaddr, va);
}

static inline void check_value(const char *what, const struct trap *t, u64 v)
{
	check(!t->taken && t->v0 == v, "%s: %s, value %lx, wanted %lx", what, trap_name(t->exc),
	      (unsigned long)t->v0, (unsigned long)v);
}

#endif /* TESTS_GUEST_WALK_H */
