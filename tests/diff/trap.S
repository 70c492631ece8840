/* SPDX-License-Identifier: MIT */
/*
 * The way from the runner into a program, its exceptions, and back: all general registers but k0 and k1 in
 * diff_gpr, everything else in runner.c. Uses no CP0 register of its own, so that programs may use every one.
 */
#include "tests/diff/diff.h"

	.set	noreorder
	.set	noat

	.macro	VECTOR off
	.org	\off
	dla	$k0, trap
	jr	$k0
	li	$k1, \off
	.endm

	.section .vectors, "ax"
	.balign	4096
	.globl	diff_vectors
diff_vectors:
	VECTOR	0x000
	VECTOR	0x080
	VECTOR	0x100
	VECTOR	0x180
	VECTOR	0x200
	.org	0x1000

	.macro	GPRS op
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,28,29,30,31
	\op	$\n, 8 * \n($k0)
	.endr
	.endm
	.macro	SREGS op
	.irp	n, 16,17,18,19,20,21,22,23,28,30,31
	\op	$\n, 8 * (\n - 16)($sp)
	.endr
	.endm

	.text
	.ent	trap
trap:
	dla	$k0, diff_gpr
	GPRS	sd
	dla	$sp, diff_stack + 16384 - 64
	dla	$gp, _gp
	dla	$t9, diff_trap
	jalr	$t9
	move	$a0, $k1
resume:
	move	$k1, $v0
	dla	$k0, diff_gpr
	GPRS	ld
	bnez	$k1, 1f
	ehb
	eret
1:	.word	0x42000058			/* eretnc */
	.end	trap

	/* void diff_enter(void): into the program by ERET; comes back when diff_leave is called */
	.globl	diff_enter
	.ent	diff_enter
diff_enter:
	daddiu	$sp, $sp, -128
	SREGS	sd
	dla	$t0, diff_sp
	sd	$sp, 0($t0)
	b	resume
	move	$v0, $zero
	.globl	diff_leave
diff_leave:
	dla	$t0, diff_sp
	ld	$sp, 0($t0)
	SREGS	ld
	jr	$ra
	daddiu	$sp, $sp, 128
	.end	diff_enter

	.set	hardfloat
	/* void diff_fpu_load(u64 *f), void diff_fpu_store(u64 *f): f0..f31 and FCSR; CU1 is set */
	.globl	diff_fpu_load
diff_fpu_load:
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	ldc1	$f\n, 8 * \n($a0)
	.endr
	ld	$t0, 256($a0)
	ctc1	$t0, $31
	jr	$ra
	nop
	.globl	diff_fpu_store
diff_fpu_store:
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	sdc1	$f\n, 8 * \n($a0)
	.endr
	cfc1	$t0, $31
	jr	$ra
	sd	$t0, 256($a0)

	/* A code page: leaves known values in BadVAddr, BadInstr, BadInstrP and what goes with them, and in Cause.CE. */
	.globl	diff_prologue, diff_prologue_end
diff_prologue:
	b	1f
	ld	$8, 0($9)			/* a miss in a delay slot */
	nop
1:	mfc1	$8, $f0				/* Cause.CE */
	syscall	DIFF_SYS_END
diff_prologue_end:
