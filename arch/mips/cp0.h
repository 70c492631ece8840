/* SPDX-License-Identifier: MIT */
/*
 * Access to the machine's own CP0 registers and TLB instructions. Each writer ends with EHB, so
 * that the next instruction sees the new value (MD00091, chapter 7). Nothing here is about a
 * guest's virtual registers.
 */
#ifndef ARCH_MIPS_CP0_H
#define ARCH_MIPS_CP0_H

#include "arch/mips/regs.h"
#include "kernel/types.h"

#define CP0_READ32(reg, sel)                                                        \
	({                                                                          \
		u32 v_;                                                             \
		__asm__ volatile("mfc0 %0, $" #reg ", " #sel : "=r"(v_)::"memory"); \
		v_;                                                                 \
	})
#define CP0_READ64(reg, sel)                                                         \
	({                                                                           \
		u64 v_;                                                              \
		__asm__ volatile("dmfc0 %0, $" #reg ", " #sel : "=r"(v_)::"memory"); \
		v_;                                                                  \
	})
#define CP0_WRITE32(reg, sel, v) \
	__asm__ volatile("mtc0 %z0, $" #reg ", " #sel "\n\tehb" ::"Jr"((u32)(v)) : "memory")
#define CP0_WRITE64(reg, sel, v) \
	__asm__ volatile("dmtc0 %z0, $" #reg ", " #sel "\n\tehb" ::"Jr"((u64)(v)) : "memory")

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

/* One more expansion, so that CP0_STATUS becomes two arguments. */
#define cp0_read32(...)		   CP0_READ32(__VA_ARGS__)
#define cp0_read64(...)		   CP0_READ64(__VA_ARGS__)
#define cp0_write32(...)	   CP0_WRITE32(__VA_ARGS__)
#define cp0_write64(...)	   CP0_WRITE64(__VA_ARGS__)
#define cp0_kscratch_read(n)	   CP0_READ64_N(31, n)
#define CP0_READ64_N(reg, sel)	   CP0_READ64(reg, sel)
#define CP0_WRITE64_N(reg, sel, v) CP0_WRITE64(reg, sel, v)
#define cp0_kscratch_write(n, v)   CP0_WRITE64_N(31, n, v)

#define CP0_OP(insn) __asm__ volatile("ehb\n\t" insn "\n\tehb" ::: "memory")

static inline void tlbp(void) { CP0_OP("tlbp"); }
static inline void tlbr(void) { CP0_OP("tlbr"); }
static inline void tlbwi(void) { CP0_OP("tlbwi"); }
static inline void tlbwr(void) { CP0_OP("tlbwr"); }
static inline void tlbinv(void) { CP0_OP("tlbinv"); }
static inline void tlbinvf(void) { CP0_OP("tlbinvf"); }

/*
 * The processor asks an SC first whether its address is that of the last LL, and if not fails it without an exception.
 * So an LL that is carried out for a guest is executed at its address, too, which here must be some RAM of the machine:
 * what it loads counts for nothing.
 */
static inline void ll_at(u64 va)
{
	u64 nothing;

	__asm__ volatile("ll %0, 0(%1)" : "=r"(nothing) : "r"(va) : "memory");
}

/* Hardware registers that guests see as they are. */
static inline u64 rdhwr_synci(void)
{
	u64 val;

	__asm__("rdhwr %0, $1" : "=r"(val));
	return val;
}

static inline u64 rdhwr_ccres(void)
{
	u64 val;

	__asm__("rdhwr %0, $3" : "=r"(val));
	return val;
}

#endif /* ARCH_MIPS_CP0_H */
