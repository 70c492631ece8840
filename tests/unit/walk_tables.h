/* SPDX-License-Identifier: MIT */
/*
 * Page tables in the fake machine's guest memory, for tests of the monitor's walker: Linux's shape,
 * one address space and another, and the kernel's.
 */
#ifndef TESTS_UNIT_WALK_TABLES_H
#define TESTS_UNIT_WALK_TABLES_H

#include "kernel/abi/disco.h"
#include "tests/unit/fake.h"

#define ROTATE	       8
#define PRESENT	       BIT(0)
#define WRITE	       BIT(1)
#define ACCESSED       BIT(2)
#define MODIFIED       BIT(3)
#define NO_EXEC	       BIT(6)
#define NO_READ	       BIT(7)
#define GLOBAL	       BIT(8)
#define VALID	       BIT(9)
#define DIRTY	       BIT(10)
#define READ_BITS      (ACCESSED | VALID)
#define WRITE_BITS     (READ_BITS | MODIFIED | DIRTY)
#define PTE(gpn, bits) ((u64)(gpn) << (ROTATE + 6) | 3ull << (ROTATE + 3) | (bits))

#define USER	0x0000001234567000ull
#define KERNEL	0xffffffffd1234000ull
#define BLOCK	0x1000 /* guest memory: the description, then tables, a page each */
#define ROOT	0x2000
#define MIDDLE	0x4000
#define LAST	0x5000
#define KROOT	0x6000 /* two pages: ten bits of index */
#define KMIDDLE 0x8000
#define KLAST	0x9000
#define OTHER	0xa000 /* tables of another address space: root, middle, last */
#define WINDOW	DISCO_XSSEG_BASE

static inline void link_tables(u64 va, u64 root, u64 middle, u64 last)
{
	*fake_word(root + (va >> 30 & 1023) * 8) = WINDOW + middle;
	*fake_word(middle + (va >> 21 & 511) * 8) = WINDOW + last;
}

static inline u64 *pte(u64 va, u64 last) { return fake_word(last + (va >> 12 & 511) * 8); }

static inline void describe(void)
{
	u64 *block = fake_word(BLOCK);

	block[DISCO_MMU_KERNEL_ROOT] = WINDOW + KROOT;
	block[DISCO_MMU_SHIFTS] = 30 | 10 << 8 | 21 << 16 | 9 << 24 | 12ull << 32 | 9ull << 40;
	block[DISCO_MMU_ROTATE] = ROTATE;
	block[DISCO_MMU_PRESENT] = PRESENT;
	block[DISCO_MMU_WRITE] = WRITE;
	block[DISCO_MMU_ACCESSED] = ACCESSED;
	block[DISCO_MMU_MODIFIED] = MODIFIED;
	block[DISCO_MMU_VALID] = VALID;
	block[DISCO_MMU_DIRTY] = DIRTY;
	block[DISCO_MMU_NO_READ] = NO_READ;
}

#endif /* TESTS_UNIT_WALK_TABLES_H */
