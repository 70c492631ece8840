/* SPDX-License-Identifier: MIT */
/*
 * In place of arch/mips/cp0.h on the host: the machine's CP0 registers as an array, and its TLB as
 * QEMU has it (tests/unit/fake.c). Nothing here traps and nothing changes by itself.
 */
#ifndef TESTS_UNIT_FAKE_CP0_H
#define TESTS_UNIT_FAKE_CP0_H

#include "arch/mips/regs.h"
#include "kernel/types.h"

#define FAKE_TLB_ENTRIES 16
#define FAKE_TLB_SHADOWS 112

struct fake_tlb_entry {
	bool present;
	u64 hi, lo[2], mask;
};

struct fake_cpu {
	u64 reg[32]
	       [8]; /* Config1 with another size than 16: a TLB that keeps nothing behind its 16 */
	struct fake_tlb_entry tlb[FAKE_TLB_ENTRIES + FAKE_TLB_SHADOWS];
	u32 in_use; /* of tlb[]: the 16 and the shadows behind them */
	u32 random;
};

extern struct fake_cpu fake_cpu;

void fake_cpu_reset(void);
/* The machine's entry that translates va under asid, or NULL. */
const struct fake_tlb_entry *fake_tlb_find(u64 va, u32 asid);

#define CP0_INDEX     0, 0
#define CP0_ENTRYLO0  2, 0
#define CP0_ENTRYLO1  3, 0
#define CP0_USERLOCAL 4, 2
#define CP0_PAGEMASK  5, 0
#define CP0_PAGEGRAIN 5, 1
#define CP0_WIRED     6, 0
#define CP0_HWRENA    7, 0
#define CP0_BADVADDR  8, 0
#define CP0_COUNT     9, 0
#define CP0_ENTRYHI   10, 0
#define CP0_COMPARE   11, 0
#define CP0_STATUS    12, 0
#define CP0_CAUSE     13, 0
#define CP0_EPC	      14, 0
#define CP0_PRID      15, 0
#define CP0_EBASE     15, 1
#define CP0_CONFIG(n) 16, n

static inline u64 fake_read(u32 reg, u32 sel) { return fake_cpu.reg[reg][sel]; }

static inline void fake_write(u32 reg, u32 sel, u64 val) { fake_cpu.reg[reg][sel] = val; }

#define cp0_read32(...)	 ((u32)fake_read(__VA_ARGS__))
#define cp0_read64(...)	 fake_read(__VA_ARGS__)
#define cp0_write32(...) fake_write(__VA_ARGS__)
#define cp0_write64(...) fake_write(__VA_ARGS__)

void tlbp(void);
void tlbr(void);
void tlbwi(void);
void tlbwr(void);
void tlbinv(void);
void tlbinvf(void);

#define FAKE_SYNCI 32
#define FAKE_CCRES 1

extern u64 fake_linked; /* the address of the last LL */
static inline void ll_at(u64 va) { fake_linked = va; }

static inline u64 rdhwr_synci(void) { return FAKE_SYNCI; }

static inline u64 rdhwr_ccres(void) { return FAKE_CCRES; }

#endif /* TESTS_UNIT_FAKE_CP0_H */
