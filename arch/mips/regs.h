/* SPDX-License-Identifier: MIT */
/*
 * The names of MIPS64R6 CP0 registers, fields and exception codes (MD00091, chapter 9) as plain
 * constants, for C and assembly. No accessors (cp0.h) and nothing about guests (cp0.def).
 */
#ifndef ARCH_MIPS_REGS_H
#define ARCH_MIPS_REGS_H

/* Status (12, 0) */
#define STATUS_IE	0x00000001
#define STATUS_EXL	0x00000002
#define STATUS_ERL	0x00000004
#define STATUS_KSU	0x00000018
#define STATUS_KSU_S	0x00000008 /* supervisor */
#define STATUS_KSU_U	0x00000010 /* user */
#define STATUS_UX	0x00000020
#define STATUS_SX	0x00000040
#define STATUS_KX	0x00000080
#define STATUS_IM_SHIFT 8
#define STATUS_IM	0x0000ff00
#define STATUS_BEV	0x00400000
#define STATUS_PX	0x00800000
#define STATUS_FR	0x04000000
#define STATUS_CU0	0x10000000
#define STATUS_CU1	0x20000000

/* Cause (13, 0) */
#define CAUSE_CODE_SHIFT 2
#define CAUSE_CODE	 0x0000007c
#define CAUSE_IP_SHIFT	 8
#define CAUSE_IP	 0x0000ff00
#define CAUSE_IP01	 0x00000300 /* the two software interrupts */
#define CAUSE_IV	 0x00800000
#define CAUSE_CE	 0x30000000
#define CAUSE_CE_SHIFT	 28
#define CAUSE_TI	 0x40000000
#define CAUSE_BD	 0x80000000

/* Exception codes, Cause.ExcCode */
#define EXC_INT	   0
#define EXC_MOD	   1
#define EXC_TLBL   2
#define EXC_TLBS   3
#define EXC_ADEL   4
#define EXC_ADES   5
#define EXC_IBE	   6
#define EXC_DBE	   7
#define EXC_SYS	   8
#define EXC_BP	   9
#define EXC_RI	   10
#define EXC_CPU	   11
#define EXC_OV	   12
#define EXC_TR	   13
#define EXC_MSAFPE 14
#define EXC_FPE	   15
#define EXC_TLBRI  19
#define EXC_TLBXI  20
#define EXC_MSADIS 21
#define EXC_WATCH  23
#define EXC_MCHECK 24
#define EXC_CODES  32

/* Vector offsets from EBase */
#define VEC_TLB	    0x000
#define VEC_XTLB    0x080
#define VEC_CACHE   0x100
#define VEC_GENERAL 0x180
#define VEC_INT	    0x200

/* EntryLo0/1 (2, 0), (3, 0), 64-bit form */
#define ENTRYLO_G	  0x01
#define ENTRYLO_V	  0x02
#define ENTRYLO_D	  0x04
#define ENTRYLO_C	  0x38
#define ENTRYLO_C_WB	  0x18 /* cacheable, coherent as the platform has it */
#define ENTRYLO_PFN_SHIFT 6
#define ENTRYLO_PFN	  0x3fffffffc0 /* 32 bits of frame number are ours: 44-bit addresses */
#define ENTRYLO_XI	  0x4000000000000000
#define ENTRYLO_RI	  0x8000000000000000
/*
 * A page of a pair that is not there. When it comes its entry gains rights, which QEMU's TLBWI does at once; if it lost one,
 * of XI and RI too, TLBWI would drop all entries that QEMU keeps behind the TLB, page by page (docs/machine.md).
 */
#define ENTRYLO_NONE (ENTRYLO_RI | ENTRYLO_XI)

/* EntryHi (10, 0) */
#define ENTRYHI_ASID  0x3ff
#define ENTRYHI_EHINV 0x400
#define ENTRYHI_VPN2  0xc000ffffffffe000 /* R and VPN2, SEGBITS = 48 */
#define SEGBITS	      48

/* PageGrain (5, 1) */
#define PAGEGRAIN_IEC  0x08000000
#define PAGEGRAIN_ELPA 0x20000000
#define PAGEGRAIN_XIE  0x40000000
#define PAGEGRAIN_RIE  0x80000000

#define CONFIG1_MMUSIZE_SHIFT 25
#define CONFIG1_MMUSIZE	      (0x3fu << CONFIG1_MMUSIZE_SHIFT) /* TLB entries less one */

#define CONFIG5_SBRI  0x40
#define HWRENA_CPUNUM 0x1
#define HWRENA_SYNCI  0x2
#define HWRENA_CC     0x4
#define HWRENA_CCRES  0x8
#define HWRENA_GUEST  0x2000000e /* what guests may have: the processor's number is virtual */
#define HWRENA_ULR    0x20000000

#define EBASE_CPUNUM 0x3ff
#define EBASE_WG     0x800

#define INDEX_P 0x80000000

/*
 * The windows' large pages: 4 KB times 4^n, at most what mmu_largest_pair() says. A view has a word for
 * each pair of the smallest (struct pmap_view): the pair's even EntryLo with its PageMask above the page number of
 * EntryLo, and below RI and XI, which are 0.
 */
#define WINDOW_SHIFT	  15 /* a pair of the smallest, 2 x 16 KB */
#define WINDOW_MASK_SHIFT 41

/* Page tables that walk_fast.S knows: shift and index bits of root, middle, last; addresses below 1
 * << WALK_TOP. */
#define WALK_SHIFT0 30
#define WALK_BITS0  10
#define WALK_SHIFT1 21
#define WALK_BITS1  9
#define WALK_BITS2  9
#define WALK_TOP    40
#define WALK_ROOTS  2 /* pages of a root */

/*
 * KScratch (31, 2..7) as the monitor uses them; guests see virtual ones. K0, K1, AT hold those
 * registers between the vector and the save area, the rest are fixed while a VCPU runs.
 */
#define KS_VCPU	 2 /* struct vcpu that runs on this node */
#define KS_K0	 3
#define KS_K1	 4
#define KS_AT	 5
#define KS_L2TLB 6 /* its L2TLB */
#define KS_NODE	 7 /* struct node of this processor */

#ifdef __ASSEMBLER__
// clang-format off
/* The registers of CP0 as MFC0 and MTC0 name them: number, select. In C they are cp0.h's. */
#define C0_INDEX     $0
#define C0_ENTRYLO0  $2
#define C0_ENTRYLO1  $3
#define C0_USERLOCAL $4, 2
#define C0_PAGEMASK  $5
#define C0_BADVADDR  $8
#define C0_BADINSTR  $8, 1
#define C0_BADINSTRP $8, 2
#define C0_COUNT     $9
#define C0_ENTRYHI   $10
#define C0_STATUS    $12
#define C0_CAUSE     $13
#define C0_EPC       $14
#define C0_KSCRATCH(n) $31, n
#define C1_FCSR   $31 /* by CFC1, CTC1 */
// clang-format on
#endif

#endif /* ARCH_MIPS_REGS_H */
