/* SPDX-License-Identifier: MIT */
/* What every guest test includes: the library, the name that its verdict carries, and places to map. */
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

/* One address in each mapped segment that the library leaves alone; and the n-th free page of memory. */
#define VA_USER		0x0000000020000000ull	/* useg */
#define VA_XUSER	0x0000001234560000ull	/* xuseg above 4 GB */
#define VA_CSSEG	0xffffffffd0000000ull	/* csseg, the mapped part */
#define VA_XSSEG	0x4000000200000000ull	/* xsseg, above any memory */

static inline u64 page_pa(unsigned n) { return guest_free_pa() + n * PAGE_SIZE; }
static inline volatile u64 *page_va(unsigned n) { return guest_va(page_pa(n)); }

/* An index that no test's wired entries use. */
#define TLB_FREE	8

#endif /* TESTS_GUEST_TEST_H */
