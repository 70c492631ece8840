/* SPDX-License-Identifier: MIT */
/*
 * TLB misses at user addresses, served from the guest's page tables without the C side: what walk.c does when nothing is
 * unusual. For tables of Linux's shape (walk.c, is_fast), reached through xsseg. An entry that is valid is filled in, if the VM
 * has its pages already; one that is not present is the guest's page fault, delivered. Everything else - accessed and dirty
 * bits, first touches, delay slots of a fault, supervisor addresses - is walk.c's, by guest_exit.
 * Costs, with the refill vector's: 158 instructions for a fill of two pages, and up to 14 for each that has other translations
 * already; 137 for a delivery. In: EXL = 1; k0, k1 and at of the guest in KS_K0, KS_K1, KS_AT; at walk_fast k0 = EntryHi,
 * at = L2TLB entry to fill.
 */
#include "arch/mips/regs.h"
#include "arch/mips/special.h"
#include "asm-offsets.h"
#include "kernel/mem/l2tlb.h"

	.set	noreorder
	.set	noat
	.section .text.entry, "ax"
	.cfi_sections .debug_frame
	.cfi_startproc
	.cfi_undefined 31		/* for gdb: what came here is a guest */

#define vcpu	$k1
#define slot	$at
#define tag	$k0
#define table	$v0	/* then the pair's even entry */
#define other	$v1	/* odd entry */
#define t	$a0
#define u	$a1
#define phys	$a2	/* 0x98 << 56: XKPHYS, cached */
#define back	$a2	/* later */

	/* the guest's v0, v1, a0, a1, a2, which walk_fast saves */
	.macro	RESTORE
	ld	$v0, VCPU_GPR + 8 * 2(vcpu)
	ld	$v1, VCPU_GPR + 8 * 3(vcpu)
	ld	$a0, VCPU_GPR + 8 * 4(vcpu)
	ld	$a1, VCPU_GPR + 8 * 5(vcpu)
	ld	$a2, VCPU_GPR + 8 * 6(vcpu)
	.endm

	/*
	 * reg: guest physical page number in t -> the machine's EntryLo of it, t its struct pmap_entry; leaves for the C side if
	 * it is none of the VM's, and for \not_shown if the view does not show it
	 */
	.macro	PMAP reg, not_shown=leave
	ld	u, VCPU_PMAP_PAGES(vcpu)
	sltu	u, t, u
	beqz	u, leave
	ld	u, VCPU_PMAP_ENTRY(vcpu)
	dlsa	t, t, u, 4
	ld	\reg, 0(t)
	beqz	\reg, \not_shown
	.endm

	/* table: xsseg address of the next level -> machine pointer */
	.macro	TO_MACHINE
	dsrl	t, table, 62
	daddiu	t, t, -1
	bnez	t, leave		# not in xsseg
	dsll	t, table, 2
	dsrl	t, t, 14		# page number
	PMAP	table
	dsrl	table, table, ENTRYLO_PFN_SHIFT # (delay slot of PMAP's last branch)
	dsll	table, table, 12
	daddu	table, table, phys
	.endm

	/*
	 * reg: an entry as EntryLo -> the machine's, as the L2TLB has it, with the guest's V, D, RI, XI; none if it is not
	 * valid, or if the view does not show the page and it is not the one that missed, which \if_missed says of the bit in t
	 */
	.macro	TRANSLATE reg, if_missed
	andi	t, \reg, ENTRYLO_V
	beqz	t, 1f
	dext	t, \reg, ENTRYLO_PFN_SHIFT, 32
	PMAP	u, 4f
	ld	back, PMAP_BACK(t)	# pmap_note (delay slot of PMAP's last branch)
	beq	back, tag, 3f
	nop
	bnez	back, 5f
	nop
	sd	tag, PMAP_BACK(t)
3:	dext	t, \reg, 2, 1		# D
	xori	t, t, 1
	dsll	t, t, 2
	or	u, u, t
	xor	u, u, t			# without D if the guest's has none
	dsrl	t, \reg, 62
	b	2f
	dins	u, t, L2TLB_RIGHTS_SHIFT, 2
5:	andi	u, back, L2TLB_NO_TAG	# several, of which back has the parts of the L2TLB
	bnez	u, 6f
	li	tag, 1
	dsrl	u, back, L2TLB_VPN2_SHIFT # one until now
	xor	u, u, back
	dext	u, u, L2TLB_PART_SHIFT, L2TLB_SHIFT - L2TLB_PART_SHIFT
	dsllv	back, tag, u
6:	dext	u, slot, L2TLB_ENTRY_SHIFT + L2TLB_PART_SHIFT, L2TLB_SHIFT - L2TLB_PART_SHIFT
	dsllv	tag, tag, u
	or	back, back, tag
	ori	back, back, L2TLB_NO_TAG
	sd	back, PMAP_BACK(t)
	dmfc0	tag, C0_ENTRYHI
	b	3b
	ld	u, 0(t)
4:	dmfc0	t, C0_BADVADDR
	andi	t, t, 0x1000
	\if_missed	t, leave
1:	li	u, -1			# ENTRYLO_NONE (delay slot)
	dsll	u, u, L2TLB_RIGHTS_SHIFT
2:	move	\reg, u
	.endm

	/* TLBL and TLBS of the general vector: an entry is there, and not valid. */
	.globl	walk_invalid
