/* SPDX-License-Identifier: MIT */
/*
 * Exceptions of a thin program, and the switch between threads. The processor's words about an exception are read from the special
 * page and the way back is prepared there, so that an interrupt costs the monitor two entries: itself and its eret.
 *
 * An interrupt is served on the stack of the thread that it found. Every other exception is the end of the program and is served on
 * a stack of the VCPU's, for the thread's may be what is broken.
 */
#include "guests/thin/frame.h"
#include "kernel/abi/disco.h"

	.set	noreorder
	.set	noat
	.set	hardfloat

#define CAUSE_EXC_MASK	0x7c
#define FCSR		$31
#define SPECIAL_HIGH	0xdfff
#define SPECIAL_LOW	0xf000

	.macro	VECTOR off
	.org	\off
	dla	$k0, thin_exception
	jr	$k0
	nop
	.endm

	.section .vectors, "ax"
	.globl	guest_vectors
guest_vectors:
	VECTOR	0x000
	VECTOR	0x080
	VECTOR	0x100
	VECTOR	0x180
	VECTOR	0x200
	.org	0x400

	.macro	SPECIAL reg
	lui	\reg, SPECIAL_HIGH
	ori	\reg, \reg, SPECIAL_LOW
	.endm

	.text
	.globl	thin_exception
	.ent	thin_exception
thin_exception:
	SPECIAL	$k0
	lw	$k1, DISCO_SP_REG(13, 0)($k0)	/* Cause */
	andi	$k1, $k1, CAUSE_EXC_MASK
	beqz	$k1, 1f
	move	$k1, $sp
	ld	$sp, DISCO_SP_REG(31, 2)($k0)	/* KScratch1: this VCPU */
	ld	$sp, THIN_VCPU_FAULT_STACK($sp)
1:	daddiu	$sp, $sp, -THIN_FRAME_BYTES
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,28,30,31
	sd	$\n, THIN_FRAME_REG(\n)($sp)
	.endr
	sd	$k1, THIN_FRAME_REG(29)($sp)
	ld	$t0, DISCO_SP_REG(14, 0)($k0)
	ld	$t1, DISCO_SP_REG(8, 0)($k0)
	lwu	$t2, DISCO_SP_REG(8, 1)($k0)
	lwu	$t3, DISCO_SP_REG(13, 0)($k0)
	lwu	$a4, DISCO_SP_REG(12, 0)($k0)
	sd	$t0, THIN_FRAME_EPC($sp)
	sd	$t1, THIN_FRAME_BADVADDR($sp)
	sd	$t2, THIN_FRAME_BADINSTR($sp)
	sd	$t3, THIN_FRAME_CAUSE($sp)
	sd	$a4, THIN_FRAME_STATUS($sp)
	dins	$a4, $zero, 0, 2		/* EXL and IE off: from here on an ordinary function that wants no interrupts */
	sw	$a4, DISCO_SP_REG(12, 0)($k0)
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	sdc1	$f\n, THIN_FRAME_FPR(\n)($sp)
	.endr
	cfc1	$t0, FCSR
	sd	$t0, THIN_FRAME_FCSR($sp)
	dla	$gp, _gp
	dla	$t9, thin_exception_c
	jalr	$t9
	move	$a0, $sp

	ld	$t0, THIN_FRAME_FCSR($sp)
	ctc1	$t0, FCSR
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	ldc1	$f\n, THIN_FRAME_FPR(\n)($sp)
	.endr
	SPECIAL	$k0
	ld	$t0, THIN_FRAME_STATUS($sp)	/* with EXL, as the exception left it */
	ld	$t1, THIN_FRAME_EPC($sp)
	sw	$t0, DISCO_SP_REG(12, 0)($k0)
	sd	$t1, DISCO_SP_REG(14, 0)($k0)
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,28,30,31
	ld	$\n, THIN_FRAME_REG(\n)($sp)
	.endr
	ld	$sp, THIN_FRAME_REG(29)($sp)
	eret					/* and breaks an LL that the interrupt came into */
	.end	thin_exception

	/* void context_switch(struct context *from, const struct context *to): returns when somebody switches back to from. */
	.globl	context_switch
	.ent	context_switch
context_switch:
	.irp	n, 0,1,2,3,4,5,6,7
	sd	$s\n, THIN_CONTEXT_S(\n)($a0)
	.endr
	sd	$sp, THIN_CONTEXT_SP($a0)
	sd	$fp, THIN_CONTEXT_FP($a0)
	sd	$ra, THIN_CONTEXT_RA($a0)
	cfc1	$t0, FCSR
	sd	$t0, THIN_CONTEXT_FCSR($a0)
	.irp	n, 24,25,26,27,28,29,30,31
	sdc1	$f\n, THIN_CONTEXT_FPR(\n)($a0)
	.endr
	.irp	n, 0,1,2,3,4,5,6,7
	ld	$s\n, THIN_CONTEXT_S(\n)($a1)
	.endr
	ld	$sp, THIN_CONTEXT_SP($a1)
	ld	$fp, THIN_CONTEXT_FP($a1)
	ld	$ra, THIN_CONTEXT_RA($a1)
	ld	$t0, THIN_CONTEXT_FCSR($a1)
	ctc1	$t0, FCSR
	.irp	n, 24,25,26,27,28,29,30,31
	ldc1	$f\n, THIN_CONTEXT_FPR(\n)($a1)
	.endr
	jr	$ra
	nop
	.end	context_switch

	/* The first that a thread executes: s0 is what thread_begin gets. */
	.globl	thread_trampoline
	.ent	thread_trampoline
thread_trampoline:
	dla	$t9, thread_begin
	jalr	$t9
	move	$a0, $s0
	break	0				/* it does not return */
	.end	thread_trampoline
