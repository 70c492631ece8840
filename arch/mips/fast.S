/* SPDX-License-Identifier: MIT */
/*
 * The two traps that every system call of a guest makes, without the C side: delivering it, and the
 * guest kernel's ERETNC back to user mode; its ERETNC to itself, behind an interrupt; and the monitor call by which a kernel
 * goes to another address space. Anything
 * unusual - a delay slot, an interrupt that waits, an odd pc - goes the long way by guest_exit, where the same is done in C
 * (inject.c, emul.c, walk.c). Reached from vectors.S with EXL = 1, k0 = KSU bits of Status, k1 free, the
 * guest's k0 and k1 in KS_K0 and KS_K1. The special page is read where the guest sees it: its entry
 * is wired. What is read there is the guest's word, and only ever hurts itself.
 */
#include "arch/mips/regs.h"
#include "arch/mips/special.h"
#include "asm-offsets.h"
#include "kernel/abi/disco.h"

#define ERETNC_INSN	0x42000058

	.set	noreorder
	.set	noat
	.section .text.entry, "ax"
	.cfi_sections .debug_frame
	.cfi_startproc
	.cfi_undefined 31		/* for gdb: what came here is a guest */

	/* SYSCALL in guest user mode. Budget: 44 instructions from the vector on; 13 were spent there. */
	.globl	fast_syscall
fast_syscall:
	andi	$k0, $k0, STATUS_KSU_U	# 14
	beqz	$k0, slow		# 15 a guest kernel's own SYSCALL
	dmfc0	$k0, C0_KSCRATCH(KS_VCPU) # 16
	ld	$k1, VCPU_EXITS_SYS($k0) # 17
	daddiu	$k1, $k1, 1		# 18
	sd	$k1, VCPU_EXITS_SYS($k0) # 19
	lui	$k1, SP_HI		# 20
	lw	$k0, SP_STATUS($k1)	# 21
	ori	$k0, $k0, STATUS_EXL	# 22
	sw	$k0, SP_STATUS($k1)	# 23
	lw	$k0, SP_CAUSE($k1)	# 24
	ins	$k0, $zero, CAUSE_CODE_SHIFT, 5 # 25
	ori	$k0, $k0, EXC_SYS << CAUSE_CODE_SHIFT # 26
	ins	$k0, $zero, 31, 1	# 27 BD = 0
	sw	$k0, SP_CAUSE($k1)	# 28
	dmfc0	$k0, C0_EPC		# 29
	sd	$k0, SP_EPC($k1)	# 30
	mfc0	$k0, C0_BADINSTR	# 31
	sw	$k0, SP_BADINSTR($k1)	# 32
	ld	$k0, SP_EBASE($k1)	# 33
	dins	$k0, $zero, 0, 12	# 34
	daddiu	$k0, $k0, VEC_GENERAL	# 35
	dmtc0	$k0, C0_EPC		# 36
	mfc0	$k0, C0_STATUS		# 37
	ori	$k0, $k0, STATUS_KSU | STATUS_UX # 38 guest kernels always have 64-bit addressing
	xori	$k0, $k0, STATUS_KSU_U	# 39 supervisor
	mtc0	$k0, C0_STATUS		# 40
	dmfc0	$k1, C0_KSCRATCH(KS_K1)	# 41
	dmfc0	$k0, C0_KSCRATCH(KS_K0)	# 42
	ehb				# 43
	eretnc				# 44

	/*
	 * Coprocessor Unusable: ERETNC to user mode? Budget: 44 instructions from the vector on, 43 with CU1 = 1; 11 were
	 * spent there. To kernel mode: 45, 42 with CU1 = 1.
	 */
	.globl	fast_eret
fast_eret:
	mfc0	$k1, C0_BADINSTR	# 12
	li	$k0, ERETNC_INSN	# 13, 14
	bne	$k1, $k0, not_eret	# 15
	lui	$k1, SP_HI		# 16
	lw	$k0, SP_STATUS($k1)	# 17
	ext	$k0, $k0, 1, 4		# 18 KSU, ERL, EXL
	addiu	$k0, $k0, -0x9		# 19 user, 0, 1
	bnez	$k0, eret_kernel	# 20
	ld	$k0, SP_EPC($k1)	# 21
	andi	$k0, $k0, 1		# 22
	bnez	$k0, slow		# 23
	lw	$k0, SP_RETURNS($k1)	# 24
	beqz	$k0, slow		# 25 not now: an interrupt waits, or 64-bit addressing is off
	addiu	$k0, $k0, 1		# 26
	sw	$k0, SP_RETURNS($k1)	# 27
	ld	$k0, SP_EPC($k1)	# 28
	dmtc0	$k0, C0_EPC		# 29
	ld	$k0, SP_USERLOCAL($k1)	# 30
	dmtc0	$k0, C0_USERLOCAL	# 31
	lw	$k0, SP_STATUS($k1)	# 32
	xori	$k0, $k0, STATUS_EXL	# 33
	sw	$k0, SP_STATUS($k1)	# 34
	sll	$k0, $k0, 2		# 35 CU1 to the sign
	bltz	$k0, 1f			# 36
	mfc0	$k0, C0_STATUS		# 37
	ins	$k0, $zero, 29, 1	# 38 not for this program: CU1 = 0
1:	xori	$k0, $k0, STATUS_KSU	# 39 supervisor -> user
	mtc0	$k0, C0_STATUS		# 40
	dmfc0	$k1, C0_KSCRATCH(KS_K1)	# 41
	dmfc0	$k0, C0_KSCRATCH(KS_K0)	# 42
	ehb				# 43
	eretnc				# 44

	/* The machine's KSU stays: kernel mode of a guest is supervisor mode, with EXL and without. */
eret_kernel:
	andi	$k0, $k0, 1		# 22
	bnez	$k0, slow		# 23
	lw	$k0, SP_STATUS($k1)	# 24
	ext	$k0, $k0, 1, 4		# 25 KSU, ERL, EXL
	addiu	$k0, $k0, -0x1		# 26 kernel, 0, 1
	bnez	$k0, slow		# 27
	lw	$k0, SP_RETURNS($k1)	# 28
	beqz	$k0, slow		# 29 not now, as above
	addiu	$k0, $k0, 1		# 30
	sw	$k0, SP_RETURNS($k1)	# 31
	ld	$k0, SP_EPC($k1)	# 32
	dmtc0	$k0, C0_EPC		# 33
	lw	$k0, SP_STATUS($k1)	# 34
	xori	$k0, $k0, STATUS_EXL	# 35
	sw	$k0, SP_STATUS($k1)	# 36
	sll	$k0, $k0, 2		# 37 CU1 to the sign
	bltz	$k0, 1f			# 38
	mfc0	$k0, C0_STATUS		# 39
	ins	$k0, $zero, 29, 1	# 40
	mtc0	$k0, C0_STATUS		# 41
1:	dmfc0	$k1, C0_KSCRATCH(KS_K1)	# 42
	dmfc0	$k0, C0_KSCRATCH(KS_K0)	# 43
	ehb				# 44
	eretnc				# 45

	/*
	 * HYPCALL of MMU_SWITCH (mmu_call_switch) to an address space that has a machine ASID, and whose root's pages the
	 * node's view shows. Budget: 95 instructions from the vector on; 16 were spent there.
	 * ledger: k0 = vcpu; k1, at, v0, v1 = scratch, but that v1 is kept in VCPU_GPR, and v0 is the call's number and result
	 */
