/* SPDX-License-Identifier: MIT */
/*
 * The exception vectors, at the offsets of MD00091 table 6.2; CP0 EBase of every node points here, to the start of a page
 * (boot/disco.ld), in which what they branch to is, too. Guests run with EXL = 0 in supervisor or user mode, the monitor
 * itself in kernel mode (KSU = 0) and in unmapped segments only: an exception with KSU = 0 is a bug of the monitor.
 */
#include "arch/mips/regs.h"
#include "asm-offsets.h"
#include "kernel/mem/l2tlb.h"

	.set	noreorder
	.set	noat

	.section .vectors, "ax"
	.cfi_sections .debug_frame
	.globl	vectors
vectors:
	.cfi_startproc
	.cfi_undefined 31		/* for gdb: what came here is no caller */

	/* 0x000, TLB refill: user mode with UX = 0 only, which is rare */
	.org	VEC_TLB
	dmtc0	$k0, C0_KSCRATCH(KS_K0)
	mfc0	$k0, C0_STATUS
	andi	$k0, $k0, STATUS_KSU
	beqz	$k0, monitor_trap
	dmtc0	$k1, C0_KSCRATCH(KS_K1)
	j	guest_exit
	nop

	/*
	 * 0x080, XTLB refill. Budget: 25 instructions from a hit's first to its ERETNC, in both segments.
	 * ledger: k0 = EntryHi, the tag; k1 = index, scratch; at = entry
	 */
	.org	VEC_XTLB
	.globl	vector_xtlb
vector_xtlb:
	dmtc0	$k0, C0_KSCRATCH(KS_K0)	# 1
	dmtc0	$k1, C0_KSCRATCH(KS_K1)	# 2
	dmtc0	$at, C0_KSCRATCH(KS_AT)	# 3
	dmfc0	$k0, C0_ENTRYHI		# 4  EntryHi: R, VPN2, machine ASID
	dsrl	$at, $k0, 62		# 5  R
	bnez	$at, refill_supervisor	# 6
	dsrl	$k1, $k0, L2TLB_VPN2_SHIFT # 7  (delay slot)
	xor	$k1, $k1, $k0		# 8  l2tlb_index() in its low bits
	.macro	L2TLB_HIT
	dmfc0	$at, C0_KSCRATCH(KS_L2TLB) # 9  aligned to its size
	dins	$at, $k1, L2TLB_ENTRY_SHIFT, L2TLB_SHIFT # 10
	ld	$k1, L2TLB_TAG($at)	# 11
	bne	$k1, $k0, refill_miss	# 12
	dmfc0	$k1, C0_EPC		# 13 (delay slot) EPC
	andi	$k1, $k1, 1		# 14 odd: see arch_run
	bnez	$k1, refill_miss	# 15
	lw	$k0, L2TLB_LO0($at)	# 16 (delay slot)
	mtc0	$k0, C0_ENTRYLO0	# 17 EntryLo0
	lw	$k0, L2TLB_LO1($at)	# 18
	mtc0	$k0, C0_ENTRYLO1	# 19 EntryLo1; PageMask is always 0 here
	dmfc0	$at, C0_KSCRATCH(KS_AT)	# 20
	dmfc0	$k1, C0_KSCRATCH(KS_K1)	# 21
	dmfc0	$k0, C0_KSCRATCH(KS_K0)	# 22
	ehb				# 23
	tlbwr				# 24
	eretnc				# 25 keeps a guest's LL reservation
	.endm
	L2TLB_HIT

	.org	VEC_CACHE
	dmtc0	$k0, C0_KSCRATCH(KS_K0)
	j	monitor_trap
	dmtc0	$k1, C0_KSCRATCH(KS_K1)

	.org	VEC_GENERAL
	dmtc0	$k0, C0_KSCRATCH(KS_K0)	# 1
	mfc0	$k0, C0_STATUS		# 2
	andi	$k0, $k0, STATUS_KSU	# 3
	beqz	$k0, monitor_trap	# 4
	dmtc0	$k1, C0_KSCRATCH(KS_K1)	# 5
	mfc0	$k1, C0_CAUSE		# 6
	bltz	$k1, 1f			# 7  BD: not for the fast paths
	dext	$k1, $k1, CAUSE_CODE_SHIFT, 5 # 8
	addiu	$k1, $k1, -EXC_CPU	# 9
	.globl	vector_fast_eret, vector_fast_syscall
