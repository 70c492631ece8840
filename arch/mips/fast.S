/* SPDX-License-Identifier: MIT */
/*
 * The two traps that every system call of a guest makes, without the C side: delivering it, and the
 * guest kernel's ERETNC back to user mode; and its ERETNC to itself, behind an interrupt. Anything
 * unusual - a delay slot, an interrupt that waits, an odd pc - goes the long way by guest_exit, where the same is done in C
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
	bne	$k1, $k0, slow		# 15
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

slow:
	j	guest_exit
	nop
	.cfi_endproc
