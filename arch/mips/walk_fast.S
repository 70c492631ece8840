/* SPDX-License-Identifier: MIT */
/*
 * An L2TLB miss at a user address, served from the guest's page tables without the C side: what walk.c does when nothing is
 * unusual. For tables of Linux's shape (walk.c, is_fast), reached through xsseg, whose entry is valid and whose pages the VM has
 * already. Everything else - a fault, accessed and dirty bits, first touches, supervisor addresses - is walk.c's, by guest_exit.
 * Budget: 125 instructions with the vector's. in: k0 = EntryHi, at = L2TLB entry to fill, EXL = 1; k0, k1 and at of
 * the guest in KS_K0, KS_K1, KS_AT.
 */
#include "arch/mips/regs.h"
#include "asm-offsets.h"
#include "kernel/l2tlb.h"

	.set	noreorder
	.set	noat
	.section .text.entry, "ax"

#define vcpu	$27
#define slot	$1
#define tag	$26
#define table	$2	/* then the pair's even entry */
#define other	$3	/* odd entry */
#define t	$4
#define u	$5
#define phys	$6	/* 0x98 << 56: XKPHYS, cached */

	/* reg: guest physical page number in t -> the machine's EntryLo of it; leaves for the C side if there is none */
	.macro	PMAP reg
	ld	u, VCPU_PMAP_PAGES(vcpu)
	sltu	u, t, u
	beqz	u, leave
	ld	u, VCPU_PMAP_LO(vcpu)
	dlsa	t, t, u, 3
	ld	\reg, 0(t)
	beqz	\reg, leave
	.endm

	/* table: xsseg address of the next level -> machine pointer */
	.macro	TO_MACHINE
	dsrl	t, table, 62
	daddiu	t, t, -1
	bnez	t, leave		# not in xsseg
	dsll	t, table, 2
	dsrl	t, t, 14		# page number
	PMAP	table
	dsrl	table, table, ENTRYLO_PFN_SHIFT	# (delay slot of PMAP's last branch)
	dsll	table, table, 12
	daddu	table, table, phys
	.endm

	/* reg: an entry as EntryLo -> the machine's, with the guest's V, D, RI, XI; 0 if it is not valid */
	.macro	TRANSLATE reg
	andi	t, \reg, ENTRYLO_V
	beqz	t, 1f
	dext	t, \reg, ENTRYLO_PFN_SHIFT, 32
	PMAP	u
	dext	t, \reg, 2, 1		# D (delay slot of PMAP's last branch)
	xori	t, t, 1
	dsll	t, t, 2
	or	u, u, t
	xor	u, u, t			# without D if the guest's has none
	dsrl	t, \reg, 62
	b	2f
	dinsu	u, t, 62, 2		# RI, XI
1:	move	u, $0
2:	move	\reg, u
	.endm

	.globl	walk_fast
walk_fast:
	dmfc0	vcpu, $31, KS_VCPU
	sd	$2, VCPU_GPR + 8 * 2(vcpu)
	sd	$3, VCPU_GPR + 8 * 3(vcpu)
	sd	$4, VCPU_GPR + 8 * 4(vcpu)
	sd	$5, VCPU_GPR + 8 * 5(vcpu)
	sd	$6, VCPU_GPR + 8 * 6(vcpu)
	ld	table, VCPU_WALK_ROOT(vcpu)
	dmfc0	other, $8		# BadVAddr
	beqz	table, leave
	dsrl	t, other, WALK_TOP
	bnez	t, leave		# supervisor's, or above the tables
	dmfc0	t, $14
	andi	t, t, 1
	bnez	t, leave		# odd pc: arch_run
	li	phys, 0x13
	dsll	phys, phys, 59
	dext	t, other, WALK_SHIFT0, WALK_BITS0
	dlsa	t, t, table, 3
	ld	table, 0(t)
	TO_MACHINE
	dext	t, other, WALK_SHIFT1, WALK_BITS1
	dlsa	t, t, table, 3
	ld	table, 0(t)
	TO_MACHINE
	dext	t, other, 13, WALK_BITS2 - 1
	dlsa	t, t, table, 4
	andi	phys, other, 0x1000	# which of the pair; phys has served
	ld	u, VCPU_WALK_ROTATE(vcpu)
	ld	table, 0(t)
	ld	other, 8(t)
	drotrv	table, table, u
	drotrv	other, other, u
	selnez	t, other, phys
	seleqz	u, table, phys
	or	t, t, u
	andi	t, t, ENTRYLO_V
	beqz	t, leave
	nop
	TRANSLATE table
	TRANSLATE other
	sd	table, L2TLB_LO0(slot)
	sd	other, L2TLB_LO1(slot)
	sd	tag, L2TLB_TAG(slot)
	dmtc0	table, $2
	dmtc0	other, $3
	ld	$2, VCPU_GPR + 8 * 2(vcpu)
	ld	$3, VCPU_GPR + 8 * 3(vcpu)
	ld	$4, VCPU_GPR + 8 * 4(vcpu)
	ld	$5, VCPU_GPR + 8 * 5(vcpu)
	ld	$6, VCPU_GPR + 8 * 6(vcpu)
	dmfc0	$1, $31, KS_AT
	dmfc0	$27, $31, KS_K1
	dmfc0	$26, $31, KS_K0
	ehb
	tlbwr
	eretnc

	/* nothing has changed yet */
leave:
	ld	$2, VCPU_GPR + 8 * 2(vcpu)
	ld	$3, VCPU_GPR + 8 * 3(vcpu)
	ld	$4, VCPU_GPR + 8 * 4(vcpu)
	ld	$5, VCPU_GPR + 8 * 5(vcpu)
	ld	$6, VCPU_GPR + 8 * 6(vcpu)
	j	guest_exit
	dmfc0	$1, $31, KS_AT
