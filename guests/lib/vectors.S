/* SPDX-License-Identifier: MIT */
/*
 * The guest's exception vectors: one page, each entry at its architectural offset, all leading to one path that builds a
 * full struct frame, calls trap_dispatch(frame) with EXL set, and goes back to what the frame then says.
 * Not a fast path: a guest that wants its own refill handler copies it over offset 0x080 at run time.
 */
#include "guests/lib/frame.h"

	.set	noreorder
	.set	noat

	.macro	VECTOR off
	.org	\off
	dla	$k0, trap_entry
	jr	$k0
	li	$k1, \off
	.endm

	.section .vectors, "ax"
	.globl	guest_vectors
guest_vectors:
	VECTOR	0x000			/* TLB refill, KX/UX = 0 */
	VECTOR	0x080			/* XTLB refill */
	VECTOR	0x100			/* cache error */
	VECTOR	0x180			/* everything else */
	VECTOR	0x200			/* interrupts, Cause.IV = 1 */
	.org	0x400

	.text
	.globl	trap_entry
	.ent	trap_entry
trap_entry:
	/* k1 = vector. Stack: from user mode this VCPU's own, from kernel mode the one in use. */
	mfc0	$k0, $12
	andi	$k0, $k0, 0x18
	beqz	$k0, 1f
	move	$k0, $sp
	dmfc0	$sp, $31, 2
	ld	$sp, PERCPU_STACK($sp)
1:	daddiu	$sp, $sp, -FRAME_BYTES
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,28,30,31
	sd	$\n, FRAME_REG(\n)($sp)
	.endr
	sd	$k0, FRAME_REG(29)($sp)
	sd	$zero, FRAME_REG(0)($sp)
	sd	$zero, FRAME_REG(26)($sp)
	sd	$zero, FRAME_REG(27)($sp)
	sd	$k1, FRAME_VECTOR($sp)
	sd	$zero, FRAME_KEEP_LL($sp)
	/* k0, k1 free */
	.macro	KEEP op, off, reg, sel
	\op	$t0, $\reg, \sel
	sd	$t0, \off($sp)
	.endm
	KEEP	mfc0, FRAME_CAUSE, 13, 0
	KEEP	dmfc0, FRAME_EPC, 14, 0
	KEEP	dmfc0, FRAME_BADVADDR, 8, 0
	KEEP	dmfc0, FRAME_ENTRYHI, 10, 0
	KEEP	dmfc0, FRAME_CONTEXT, 4, 0
	KEEP	dmfc0, FRAME_XCONTEXT, 20, 0
	KEEP	mfc0, FRAME_BADINSTR, 8, 1
	KEEP	mfc0, FRAME_BADINSTRP, 8, 2
	KEEP	mfc0, FRAME_STATUS, 12, 0
	/* KSU = kernel while EXL is still set, so that an exception in the handler stays on this stack. */
	dins	$t0, $zero, 3, 2
	mtc0	$t0, $12
	ehb
	dla	$t9, trap_dispatch
	jalr	$t9
	move	$a0, $sp

	ld	$t0, FRAME_STATUS($sp)
	ori	$t0, $t0, 2			/* EXL until the eret */
	mtc0	$t0, $12
	ld	$t0, FRAME_EPC($sp)
	dmtc0	$t0, $14
	ld	$k1, FRAME_KEEP_LL($sp)
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,28,30,31
	ld	$\n, FRAME_REG(\n)($sp)
	.endr
	bnez	$k1, 1f
	ld	$sp, FRAME_REG(29)($sp)
	ehb
	eret
1:	ehb
	.word	0x42000058			/* eretnc */
	.end	trap_entry
