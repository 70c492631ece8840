/* SPDX-License-Identifier: MIT */
/*
 * CP0 as a guest kernel sees it: bit names (MIPS's own) and one accessor pair per register,
 * cp0_read_NAME and cp0_write_NAME. A write ends with an execution hazard barrier. No policy.
 */
#ifndef GUESTS_LIB_CP0_H
#define GUESTS_LIB_CP0_H

#include "kernel/types.h"

#define CP0_READ(name, type, op, reg, sel)                                        \
	static inline type cp0_read_##name(void)                                  \
	{                                                                         \
		u64 v;                                                            \
		asm volatile(#op " %0, $" #reg ", " #sel : "=r"(v) : : "memory"); \
		return (type)v;                                                   \
	}
#define CP0_WRITE(name, type, op, reg, sel)                         \
	static inline void cp0_write_##name(type v)                 \
	{                                                           \
		asm volatile(#op " %z0, $" #reg ", " #sel "\n\tehb" \
			     :                                      \
			     : "Jr"((u64)(v))                       \
			     : "memory");                           \
	}
#define CP0_RW32(name, reg, sel) \
	CP0_READ(name, u32, mfc0, reg, sel) CP0_WRITE(name, s32, mtc0, reg, sel)
#define CP0_RW64(name, reg, sel) \
	CP0_READ(name, u64, dmfc0, reg, sel) CP0_WRITE(name, u64, dmtc0, reg, sel)

CP0_RW32(index, 0, 0)
CP0_RW32(random, 1, 0)
CP0_RW64(entrylo0, 2, 0)
CP0_RW64(entrylo1, 3, 0)
CP0_READ(globalnumber, u32, mfc0, 3, 1)
CP0_RW64(context, 4, 0)
CP0_RW64(userlocal, 4, 2)
CP0_RW32(pagemask, 5, 0)
CP0_RW32(pagegrain, 5, 1)
CP0_RW32(wired, 6, 0)
CP0_RW32(hwrena, 7, 0)
CP0_READ(badvaddr, u64, dmfc0, 8, 0)
CP0_READ(badinstr, u32, mfc0, 8, 1)
CP0_READ(badinstrp, u32, mfc0, 8, 2)
CP0_RW32(count, 9, 0)
CP0_RW64(entryhi, 10, 0)
CP0_RW32(compare, 11, 0)
CP0_RW32(status, 12, 0)
CP0_RW32(intctl, 12, 1)
CP0_RW32(srsctl, 12, 2)
CP0_RW32(cause, 13, 0)
CP0_RW64(epc, 14, 0)
CP0_READ(prid, u32, mfc0, 15, 0)
CP0_RW32(ebase, 15, 1)
CP0_RW32(config, 16, 0)
CP0_RW32(config1, 16, 1)
CP0_RW32(config2, 16, 2)
CP0_RW32(config3, 16, 3)
CP0_RW32(config4, 16, 4)
CP0_RW32(config5, 16, 5)
CP0_RW64(lladdr, 17, 0)
CP0_RW64(xcontext, 20, 0)
CP0_RW64(errorepc, 30, 0)
CP0_RW64(kscratch1, 31, 2)
CP0_RW64(kscratch2, 31, 3)
CP0_RW64(kscratch3, 31, 4)
CP0_RW64(kscratch4, 31, 5)
CP0_RW64(kscratch5, 31, 6)
CP0_RW64(kscratch6, 31, 7)

#define ST_IE	    (1u << 0)
#define ST_EXL	    (1u << 1)
#define ST_ERL	    (1u << 2)
#define ST_KSU	    (3u << 3)
#define ST_KSU_USER (2u << 3)
#define ST_UX	    (1u << 5)
#define ST_SX	    (1u << 6)
#define ST_KX	    (1u << 7)
#define ST_IM(n)    (1u << (8 + (n)))
#define ST_BEV	    (1u << 22)
#define ST_FR	    (1u << 26)
#define ST_CU0	    (1u << 28)
#define ST_CU1	    (1u << 29)
#define ST_BASE	    (ST_KX | ST_SX | ST_UX)

#define CAUSE_EXC(c) (((c) >> 2) & 31)
#define CAUSE_IP(n)  (1u << (8 + (n)))
#define CAUSE_IV     (1u << 23)
#define CAUSE_CE(c)  (((c) >> 28) & 3)
#define CAUSE_TI     (1u << 30)
#define CAUSE_BD     (1u << 31)

enum exc {
	EXC_INT = 0,
	EXC_MOD = 1,
	EXC_TLBL = 2,
	EXC_TLBS = 3,
	EXC_ADEL = 4,
	EXC_ADES = 5,
	EXC_IBE = 6,
	EXC_DBE = 7,
	EXC_SYS = 8,
	EXC_BP = 9,
	EXC_RI = 10,
	EXC_CPU = 11,
	EXC_OV = 12,
	EXC_TR = 13,
	EXC_MSAFPE = 14,
	EXC_FPE = 15,
	EXC_TLBRI = 19,
	EXC_TLBXI = 20,
	EXC_MSADIS = 21,
	EXC_WATCH = 23,
	EXC_MCHECK = 24,
	EXC_NONE = 32,
};

#define EBASE_CPUNUM 0x3ffu
#define CONFIG5_SBRI (1u << 6)

/* EntryLo: page at "physical" address pa. RI and XI are the top bits of the 64-bit register. */
#define LO_G	  1ull
#define LO_V	  2ull
#define LO_D	  4ull
#define LO_C	  (3ull << 3)
#define LO_XI	  (1ull << 62)
#define LO_RI	  (1ull << 63)
#define LO_PA(pa) ((((u64)(pa)) >> 12) << 6)
#define LO_RW(pa) (LO_PA(pa) | LO_C | LO_V | LO_D)

#define HI_EHINV   (1ull << 10)
#define HI_ASID	   0x3ffull
#define HI_VPN(va) ((va)&0xc000ffffffffe000ull)

/* PageMask values: the sizes that the hardware has, 4 KB times a power of four. */
#define PM_SIZE(bytes) ((u32)((((u64)(bytes)) * 2 - 1) & ~0x1fffull))

/* di and ei, the instructions: the old Status. */
static inline u32 cp0_di(void)
{
	u64 v;
	asm volatile("di %0\n\tehb" : "=r"(v) : : "memory");
	return (u32)v;
}

static inline u32 cp0_ei(void)
{
	u64 v;
	asm volatile("ei %0\n\tehb" : "=r"(v) : : "memory");
	return (u32)v;
}

static inline void cp0_wait(void) { asm volatile("wait" : : : "memory"); }

#endif /* GUESTS_LIB_CP0_H */
