/* SPDX-License-Identifier: MIT */
/*
 * Leaving and entering guests: guest_exit saves the whole register file of the VCPU that runs and calls trap_from_guest() on the
 * node's stack; guest_enter loads a VCPU and goes there. monitor_trap handles the monitor's own exceptions.
 * The C side never returns into here: each trap starts at the top of the stack.
 *
 * For gdb (.cfi): a back trace of the monitor ends in guest_exit, since what called it is a guest, and goes on behind
 * monitor_trap to the function of the monitor that raised the exception.
 */
#include "arch/mips/regs.h"
#include "asm-offsets.h"

	.set	noreorder
	.set	noat
	.cfi_sections .debug_frame
	.section .text.entry, "ax"

	/* in: k0 of the guest in KS_K0, k1 in KS_K1; EXL = 1 */
	.globl	guest_exit
guest_exit:
	.cfi_startproc
	.cfi_undefined 31
	dmfc0	$26, $31, KS_VCPU
	.irp r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 28, 29, 30, 31
	sd	$\r, VCPU_GPR + 8 * \r($26)
	.endr
	dmfc0	$2, $31, KS_K0
	dmfc0	$3, $31, KS_K1
	sd	$2, VCPU_GPR + 8 * 26($26)
	sd	$3, VCPU_GPR + 8 * 27($26)
	mfc0	$2, $13			# Cause
	dmfc0	$3, $14			# EPC
	dmfc0	$5, $8			# BadVAddr
	mfc0	$6, $8, 1		# BadInstr
	mfc0	$7, $8, 2		# BadInstrP
	sw	$2, VCPU_CAUSE($26)
	sd	$3, VCPU_PC($26)
	sd	$5, VCPU_BADVADDR($26)
	sw	$6, VCPU_BADINSTR($26)
	sw	$7, VCPU_BADINSTRP($26)
	dmfc0	$27, $31, KS_NODE
	li	$2, MONITOR_STATUS	# kernel mode, EXL = 0: a monitor bug reports its own EPC
	mtc0	$2, $12
	ld	$29, NODE_STACK($27)
	move	$4, $26
	jal	trap_from_guest		# does not return; ra says where a back trace ends
	ehb
	.cfi_endproc

	/* void guest_enter(struct vcpu *v) */
	.globl	guest_enter
guest_enter:
	.cfi_startproc
	ld	$2, VCPU_STATUS($4)	# with EXL: still kernel mode
	ld	$3, VCPU_PC($4)
	mtc0	$2, $12
	dmtc0	$3, $14
	lw	$2, VCPU_CLEAR_LL($4)
	move	$26, $4
	bnez	$2, 1f
	sw	$0, VCPU_CLEAR_LL($4)
	.cfi_undefined 31		# from here on the guest's
	.irp r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 27, 28, 29, 30, 31
	ld	$\r, VCPU_GPR + 8 * \r($26)
	.endr
	ld	$26, VCPU_GPR + 8 * 26($26)
	ehb
	eretnc
1:
	.irp r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 27, 28, 29, 30, 31
	ld	$\r, VCPU_GPR + 8 * \r($26)
	.endr
	ld	$26, VCPU_GPR + 8 * 26($26)
	ehb
	eret
	.cfi_endproc

	/*
	 * The monitor's own exception. in: k0 in KS_K0, k1 in KS_K1. One is expected: CTC1 raises FPE, after it
	 * has written, for an FCSR whose Cause and Enables meet, as a guest's does between its own FPE and its
	 * handler. Go on behind it.
	 */
#define PC_COLUMN 80	/* no register: where the .cfi of monitor_trap says that the interrupted pc is */
	.globl	monitor_trap
monitor_trap:
	.cfi_startproc
	.cfi_signal_frame
	.cfi_return_column PC_COLUMN
	.cfi_undefined PC_COLUMN
	lapc	$26, fpu_load_fcsr
	dmfc0	$27, $14		# EPC
	bne	$26, $27, 1f
	daddiu	$27, $27, 4
	dmtc0	$27, $14
	dmfc0	$26, $31, KS_K0
	dmfc0	$27, $31, KS_K1
	ehb
	eretnc
1:	dmfc0	$26, $31, KS_NODE
	.irp r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 28, 29, 30, 31
	sd	$\r, NODE_FRAME + 8 * \r($26)
	.endr
	sd	$0, NODE_FRAME($26)
	dmfc0	$2, $31, KS_K0
	dmfc0	$3, $31, KS_K1
	sd	$2, NODE_FRAME + 8 * 26($26)
	sd	$3, NODE_FRAME + 8 * 27($26)
	dmfc0	$2, $14
	mfc0	$3, $12
	mfc0	$5, $13
	dmfc0	$6, $8
	mfc0	$7, $8, 1
	sd	$2, NODE_FRAME_PC($26)
	sd	$3, NODE_FRAME_STATUS($26)
	sd	$5, NODE_FRAME_CAUSE($26)
	sd	$6, NODE_FRAME_BADVADDR($26)
	sd	$7, NODE_FRAME_BADINSTR($26)
	.cfi_def_cfa 26, NODE_FRAME
	.irp r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	.cfi_offset \r, 8 * \r
	.endr
	.cfi_offset PC_COLUMN, NODE_FRAME_PC - NODE_FRAME
	li	$2, MONITOR_STATUS
	mtc0	$2, $12
	ehb
	/* stay on the stack in use if it is this node's, else start at its top */
	ld	$3, NODE_STACK($26)
	dsubu	$2, $3, $29
	sltiu	$2, $2, NODE_STACK_USABLE
	bnez	$2, 1f
	move	$4, $26
	move	$29, $3
1:	jal	panic_exception		# does not return
	daddiu	$29, $29, -64
	nop				# where ra points is monitor_trap's, too
	.cfi_endproc

	/* The FPU's registers (FR = 1): fpu_save(state), fpu_load(state); Status.CU1 must be set. */
	.set	hardfloat
	.globl	fpu_save
fpu_save:
	.cfi_startproc
	.irp r, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	sdc1	$f\r, 8 * \r($4)
	.endr
	cfc1	$2, $31
	jr	$31
	sw	$2, FPU_FCSR($4)
	.cfi_endproc

	.globl	fpu_load
fpu_load:
	.cfi_startproc
	.irp r, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ldc1	$f\r, 8 * \r($4)
	.endr
	lw	$2, FPU_FCSR($4)
fpu_load_fcsr:
	ctc1	$2, $31			# may raise FPE: monitor_trap
	jr	$31
	nop
	.cfi_endproc
