/* SPDX-License-Identifier: MIT */
/*
 * Basic types, and the address spaces as types that do not mix (docs/tour.md): "physical" as a
 * guest sees it (gpa, gpn) and machine (maddr, mpn); virtual addresses are u64. Pages are 4 KB.
 * Builds on the host too.
 */
#ifndef KERNEL_TYPES_H
#define KERNEL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1ul << PAGE_SHIFT)
#define PAGE_MASK  (PAGE_SIZE - 1)

typedef struct {
	u64 v;
} gpa_t; /* guest "physical" byte address, from 0 */
typedef struct {
	u64 v;
} gpn_t; /* guest "physical" page number */
typedef struct {
	u64 v;
} maddr_t; /* machine byte address, RAM from 0x80000000 */
typedef struct {
	u64 v;
} mpn_t; /* machine page number */

static inline gpn_t gpa_gpn(gpa_t a) { return (gpn_t){ a.v >> PAGE_SHIFT }; }
static inline mpn_t maddr_mpn(maddr_t a) { return (mpn_t){ a.v >> PAGE_SHIFT }; }
static inline maddr_t mpn_maddr(mpn_t n) { return (maddr_t){ n.v << PAGE_SHIFT }; }

#define LINE_BYTES 128 /* of the second-level cache: what nodes take from each other */

/*
 * Before an atomic change of a word in the same line, which another node may have had last: the store brings the line with the right to write
 * it, where the LL brings it without, and the SC asks for it again. The word is for nothing else.
 */
static inline void line_take(u32 *unread) { __atomic_store_n(unread, 1, __ATOMIC_RELAXED); }

#define MPN_NONE ((mpn_t){ 0 }) /* no machine page: RAM starts at page 0x80000 */
static inline bool mpn_valid(mpn_t n) { return n.v != 0; }

#define ARRAY_SIZE(a)	 (sizeof(a) / sizeof((a)[0]))
#define BIT(n)		 (1ul << (n))
#define MIN(a, b)	 ((a) < (b) ? (a) : (b))
#define MAX(a, b)	 ((a) > (b) ? (a) : (b))
#define ROUND_UP(x, a)	 (((x) + (a)-1) & ~((a)-1))
#define ROUND_DOWN(x, a) ((x) & ~((a)-1))

#endif /* KERNEL_TYPES_H */