walk_invalid:
	dmtc0	$at, C0_KSCRATCH(KS_AT)
	dmfc0	tag, C0_ENTRYHI
	dsrl	$k1, tag, L2TLB_VPN2_SHIFT
	xor	$k1, $k1, tag
	dmfc0	slot, C0_KSCRATCH(KS_L2TLB)
	dins	slot, $k1, L2TLB_ENTRY_SHIFT, L2TLB_SHIFT

	.globl	walk_fast
walk_fast:
	dmfc0	vcpu, C0_KSCRATCH(KS_VCPU)
	sd	$v0, VCPU_GPR + 8 * 2(vcpu)
	sd	$v1, VCPU_GPR + 8 * 3(vcpu)
	sd	$a0, VCPU_GPR + 8 * 4(vcpu)
	sd	$a1, VCPU_GPR + 8 * 5(vcpu)
	sd	$a2, VCPU_GPR + 8 * 6(vcpu)
	dmfc0	other, C0_BADVADDR	# BadVAddr
	dext	t, other, WALK_SHIFT0 + WALK_BITS0 - 1, 1 # which page of the root
	dlsa	t, t, vcpu, 3
	ld	table, VCPU_WALK_ROOT(t)
	beqz	table, leave
	dsrl	t, other, WALK_TOP
	bnez	t, leave		# supervisor's, or above the tables
	dmfc0	t, C0_EPC
	andi	t, t, 1
	bnez	t, leave		# odd pc: arch_run
	li	phys, 0x13
	dsll	phys, phys, 59
	dext	t, other, WALK_SHIFT0, WALK_BITS0 - 1
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
	or	u, t, u
	andi	t, u, ENTRYLO_V
	beqz	t, not_valid
	ld	t, VCPU_WALK_PRESENT(vcpu)
	TRANSLATE table, beqz
	TRANSLATE other, bnez
	sw	table, L2TLB_LO0(slot)
	sw	other, L2TLB_LO1(slot)
	sd	tag, L2TLB_TAG(slot)
	mtc0	table, C0_ENTRYLO0
	mtc0	other, C0_ENTRYLO1
	ehb
	tlbp
	ehb
	mfc0	t, C0_INDEX
	bltz	t, 1f			# none there, as after a refill exception
	ehb
	tlbwi
	b	2f
	nop
1:	tlbwr
2:
	RESTORE
	dmfc0	$at, C0_KSCRATCH(KS_AT)
	dmfc0	$k1, C0_KSCRATCH(KS_K1)
	dmfc0	$k0, C0_KSCRATCH(KS_K0)
	eretnc

	/* u = entry, t = mask of its present bit, both rotated. Nothing has changed yet. */
not_valid:
	and	t, t, u
	bnez	t, leave		# accessed bit, or rights
	lui	$v0, SP_HI
	lw	$v1, SP_STATUS($v0)
	andi	t, $v1, STATUS_EXL
	bnez	t, leave
	mfc0	$a2, C0_CAUSE
	bltz	$a2, leave		# delay slot: BadInstrP, too
	ori	$v1, $v1, STATUS_EXL
	sw	$v1, SP_STATUS($v0)
	lw	t, SP_CAUSE($v0)	# the machine's code into the virtual one; BD = 0
	ext	u, $a2, CAUSE_CODE_SHIFT, 5
	ins	t, u, CAUSE_CODE_SHIFT, 5
	ins	t, $zero, 31, 1
	sw	t, SP_CAUSE($v0)
	dlsa	t, u, vcpu, 3
	ld	u, VCPU_EXITS(t)
	daddiu	u, u, 1
	sd	u, VCPU_EXITS(t)
	ld	u, VCPU_INJECTED(vcpu)
	daddiu	u, u, 1
	sd	u, VCPU_INJECTED(vcpu)
	dmfc0	u, C0_EPC
	sd	u, SP_EPC($v0)
	dmfc0	t, C0_BADVADDR
	beq	t, u, own_address
	sd	t, SP_BADVADDR($v0)
set_badinstr:
	mfc0	u, C0_BADINSTR
	sw	u, SP_BADINSTR($v0)
leave_badinstr:
	ld	u, SP_EBASE($v0)
	dins	u, $zero, 0, 12
	daddiu	u, u, VEC_GENERAL
	dmtc0	u, C0_EPC
	mfc0	u, C0_STATUS
	ori	u, u, STATUS_KSU | STATUS_UX
	xori	u, u, STATUS_KSU_U	# supervisor
	mtc0	u, C0_STATUS
	RESTORE
	dmfc0	$at, C0_KSCRATCH(KS_AT)
	dmfc0	$k1, C0_KSCRATCH(KS_K1)
	dmfc0	$k0, C0_KSCRATCH(KS_K0)
	ehb
	eretnc

	/* A fetch leaves BadInstr as it was: the machine's is of an earlier exception, maybe another VM's. A store sets it. */
own_address:
	ext	u, $a2, CAUSE_CODE_SHIFT, 5
	addiu	u, u, -EXC_TLBS
	beqz	u, set_badinstr
	nop
	b	leave_badinstr
	nop

	/* nothing has changed yet */
leave:
	RESTORE
	j	guest_exit
	dmfc0	$at, C0_KSCRATCH(KS_AT)
	.cfi_endproc
