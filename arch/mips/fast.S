/* SPDX-License-Identifier: MIT */
/*
 * The two traps that every system call of a guest makes, without the C side: delivering it, and the
 * guest kernel's ERETNC back to user mode. Anything unusual - a delay slot, an interrupt that waits,
 * a return to kernel mode, an odd pc - goes the long way by guest_exit, where the same is done in C
 * (inject.c, emul.c). Reached from vectors.S with EXL = 1, k0 = KSU bits of Status, k1 free, the
 * guest's k0 and k1 in KS_K0 and KS_K1. The special page is read where the guest sees it: its entry
 * is wired. What is read there is the guest's word, and only ever hurts itself.
 */
#include "arch/mips/regs.h"
#include "arch/mips/special.h"
#include "asm-offsets.h"

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
	andi	$26, $26, STATUS_KSU_U	# 14
	beqz	$26, slow		# 15 a guest kernel's own SYSCALL
	dmfc0	$26, $31, KS_VCPU	# 16
	ld	$27, VCPU_EXITS_SYS($26) # 17
	daddiu	$27, $27, 1		# 18
	sd	$27, VCPU_EXITS_SYS($26) # 19
	lui	$27, SP_HI		# 20
	lw	$26, SP_STATUS($27)	# 21
	ori	$26, $26, STATUS_EXL	# 22
	sw	$26, SP_STATUS($27)	# 23
	lw	$26, SP_CAUSE($27)	# 24
	ins	$26, $0, CAUSE_CODE_SHIFT, 5 # 25
	ori	$26, $26, EXC_SYS << CAUSE_CODE_SHIFT # 26
	ins	$26, $0, 31, 1		# 27 BD = 0
	sw	$26, SP_CAUSE($27)	# 28
	dmfc0	$26, $14		# 29
	sd	$26, SP_EPC($27)	# 30
	mfc0	$26, $8, 1		# 31
	sw	$26, SP_BADINSTR($27)	# 32
	ld	$26, SP_EBASE($27)	# 33
	dins	$26, $0, 0, 12		# 34
	daddiu	$26, $26, VEC_GENERAL	# 35
	dmtc0	$26, $14		# 36
	mfc0	$26, $12		# 37
	ori	$26, $26, STATUS_KSU | STATUS_UX # 38 guest kernels always have 64-bit addressing
	xori	$26, $26, STATUS_KSU_U	# 39 supervisor
	mtc0	$26, $12		# 40
	dmfc0	$27, $31, KS_K1		# 41
	dmfc0	$26, $31, KS_K0		# 42
	ehb				# 43
	eretnc				# 44

	/*
	 * Coprocessor Unusable: ERETNC to user mode? Budget: 44 instructions from the vector on, 43 with CU1 = 1; 11 were
	 * spent there.
	 */
	.globl	fast_eret
fast_eret:
	mfc0	$27, $8, 1		# 12
	li	$26, ERETNC_INSN	# 13, 14
	bne	$27, $26, slow		# 15
	lui	$27, SP_HI		# 16
	lw	$26, SP_STATUS($27)	# 17
	ext	$26, $26, 1, 4		# 18 KSU, ERL, EXL
	addiu	$26, $26, -0x9		# 19 user, 0, 1
	bnez	$26, slow		# 20
	ld	$26, SP_EPC($27)	# 21
	andi	$26, $26, 1		# 22
	bnez	$26, slow		# 23
	lw	$26, SP_RETURNS($27)	# 24
	beqz	$26, slow		# 25 not now: an interrupt waits, or 64-bit addressing is off
	addiu	$26, $26, 1		# 26
	sw	$26, SP_RETURNS($27)	# 27
	ld	$26, SP_EPC($27)	# 28
	dmtc0	$26, $14		# 29
	ld	$26, SP_USERLOCAL($27)	# 30
	dmtc0	$26, $4, 2		# 31
	lw	$26, SP_STATUS($27)	# 32
	xori	$26, $26, STATUS_EXL	# 33
	sw	$26, SP_STATUS($27)	# 34
	sll	$26, $26, 2		# 35 CU1 to the sign
	bltz	$26, 1f			# 36
	mfc0	$26, $12		# 37
	ins	$26, $0, 29, 1		# not for this program: CU1 = 0
1:	xori	$26, $26, STATUS_KSU	# 38 supervisor -> user
	mtc0	$26, $12		# 39
	dmfc0	$27, $31, KS_K1		# 40
	dmfc0	$26, $31, KS_K0		# 41
	ehb				# 42
	eretnc				# 43

slow:
	j	guest_exit
	nop
	.cfi_endproc
