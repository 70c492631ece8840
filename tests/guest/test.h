/* SPDX-License-Identifier: MIT */
/* What every guest test includes: the library, the name that its verdict carries, and places to
 * map. */
#ifndef TESTS_GUEST_TEST_H
#define TESTS_GUEST_TEST_H

#include <string.h>

#include "guests/lib/check.h"
#include "guests/lib/cp0.h"
#include "guests/lib/guest.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/probe.h"
#include "guests/lib/tlb.h"

const char guest_name[] = GUEST_NAME;

/* One address in each mapped segment that the library leaves alone; and the n-th free page of
 * memory. */
#define VA_USER	 0x0000000020000000ull /* useg */
#define VA_XUSER 0x0000001234560000ull /* xuseg above 4 GB */
#define VA_CSSEG 0xffffffffd0000000ull /* csseg, the mapped part */
#define VA_XSSEG 0x4000000200000000ull /* xsseg, above any memory */

static inline u64 page_pa(unsigned n) { return guest_free_pa() + n * PAGE_SIZE; }
static inline volatile u64 *page_va(unsigned n) { return guest_va(page_pa(n)); }

/* One 64-bit load or store at va, in either mode: how it ended. v0 is the value loaded. */
PROBE(test_ld, "ld $2, 0($4)");
PROBE(test_sd, "sd $5, 0($4)");
static inline const struct trap *load(int mode, u64 va)
{
	return probe_in(mode, test_ld, va, 0, 0);
}
static inline const struct trap *store(int mode, u64 va, u64 v)
{
	return probe_in(mode, test_sd, va, v, 0);
}

/* The load ends well and gives v; or ends with TLBL at the refill vector. */
static inline void check_load(const char *what, u64 va, u64 v)
{
	const struct trap *t = load(MODE_KERNEL, va);

	print("%s: %s\n", what,
	      t->taken	   ? trap_name(t->exc)
	      : t->v0 == v ? "as expected"
			   : "another value");
	check(!t->taken && t->v0 == v, "%s: %s, value %lx, wanted %lx", what, trap_name(t->exc),
	      (unsigned long)t->v0, (unsigned long)v);
}

static inline void check_miss(const char *what, u64 va)
{
	const struct trap *t = load(MODE_KERNEL, va);

	print("%s: %s\n", what, t->taken ? trap_name(t->exc) : "no exception");
	check(t->taken && t->exc == EXC_TLBL && t->f.vector == 0x80,
	      "%s: %s at vector %x, wanted a refill", what, trap_name(t->exc), (u32)t->f.vector);
}

/*
 * Sets the timer delta ahead, for certain: a host that was busy between reading Count and writing
 * Compare would leave us 25 seconds to wait. Returns the Count it is set to.
 */
static inline u32 timer_set(u32 delta)
{
	u32 due;

	do {
		due = cp0_read_count() + delta;
		cp0_write_compare((s32)due);
	} while ((s32)(due - cp0_read_count()) <= 0);
	return due;
}

/* Gives page n the value tag in its first word and tag + 1 in its last. */
static inline void tag_page(unsigned n, u64 tag)
{
	page_va(n)[0] = tag;
	page_va(n)[PAGE_SIZE / 8 - 1] = tag + 1;
}

/* One thing that a hostile driver may do follows: test_guest.py counts them. */
static inline void rule(const char *name) { print("rule: %s\n", name); }

/* An index that no test's wired entries use. */
#define TLB_FREE 8

#endif /* TESTS_GUEST_TEST_H */