vector_fast_eret:
	beqz	$k1, fast_eret		# 10
	addiu	$k1, $k1, EXC_CPU - EXC_SYS # 11
vector_fast_syscall:
	beqz	$k1, fast_syscall	# 12
	addiu	$k1, $k1, EXC_SYS - EXC_TLBL # 13
	sltiu	$k1, $k1, 2		# TLBL, TLBS: not valid
	bnez	$k1, walk_invalid
	nop
1:	j	guest_exit
	nop

	.org	VEC_INT
	dmtc0	$k0, C0_KSCRATCH(KS_K0)
	mfc0	$k0, C0_STATUS
	andi	$k0, $k0, STATUS_KSU
	beqz	$k0, monitor_trap
	dmtc0	$k1, C0_KSCRATCH(KS_K1)
	j	guest_exit
	nop

	/*
	 * A window's pair of large pages, else the same lookup with ASID 0. Budget: 37 instructions to ERETNC in xsseg, 43 in
	 * csseg, but a pair serves up to 512 KB. in: at = R, k0 = EntryHi
	 */
refill_supervisor:
	addiu	$at, $at, -1		# 8
	beqz	$at, 1f			# 9  xsseg
	dsll	$k1, $k0, 64 - SEGBITS	# 10 without R
	dsll	$at, $k0, 64 - SEGBITS	# csseg: its window? Bits 47..28 are 0xffffc
	dsra	$at, $at, 64 - SEGBITS + 28
	daddiu	$at, $at, 4
	bnez	$at, 2f
	dsll	$k1, $k0, 64 - 28
	dsrl	$k1, $k1, SEGBITS - 28
1:	dsrl	$k1, $k1, 64 - SEGBITS + WINDOW_SHIFT # 11 number of the word
	dmfc0	$at, C0_KSCRATCH(KS_VCPU) # 12
	ld	$at, VCPU_NLARGE($at)	# 13
	sltu	$at, $k1, $at		# 14
	beqz	$at, 2f			# 15 not the VM's memory
	dmfc0	$at, C0_KSCRATCH(KS_VCPU) # 16 (delay slot)
	ld	$at, VCPU_LARGE($at)	# 17
	dlsa	$at, $k1, $at, 3	# 18
	ld	$at, 0($at)		# 19 EntryLo, PageMask
	beqz	$at, 2f			# 20 page by page
	dmfc0	$k1, C0_EPC		# 21 (delay slot)
	.globl	vector_window
vector_window:
	andi	$k1, $k1, 1		# 22
	bnez	$k1, 2f			# 23 odd pc
	dsrl	$k1, $at, WINDOW_MASK_SHIFT # 24 (delay slot)
	mtc0	$k1, C0_PAGEMASK	# 25
	dmtc0	$at, C0_ENTRYLO0	# 26
	daddiu	$k1, $k1, 0x2000	# 27 twice the size of a page
	dsrl	$k1, $k1, 7		# 28 the size, as PFN
	daddu	$at, $at, $k1		# 29
	dmtc0	$at, C0_ENTRYLO1	# 30
	dmfc0	$at, C0_KSCRATCH(KS_AT)	# 31
	dmfc0	$k1, C0_KSCRATCH(KS_K1)	# 32
	dmfc0	$k0, C0_KSCRATCH(KS_K0)	# 33
	ehb				# 34
	tlbwr				# 35
	mtc0	$zero, C0_PAGEMASK	# 36
	eretnc				# 37
2:	dsrl	$k1, $k0, L2TLB_VPN2_SHIFT
	dins	$k0, $zero, 0, 13
	L2TLB_HIT

refill_miss:
	mfc0	$k1, C0_STATUS
	andi	$k1, $k1, STATUS_KSU
	beqz	$k1, monitor_trap
	nop
	j	walk_fast
	nop
	.cfi_endproc
