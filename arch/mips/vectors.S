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

	/* 0x000, TLB refill: only with KX = 0, which never is */
	.org	VEC_TLB
	dmtc0	$26, $31, KS_K0
	j	monitor_trap
	dmtc0	$27, $31, KS_K1

	/*
	 * 0x080, XTLB refill. Budget: 25 instructions from a hit's first to its ERETNC, in both segments.
	 * ledger: k0 = EntryHi, the tag; k1 = entry; at = scratch
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
	xor	$27, $27, $26		# 8  l2tlb_index()
	andi	$27, $27, L2TLB_ENTRIES - 1 # 9
	dsll	$27, $27, L2TLB_ENTRY_SHIFT # 10
	dmfc0	$1, $31, KS_L2TLB	# 11
	daddu	$27, $27, $1		# 12
	ld	$1, L2TLB_TAG($27)	# 13
	bne	$1, $26, refill_miss	# 14
	ld	$26, L2TLB_LO0($27)	# 15 (delay slot)
	dmtc0	$26, $2			# 16 EntryLo0
	ld	$26, L2TLB_LO1($27)	# 17
	dmtc0	$26, $3			# 18 EntryLo1; PageMask is always 0 here
	dmfc0	$1, $31, KS_AT		# 19
	dmfc0	$27, $31, KS_K1		# 20
	dmfc0	$26, $31, KS_K0		# 21
	ehb				# 22
	tlbwr				# 23
	eretnc				# 24 keeps a guest's LL reservation

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

	/* The same lookup with ASID 0: at = R, k0 = EntryHi, k1 = EntryHi >> 13. */
refill_supervisor:
	dins	$26, $0, 0, 13		# 8
	andi	$27, $27, L2TLB_ENTRIES - 1 # 9
	dsll	$27, $27, L2TLB_ENTRY_SHIFT # 10
	dmfc0	$1, $31, KS_L2TLB	# 11
	daddu	$27, $27, $1		# 12
	ld	$1, L2TLB_TAG($27)	# 13
	bne	$1, $26, refill_miss	# 14
	ld	$26, L2TLB_LO0($27)	# 15
	dmtc0	$26, $2			# 16
	ld	$26, L2TLB_LO1($27)	# 17
	dmtc0	$26, $3			# 18
	dmfc0	$1, $31, KS_AT		# 19
	dmfc0	$27, $31, KS_K1		# 20
	dmfc0	$26, $31, KS_K0		# 21
	ehb				# 22
	tlbwr				# 23
	eretnc				# 24

refill_miss:
	mfc0	$26, $12
	andi	$26, $26, STATUS_KSU
	beqz	$26, monitor_trap
	dmfc0	$1, $31, KS_AT
	j	guest_exit
	nop
	.org	0x1000
