/* SPDX-License-Identifier: MIT */
/* The way into a probe and out of it: see probe.h and probe.c. */
#include "guests/lib/frame.h"
#include "guests/lib/probe.h"

	.set	noreorder
	.set	noat

	.macro	SREGS op, base
	\op	$s0, 0(\base)
	\op	$s1, 8(\base)
	\op	$s2, 16(\base)
	\op	$s3, 24(\base)
	\op	$s4, 32(\base)
	\op	$s5, 40(\base)
	\op	$s6, 48(\base)
	\op	$s7, 56(\base)
	\op	$gp, 64(\base)
	\op	$sp, 72(\base)
	\op	$fp, 80(\base)
	\op	$ra, 88(\base)
	.endm
	.macro	ARGS
	ld	$a1, PROBE_ARGS + 8($a0)
	ld	$a2, PROBE_ARGS + 16($a0)
	ld	$a3, PROBE_ARGS + 24($a0)
	ld	$a0, PROBE_ARGS + 0($a0)
	.endm

	/* void probe_call(struct probe *p): in the mode we are in */
	.globl	probe_call
	.ent	probe_call
probe_call:
	SREGS	sd, $a0
	mfc0	$t0, $12
	sd	$t0, PROBE_STATUS($a0)
	ld	$t9, PROBE_PC($a0)
	ARGS
	jalr	$t9
	nop
	dmfc0	$t0, $31, 2
	ld	$a0, PERCPU_PROBE($t0)
	sd	$v0, PROBE_V0($a0)
	/* trap_dispatch comes here with a0 = p after an exception */
	.globl	probe_leave
probe_leave:
	SREGS	ld, $a0
	jr	$ra
	nop
	.end	probe_call

	/* void probe_call_user(struct probe *p) */
	.globl	probe_call_user
	.ent	probe_call_user
probe_call_user:
	SREGS	sd, $a0
	dmfc0	$t0, $31, 2
	sd	$sp, PERCPU_STACK($t0)		/* the caller's frames stay untouched */
	mfc0	$t0, $12
	sd	$t0, PROBE_STATUS($a0)
	ld	$t0, PROBE_USTATUS($a0)
	mtc0	$t0, $12			/* EXL is set in it */
	ld	$t0, PROBE_PC($a0)
	dmtc0	$t0, $14
	ehb
	ld	$sp, PROBE_SP($a0)
	ld	$ra, PROBE_RA($a0)
	ARGS
	eret
	.end	probe_call_user

	/* Where a probe in user mode returns to, in the pages that user mode sees. */
	.section .probe, "ax"
	.globl	probe_user_exit
probe_user_exit:
	syscall	0xffff
	b	probe_user_exit
	nop
