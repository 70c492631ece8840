/* SPDX-License-Identifier: MIT */
/*
 * The first instructions on every processor: the ELF entry, to which the boot ROM jumps, and where the CPC starts
 * VPs 1..7. A 4 KB page boundary, as the CPC wants it. Arguments of node 0: argc, argv, environment (32-bit
 * pointers), as the boot ROM passes them.
 */
#include "arch/mips/regs.h"
#include "asm-offsets.h"

	.set	noreorder
	.set	noat
	.section .text.boot, "ax"
	.balign	4096
	.globl	boot_entry
boot_entry:
	.cfi_sections .debug_frame
	.cfi_startproc
	.cfi_undefined 31		# for gdb: back traces end here
	li	$8, MONITOR_STATUS	# out of ERL, BEV: this page may be running in KSEG1
	mtc0	$8, $12
	ehb
	mfc0	$10, $15, 1
	andi	$10, $10, EBASE_CPUNUM
	dla	$9, 1f
	jr	$9			# on in KSEG0
	nop
1:	bnez	$10, secondary
	nop

	/* node 0: a sign of life on the serial line, then bss, stack and C */
	dla	$8, 0xffffffffb80003f8
	li	$9, 'D'
	sb	$9, 0($8)
	dla	$8, bss_start
	dla	$9, bss_end
2:	sd	$0, 0($8)
	daddiu	$8, $8, 8
	bne	$8, $9, 2b
	nop
	dla	$8, boot_node
	dmtc0	$8, $31, KS_NODE
	dla	$29, boot_stack_end
	sd	$29, NODE_STACK($8)
	dla	$8, vectors
	mtc0	$8, $15, 1		# EBase: an early fault is reported
	dla	$25, boot_main
	jalr	$25			# does not return; ra says where a back trace ends
	daddiu	$29, $29, -64

	/* the others find their struct node and its stack */
secondary:
	dla	$8, nodes
	dsll	$9, $10, 3
	daddu	$8, $8, $9
	ld	$4, 0($8)
	beqz	$4, 3f			# more processors than nodes
	nop
	dmtc0	$4, $31, KS_NODE
	ld	$29, NODE_STACK($4)
	dla	$25, node_main
	jalr	$25			# as above
	daddiu	$29, $29, -64
3:	wait
	b	3b
	nop
	.cfi_endproc
	.type	boot_entry, @function	# this name, not text_start, for back traces
	.size	boot_entry, . - boot_entry

	.bss
	.balign	4096
boot_stack:
	.space	16384
boot_stack_end:

	/*
	 * For gdb: the boot ROM has no symbols; nothing there has a caller. Else gdb searches backwards for the beginning of a
	 * function, from the first instruction into the controllers' registers below. One CIE, one FDE of DWARF.
	 */
	.section .debug_frame, "", @progbits
	.balign	8
.Lrom_cie:
	.4byte	2f - 1f
1:	.4byte	0xffffffff
	.byte	1			# version
	.asciz	""
	.uleb128 1			# alignment of code, of data
	.sleb128 -4
	.byte	31			# return address
	.byte	0x0c			# DW_CFA_def_cfa sp, 0
	.uleb128 29
	.uleb128 0
	.byte	0x07			# DW_CFA_undefined ra
	.uleb128 31
	.balign	8
2:	.4byte	2f - 1f
1:	.4byte	.Lrom_cie
	.8byte	0xffffffffbfc00000, 0x400000
	.balign	8
2:
