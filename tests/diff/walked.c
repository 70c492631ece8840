/* SPDX-License-Identifier: MIT */
/*
 * Programs with page tables: under the monitor its walker serves them (kernel/abi/disco.h), on the
 * bare machine, and where the walker is off, walked_fill does the same in software. What a program
 * sees, and the tables that it leaves, must be the same.
 */
#include <string.h>

#include "guests/lib/cp0.h"
#include "guests/lib/guest.h"
#include "guests/lib/hypercall.h"
#include "tests/diff/runner.h"

#define ROTATE	 8
#define PRESENT	 (1ul << 0)
#define WRITE	 (1ul << 1)
#define ACCESSED (1ul << 2)
#define MODIFIED (1ul << 3)
#define NO_EXEC	 (1ul << 6)
#define NO_READ	 (1ul << 7)
#define VALID	 (1ul << 9)
#define DIRTY	 (1ul << 10)
#define ALL_SET	 (PRESENT | WRITE | ACCESSED | MODIFIED | VALID | DIRTY)
#define PFN	 (~0ul << 14)
#define PTE(pa)	 ((u64)(pa) >> 12 << 14 | 3ul << 11)

#define ROOT_BITS 10
#define TOP	  (30 + ROOT_BITS)
#define TABLES	  32
#define AREA_PAGE 8 /* the first page of an area that programs reach */
#define PAGES	  17

typedef u64 table_t[512];

static table_t roots[2][2] __attribute__((aligned(PAGE_SIZE))); /* user, kernel */
static table_t tables[TABLES] __attribute__((aligned(PAGE_SIZE)));
static u64 *leaves[TABLES]; /* those of tables that hold entries */
static unsigned used, leaf_count;
static u64 key;
static bool served; /* by the monitor */

static u64 pointer(const volatile void *table) { return DISCO_XSSEG_BASE + guest_pa(table); }
static u64 *target(u64 pointer_) { return guest_va(pointer_ - DISCO_XSSEG_BASE); }

/* The entry of va; NULL if the tables do not lead to one. make: they shall. */
static u64 *entry_of(u64 va, bool make)
{
	u64 *at;

	if (!(va >> 62) && va >> TOP)
		return NULL;
	at = &roots[va >> 62 != 0][0][va >> 30 & ((1 << ROOT_BITS) - 1)];
	for (unsigned shift = 21; shift >= 12; shift -= 9) {
		if (!*at && !make)
			return NULL;
		if (!*at) {
			*at = pointer(tables[used]);
			if (shift == 12)
				leaves[leaf_count++] = tables[used];
			used++;
		}
		at = &target(*at)[va >> shift & 511];
	}
	return at;
}

/* One page, as chance wants it: somewhere in the pool, with some rights, used already or not. */
static u64 make_entry(u64 chance, u64 pa)
{
	u64 e = PTE(pa);

	if ((chance >> 4 & 31) == 0)
		e = PTE(DIFF_NOWHERE);
	if (chance & 3)
		e |= PRESENT;
	if (chance >> 2 & 1)
		e |= WRITE;
	if ((chance >> 9 & 7) == 0)
		e |= NO_READ;
	if ((chance >> 12 & 3) == 0)
		e |= NO_EXEC;
	if ((e & PRESENT) && !(e & NO_READ) && (chance >> 14 & 1)) {
		e |= ACCESSED | VALID;
		if ((e & WRITE) && (chance >> 15 & 1))
			e |= MODIFIED | DIRTY;
	}
	return e;
}

static u64 page_of(unsigned n, unsigned page, u64 chance)
{
	if (diff_area[n] == diff_area[DIFF_X_INDEX])
		return DIFF_X_PA + (page & 1) * PAGE_SIZE;
	return DIFF_POOL_PA + (chance >> 20 & 15) * PAGE_SIZE;
}

static void change(unsigned n, unsigned page, u64 chance)
{
	u64 *e = entry_of(diff_area[n] + (AREA_PAGE + page) * PAGE_SIZE, true);

	if (e)
		*e = make_entry(chance, page_of(n, page, chance));
}

