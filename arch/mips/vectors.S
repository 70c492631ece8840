/* SPDX-License-Identifier: MIT */
/*
 * The exception vectors, one page, at the offsets of MD00091 table 6.2; CP0 EBase of every node points here. Guests
 * run with EXL = 0 in supervisor or user mode, the monitor itself in kernel mode (KSU = 0) and in
 * unmapped segments only: an exception with KSU = 0 is a bug of the monitor.
 */
#include "arch/mips/regs.h"
#include "asm-offsets.h"
#include "kernel/mem/l2tlb.h"

	.set	noreorder
	.set	noat

	.section .vectors, "ax"
	.balign	4096
	.cfi_sections .debug_frame
	.globl	vectors
vectors:
	.cfi_startproc
	.cfi_undefined 31		/* for gdb: what came here is no caller */

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
	dmtc0	$26, $31, KS_K0		# 1
	mfc0	$26, $12		# 2
	andi	$26, $26, STATUS_KSU	# 3
	beqz	$26, monitor_trap	# 4
	dmtc0	$27, $31, KS_K1		# 5
	mfc0	$27, $13		# 6
	bltz	$27, 1f			# 7  BD: not for the fast paths
	dext	$27, $27, CAUSE_CODE_SHIFT, 5 # 8
	addiu	$27, $27, -EXC_CPU	# 9
	.globl	vector_fast_eret, vector_fast_syscall
vector_fast_eret:
	beqz	$27, fast_eret		# 10
	addiu	$27, $27, EXC_CPU - EXC_SYS # 11
vector_fast_syscall:
	beqz	$27, fast_syscall	# 12
	addiu	$27, $27, EXC_SYS - EXC_TLBL # 13
	sltiu	$27, $27, 2		# TLBL, TLBS: not valid
	bnez	$27, walk_invalid
	nop
1:	j	guest_exit
	nop

	.org	VEC_INT
	dmtc0	$26, $31, KS_K0
	mfc0	$26, $12
	andi	$26, $26, STATUS_KSU
	beqz	$26, monitor_trap
	dmtc0	$27, $31, KS_K1
	j	guest_exit
	nop

	/*
	 * A window's large page, else the same lookup with ASID 0. Budget: 37 instructions to ERETNC, but a large pair serves
	 * 512 KB. in: at = R, k0 = EntryHi, k1 = EntryHi >> 13
	 */
refill_supervisor:
	addiu	$1, $1, -1		# 8
	beqz	$1, 1f			# 9  xsseg
	dext	$27, $26, WINDOW_BLOCK_SHIFT, 28 # 10 number of the block
	dext	$27, $26, 28, 20	# csseg: its window?
	xori	$27, $27, 0xfffc
	dext	$1, $26, 44, 4
	xori	$1, $1, 0xf
	or	$1, $1, $27
	ins	$1, $0, 16, 16
	bnez	$1, 2f
	dext	$27, $26, WINDOW_BLOCK_SHIFT, 28 - WINDOW_BLOCK_SHIFT
1:	dmfc0	$1, $31, KS_VCPU	# 11
	ld	$1, VCPU_NBLOCKS($1)	# 12
	sltu	$1, $27, $1		# 13
	beqz	$1, 2f			# 14 not the VM's memory
	dmfc0	$1, $31, KS_VCPU	# 15 (delay slot)
	ld	$1, VCPU_BLOCKS($1)	# 16
	dlsa	$1, $27, $1, 3		# 17
	ld	$1, 0($1)		# 18
	beqz	$1, 2f			# 19 not used yet, or broken
	dext	$27, $26, WINDOW_SHIFT + 1, WINDOW_BLOCK_SHIFT - 1 - WINDOW_SHIFT # 20 (delay slot) pair within
	.globl	vector_window
vector_window:
	dins	$1, $27, WINDOW_SHIFT + 1 - 6, WINDOW_BLOCK_SHIFT - 1 - WINDOW_SHIFT # 21
	dmtc0	$1, $2			# 22
	daddiu	$1, $1, 1 << (WINDOW_SHIFT - 6) # 23
	dmtc0	$1, $3			# 24
	dmfc0	$27, $14		# 25
	andi	$27, $27, 1		# 26
	bnez	$27, 2f			# 27 odd pc
	lui	$27, PAGEMASK_WINDOW >> 16 # 28 (delay slot)
	ori	$27, $27, PAGEMASK_WINDOW & 0xffff # 29
	mtc0	$27, $5			# 30
	dmfc0	$1, $31, KS_AT		# 31
	dmfc0	$27, $31, KS_K1		# 32
	dmfc0	$26, $31, KS_K0		# 33
	ehb				# 34
	tlbwr				# 35
	mtc0	$0, $5			# 36
	eretnc				# 37
2:	dsrl	$27, $26, L2TLB_VPN2_SHIFT
	dins	$26, $0, 0, 13
	L2TLB_HIT

refill_miss:
	mfc0	$27, $12
	andi	$27, $27, STATUS_KSU
	beqz	$27, monitor_trap
	nop
	j	walk_fast
	nop
	.org	0x1000
	.cfi_endproc