#define vcpu	$k0
not_eret:
	mfc0	$k1, C0_BADINSTR	# 17
	xori	$k0, $k0, ERETNC_INSN ^ DISCO_HYPCALL_INSN # 18
	bne	$k1, $k0, slow		# 19
	li	$k0, DISCO_HC_MMU_SWITCH # 20
	bne	$v0, $k0, slow		# 21
	dmfc0	vcpu, C0_KSCRATCH(KS_VCPU) # 22
	lw	$k1, VCPU_SWITCHES(vcpu) # 23
	beqz	$k1, slow		# 24 not this VCPU's
	lui	$k1, SP_HI		# 25
	lw	$v0, SP_STATUS($k1)	# 26
	ext	$v0, $v0, 1, 4		# 27 KSU, ERL, EXL
	bnez	$v0, slow_switch	# 28 user mode, or in a handler
	lw	$v0, SP_RETURNS($k1)	# 29
	beqz	$v0, slow_switch	# 30 an interrupt waits
	dsrl	$v0, $a0, ASID_BITS	# 31
	bnez	$v0, slow_switch	# 32 VPN2 is to be set, too
	dmtc0	$at, C0_KSCRATCH(KS_AT)	# 33
	sd	$v1, VCPU_GPR + 8 * 3(vcpu) # 34

	/* v1 = slot of its machine ASID, if that is of the node's generation, which the L2TLB is of, too */
	dmfc0	$k1, C0_KSCRATCH(KS_NODE) # 35
	ld	$at, NODE_ASID_GENERATION($k1) # 36
	ld	$v1, VCPU_ASID_MAP(vcpu) # 37
	dlsa	$v1, $a0, $v1, 3	# 38
	ld	$v1, 0($v1)		# 39
	dsrl	$v0, $v1, ASID_BITS	# 40
	bne	$v0, $at, slow_at	# 41
	ld	$v0, VCPU_L2TLB_GENERATION(vcpu) # 42
	bne	$v0, $at, slow_at	# 43
	lw	$at, NODE_RENEWED($k1)	# 44 (delay slot)
	mfc0	$v0, C0_COUNT		# 45
	lw	$k1, NODE_RENEW_AFTER($k1) # 46
	subu	$v0, $v0, $at		# 47
	sltu	$v0, $v0, $k1		# 48
	beqz	$v0, slow_at		# 49 it is time for tlb_renew

	/* at, v0 = what the view shows of the root's pages */
	dsrl	$v0, $a1, 62		# 50
	daddiu	$v0, $v0, -1		# 51
	bnez	$v0, slow_at		# 52 not in xsseg
	andi	$v0, $a1, 0xfff		# 53
	bnez	$v0, slow_at		# 54 not a page's address
	dsll	$v0, $a1, 2		# 55
	dsrl	$v0, $v0, 14		# 56 its number
	ld	$at, VCPU_PMAP_PAGES(vcpu) # 57
	daddiu	$at, $at, 1 - WALK_ROOTS # 58
	sltu	$at, $v0, $at		# 59
	beqz	$at, slow_at		# 60
	ld	$at, VCPU_PMAP_ENTRY(vcpu) # 61
	dlsa	$v0, $v0, $at, 4	# 62
	ld	$at, 0($v0)		# 63
	beqz	$at, slow_at		# 64
	ld	$v0, PMAP_ENTRY_SIZE($v0) # 65
	beqz	$v0, slow_at		# 66

	/* from here on it is done; the roots as XKPHYS addresses, cached */
	li	$k1, 0x13		# 67
	dsll	$k1, $k1, 59		# 68
	dsrl	$at, $at, ENTRYLO_PFN_SHIFT # 69
	dsll	$at, $at, 12		# 70
	or	$at, $at, $k1		# 71
	sd	$at, VCPU_WALK_ROOT(vcpu) # 72
	dsrl	$v0, $v0, ENTRYLO_PFN_SHIFT # 73
	dsll	$v0, $v0, 12		# 74
	or	$v0, $v0, $k1		# 75
	sd	$v0, VCPU_WALK_ROOT + 8(vcpu) # 76
	sd	$a1, VCPU_WALKER_ROOT(vcpu) # 77
	lui	$k1, SP_HI		# 78
	sd	$a0, SP_ENTRYHI($k1)	# 79
	dext	$v1, $v1, 0, ASID_BITS	# 80
	sw	$v1, VCPU_ASID(vcpu)	# 81
	dmtc0	$v1, C0_ENTRYHI		# 82
	lw	$v1, VCPU_SWITCHES(vcpu) # 83
	addiu	$v1, $v1, 1		# 84
	sw	$v1, VCPU_SWITCHES(vcpu) # 85
	dmfc0	$k1, C0_EPC		# 86
	daddiu	$k1, $k1, 4		# 87
	dmtc0	$k1, C0_EPC		# 88
	ld	$v1, VCPU_GPR + 8 * 3(vcpu) # 89
	li	$v0, 0			# 90
	dmfc0	$at, C0_KSCRATCH(KS_AT)	# 91
	dmfc0	$k1, C0_KSCRATCH(KS_K1)	# 92
	dmfc0	$k0, C0_KSCRATCH(KS_K0)	# 93
	ehb				# 94
	eretnc				# 95

	/* nothing has changed yet */
slow_at:
	ld	$v1, VCPU_GPR + 8 * 3(vcpu)
	dmfc0	$at, C0_KSCRATCH(KS_AT)
slow_switch:
	li	$v0, DISCO_HC_MMU_SWITCH
slow:
	j	guest_exit
	nop
	.cfi_endproc