static void flush(u64 va, u64 chance)
{
	static const unsigned asids[] = { 0, 1, 2, 3, 0x3ff };
	u64 first = va - (chance >> 30 & 3) * PAGE_SIZE;

	if (!served) {
		diff_flush_tlb();
		return;
	}
	switch (chance >> 32 & 3) {
	case 0: hypercall4(DISCO_HC_MMU_FLUSH, 0, 0, 1, DISCO_ALL_ASIDS); break;
	case 1: hypercall4(DISCO_HC_MMU_FLUSH, va, PAGE_SIZE, 1, DISCO_ALL_ASIDS); break;
	default:
		for (unsigned i = 0; i < ARRAY_SIZE(asids); i++)
			hypercall4(DISCO_HC_MMU_FLUSH, first, va - first + PAGE_SIZE, 1, asids[i]);
		if (va >> 62) /* kernel's pages are in every address space */
			hypercall4(DISCO_HC_MMU_FLUSH, va, PAGE_SIZE, 1, DISCO_ALL_ASIDS);
	}
}

void walked_change(u64 chance)
{
	unsigned n = DIFF_FIRST_INDEX + diff_mix(chance) % (DIFF_X_INDEX + 3 - DIFF_FIRST_INDEX);
	unsigned page = diff_mix(chance + 1) % PAGES;

	change(n, page, diff_mix(chance + 2));
	flush(diff_area[n] + (AREA_PAGE + page) * PAGE_SIZE, diff_mix(chance + 3));
}

/* Gives what the access wants, or nothing; without a flush, since nothing is taken away. */
bool walked_mend(u64 va, bool write)
{
	u64 *e = entry_of(va, false);

	if (!e || !(*e & PFN))
		return false;
	*e = (*e & ~(NO_READ | NO_EXEC)) | PRESENT | (write ? WRITE : 0);
	return true;
}

bool walked_fill(u64 va, bool write, bool fetch)
{
	u64 *e = entry_of(va, false), *pair, lo[2];

	if (served || !e || !(*e & PRESENT) || (write && !(*e & WRITE)) ||
	    (!write && !fetch && (*e & NO_READ)))
		return false;
	*e |= ACCESSED | VALID | (write ? MODIFIED | DIRTY : 0);
	if (fetch && (*e & NO_EXEC))
		return false;
	pair = (u64 *)((u64)e & ~8ul);
	for (int i = 0; i < 2; i++) {
		lo[i] = pair[i] >> ROTATE | pair[i] << (64 - ROTATE);
		lo[i] &= ~(15ul << 56); /* software's bits */
	}
	diff_write_tlb(va, lo[0], lo[1]);
	return true;
}

void walked_begin(u64 seed)
{
	static u64 block[DISCO_MMU_WORDS];
	u64 chance;

	memset(roots, 0, sizeof(roots));
	memset(tables, 0, sizeof(tables));
	used = leaf_count = 0;
	key = seed;
	for (unsigned n = DIFF_FIRST_INDEX; n < DIFF_X_INDEX + 3; n++)
		for (unsigned page = 0; page < PAGES; page++) {
			chance = diff_mix(seed * 1000 + n * 32 + page);
			change(n, page, diff_mix(chance));
		}
	for (unsigned i = 0; i < 2; i++) {
		*entry_of(DIFF_CODE_VA + i * PAGE_SIZE, true) = PTE(DIFF_CODE_PA + i * PAGE_SIZE) |
								ALL_SET;
		*entry_of(DIFF_DATA_VA + i * PAGE_SIZE, true) = PTE(DIFF_DATA_PA + i * PAGE_SIZE) |
								ALL_SET;
	}
	served = false;
	if (platform_is_native)
		return;
	block[DISCO_MMU_KERNEL_ROOT] = pointer(roots[1]);
	block[DISCO_MMU_SHIFTS] = 30 | ROOT_BITS << 8 | 21 << 16 | 9 << 24 | 12ul << 32 | 9ul << 40;
	block[DISCO_MMU_ROTATE] = ROTATE;
	block[DISCO_MMU_PRESENT] = PRESENT;
	block[DISCO_MMU_WRITE] = WRITE;
	block[DISCO_MMU_ACCESSED] = ACCESSED;
	block[DISCO_MMU_MODIFIED] = MODIFIED;
	block[DISCO_MMU_VALID] = VALID;
	block[DISCO_MMU_DIRTY] = DIRTY;
	block[DISCO_MMU_NO_READ] = NO_READ;
	served = hypercall4(DISCO_HC_MMU_SETUP, guest_pa(block), 0, 0, 0) == 0;
	if (served)
		hypercall4(DISCO_HC_MMU_SWITCH, cp0_read_entryhi(), pointer(roots[0]), 0, 0);
}

void walked_end(void)
{
	for (unsigned i = 0; i < leaf_count; i++)
		for (unsigned j = 0; j < 512; j++)
			if (leaves[i][j])
				diff_show("pte", leaves[i][j]);
	if (served)
		hypercall4(DISCO_HC_MMU_SETUP, 0, 0, 0, 0);
}
