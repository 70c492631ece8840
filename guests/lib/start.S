/* SPDX-License-Identifier: MIT */
/*
 * Entry of a guest, on the monitor and on the bare machine: the two differ in the link address and in who fills
 * a0..a3 only. Sets up one stack, the vectors and a quiet CP0, clears bss, calls guest_main; and the entry of further
 * VCPUs. Does not touch caches, the FPU or devices.
 */
#include "guests/lib/frame.h"

	.set	noreorder
	.set	noat

#define ST_KX_SX_UX	0xe0
#define ST_BEV		(1 << 22)
#define PG_RIE_XIE_IEC	0xc8000000

	/* CP0 as every VCPU has it: EBase here, no interrupts, an empty TLB, RI and XI on, HWREna closed. */
	.macro	QUIET_CP0
	li	$t0, ST_KX_SX_UX | ST_BEV	/* ERL may be set: leave it before anything is mapped */
	mtc0	$t0, $12
	ehb
	dla	$t0, guest_vectors
	mtc0	$t0, $15, 1			/* EBase: changed with BEV set, as the manual wants */
	ehb
	li	$t0, ST_KX_SX_UX
	mtc0	$t0, $12
	mtc0	$zero, $13			/* Cause: IV=0, no software interrupt */
	mtc0	$zero, $7			/* HWREna */
	li	$t0, PG_RIE_XIE_IEC
	mtc0	$t0, $5, 1			/* PageGrain */
	mtc0	$zero, $6			/* Wired */
	mtc0	$zero, $0			/* Index */
	mtc0	$zero, $5			/* PageMask */
	dmtc0	$zero, $10			/* EntryHi */
	ehb
	.word	0x42000004			/* tlbinvf */
	ehb
	.endm

	.section .start, "ax"
	.globl	_start
	.ent	_start
_start:
	mfc0	$t0, $15, 1			/* EBase.CPUNum: on the bare machine others may come this way, too */
	andi	$t0, $t0, 0x3ff
1:	bnez	$t0, 1b
	nop
	mfc0	$s4, $12			/* Status and Cause as we were given them: guest_boot */
	mfc0	$s5, $13
	move	$s0, $a0
	move	$s1, $a1
	move	$s2, $a2
	move	$s3, $a3
	QUIET_CP0
	dla	$t0, __bss_start
	dla	$t1, __bss_end
1:	sd	$zero, 0($t0)
	daddiu	$t0, $t0, 8
	bne	$t0, $t1, 1b
	nop
	dla	$t0, guest_boot
	sd	$s0, 0($t0)
	sd	$s1, 8($t0)
	sd	$s2, 16($t0)
	sd	$s3, 24($t0)
	sd	$s4, 32($t0)
	sd	$s5, 40($t0)
	dla	$sp, guest_stacks + GUEST_STACK_BYTES - 64
	dla	$t0, guest_percpu
	dmtc0	$t0, $31, 2
	sd	$sp, PERCPU_STACK($t0)
	dla	$gp, _gp
	dla	$t9, guest_main
	jalr	$t9
	move	$fp, $zero
2:	b	2b				/* guest_main does not return */
	nop
	.end	_start

	/* Entry of a VCPU other than 0: a0 = its struct percpu, sp set by whoever started it. */
	.text
	.globl	guest_secondary
	.ent	guest_secondary
guest_secondary:
	move	$s0, $a0
	QUIET_CP0
	dmtc0	$s0, $31, 2
	dla	$gp, _gp
	ld	$t9, PERCPU_ENTRY($s0)
	ld	$a0, PERCPU_ARG($s0)
	jalr	$t9
	move	$fp, $zero
	dla	$t9, guest_secondary_done
	jalr	$t9
	nop
1:	b	1b
	nop
	.end	guest_secondary
