/* SPDX-License-Identifier: MIT */
/*
 * The exception vectors, one page, at the offsets of MD00091 table 6.2; CP0 EBase of every node points here. Guests
 * run with EXL = 0 in supervisor or user mode, the monitor itself in kernel mode (KSU = 0) and in
 * unmapped segments only: an exception with KSU = 0 is a bug of the monitor.
 */
#include "arch/mips/regs.h"
#include "asm-offsets.h"
#include "kernel/l2tlb.h"

	.set	noreorder
	.set	noat

	.section .vectors, "ax"
	.balign	4096
	.globl	vectors
vectors:

	/* 0x000, TLB refill: user mode with UX = 0 only, which is rare */
	.org	VEC_TLB
	dmtc0	$26, $31, KS_K0
	mfc0	$26, $12
	andi	$26, $26, STATUS_KSU
	beqz	$26, monitor_trap
	dmtc0	$27, $31, KS_K1
	j	guest_exit
	nop

	/*
	 * 0x080, XTLB refill. Budget: 25 instructions from a hit's first to its ERETNC, in both segments.
	 * ledger: k0 = EntryHi, the tag; k1 = index, scratch; at = entry
	 */
	.org	VEC_XTLB
	.globl	vector_xtlb
vector_xtlb:
	dmtc0	$26, $31, KS_K0		# 1
	dmtc0	$27, $31, KS_K1		# 2
	dmtc0	$1, $31, KS_AT		# 3
	dmfc0	$26, $10		# 4  EntryHi: R, VPN2, machine ASID
	dsrl	$1, $26, 62		# 5  R
	bnez	$1, refill_supervisor	# 6
	dsrl	$27, $26, L2TLB_VPN2_SHIFT # 7  (delay slot)
	xor	$27, $27, $26		# 8  l2tlb_index() in its low bits
	.macro	L2TLB_HIT
	dmfc0	$1, $31, KS_L2TLB	# 9  aligned to its size
	dins	$1, $27, L2TLB_ENTRY_SHIFT, L2TLB_SHIFT # 10
	ld	$27, L2TLB_TAG($1)	# 11
	bne	$27, $26, refill_miss	# 12
	dmfc0	$27, $14		# 13 (delay slot) EPC
	andi	$27, $27, 1		# 14 odd: see arch_run
	bnez	$27, refill_miss	# 15
	ld	$26, L2TLB_LO0($1)	# 16 (delay slot)
	dmtc0	$26, $2			# 17 EntryLo0
	ld	$26, L2TLB_LO1($1)	# 18
	dmtc0	$26, $3			# 19 EntryLo1; PageMask is always 0 here
	dmfc0	$1, $31, KS_AT		# 20
	dmfc0	$27, $31, KS_K1		# 21
	dmfc0	$26, $31, KS_K0		# 22
	ehb				# 23
	tlbwr				# 24
	eretnc				# 25 keeps a guest's LL reservation
	.endm
	L2TLB_HIT

	.org	VEC_CACHE
	dmtc0	$26, $31, KS_K0
	j	monitor_trap
	dmtc0	$27, $31, KS_K1

	.org	VEC_GENERAL
	dmtc0	$26, $31, KS_K0
	mfc0	$26, $12
	andi	$26, $26, STATUS_KSU
	beqz	$26, monitor_trap
	dmtc0	$27, $31, KS_K1
	j	guest_exit
	nop

	.org	VEC_INT
	dmtc0	$26, $31, KS_K0
	mfc0	$26, $12
	andi	$26, $26, STATUS_KSU
	beqz	$26, monitor_trap
	dmtc0	$27, $31, KS_K1
	j	guest_exit
	nop

	/* The same lookup with ASID 0: k0 = EntryHi, k1 = EntryHi >> 13. */
refill_supervisor:
	dins	$26, $0, 0, 13		# 8
	L2TLB_HIT

refill_miss:
	mfc0	$26, $12
	andi	$26, $26, STATUS_KSU
	beqz	$26, monitor_trap
	dmfc0	$1, $31, KS_AT
	j	guest_exit
	nop
	.org	0x1000
