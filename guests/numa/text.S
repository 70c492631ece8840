/* SPDX-License-Identifier: MIT */
/*
 * The functions of shared_text: each a different hash, straight-line code that goes over its 1 KB of text once for each line
 * of the record. Leaf functions; a0 = hash, a1 = record, v0 = hash.
 */
#include "guests/numa/text.h"

	.set	noreorder
	.set	noat

	/* Eight instructions; k makes them differ from one place to the next. */
	.macro	STEP k
	xori	$a0, $a0, (\k * 40503) & 0xffff
	drotr	$t0, $a0, 1 + ((\k) & 31)
	daddu	$a0, $a0, $t0
	dsrl	$t1, $a0, 3 + ((\k) & 15)
	xor	$a0, $a0, $t1
	daddiu	$a0, $a0, ((\k * 30011) & 0x7fff)
	dsll	$t2, $a0, 1 + ((\k) & 7)
	xor	$a0, $a0, $t2
	.endm

	.section .text.functions, "ax"
	.balign	4096
	.globl	text_functions
text_functions:
	.set	function, 0
	.rept	TEXT_FUNCTIONS
	.balign	TEXT_FUNCTION_BYTES
	li	$t8, TEXT_LINES
1:	ld	$t0, 0($a1)
	xor	$a0, $a0, $t0
	.set	step, 0
	.rept	30
	STEP	function * 30 + step
	.set	step, step + 1
	.endr
	sd	$a0, 8($a1)
	daddiu	$t8, $t8, -1
	bnez	$t8, 1b
	daddiu	$a1, $a1, TEXT_RECORD_BYTES / TEXT_LINES
	jr	$ra
	move	$v0, $a0
	.set	function, function + 1
	.endr
	.balign	TEXT_FUNCTION_BYTES
