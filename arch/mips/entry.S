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
	dmfc0	$k0, C0_KSCRATCH(KS_VCPU)
	.irp r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 28, 29, 30, 31
	sd	$\r, VCPU_GPR + 8 * \r($k0)
	.endr
	dmfc0	$v0, C0_KSCRATCH(KS_K0)
	dmfc0	$v1, C0_KSCRATCH(KS_K1)
	sd	$v0, VCPU_GPR + 8 * 26($k0)
	sd	$v1, VCPU_GPR + 8 * 27($k0)
	mfc0	$v0, C0_CAUSE		# Cause
	dmfc0	$v1, C0_EPC		# EPC
	dmfc0	$a1, C0_BADVADDR	# BadVAddr
	mfc0	$a2, C0_BADINSTR	# BadInstr
	mfc0	$a3, C0_BADINSTRP	# BadInstrP
	sw	$v0, VCPU_CAUSE($k0)
	sd	$v1, VCPU_PC($k0)
	sd	$a1, VCPU_BADVADDR($k0)
	sw	$a2, VCPU_BADINSTR($k0)
	sw	$a3, VCPU_BADINSTRP($k0)
	dmfc0	$k1, C0_KSCRATCH(KS_NODE)
	li	$v0, MONITOR_STATUS	# kernel mode, EXL = 0: a monitor bug reports its own EPC
	mtc0	$v0, C0_STATUS
	ld	$sp, NODE_STACK($k1)
	move	$a0, $k0
	jal	trap_from_guest		# does not return; ra says where a back trace ends
	ehb
	.cfi_endproc

	/* void guest_enter(struct vcpu *v) */
	.globl	guest_enter
guest_enter:
	.cfi_startproc
	ld	$v0, VCPU_STATUS($a0)	# with EXL: still kernel mode
	ld	$v1, VCPU_PC($a0)
	mtc0	$v0, C0_STATUS
	dmtc0	$v1, C0_EPC
	lw	$v0, VCPU_CLEAR_LL($a0)
	move	$k0, $a0
	bnez	$v0, 1f
	sw	$zero, VCPU_CLEAR_LL($a0)
	.cfi_undefined 31		# from here on the guest's
	.irp r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 27, 28, 29, 30, 31
	ld	$\r, VCPU_GPR + 8 * \r($k0)
	.endr
	ld	$k0, VCPU_GPR + 8 * 26($k0)
	ehb
	eretnc
1:
	.irp r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 27, 28, 29, 30, 31
	ld	$\r, VCPU_GPR + 8 * \r($k0)
	.endr
	ld	$k0, VCPU_GPR + 8 * 26($k0)
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
	lapc	$k0, fpu_load_fcsr
	dmfc0	$k1, C0_EPC		# EPC
	bne	$k0, $k1, 1f
	daddiu	$k1, $k1, 4
	dmtc0	$k1, C0_EPC
	dmfc0	$k0, C0_KSCRATCH(KS_K0)
	dmfc0	$k1, C0_KSCRATCH(KS_K1)
	ehb
	eretnc
1:	dmfc0	$k0, C0_KSCRATCH(KS_NODE)
	.irp r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 28, 29, 30, 31
	sd	$\r, NODE_FRAME + 8 * \r($k0)
	.endr
	sd	$zero, NODE_FRAME($k0)
	dmfc0	$v0, C0_KSCRATCH(KS_K0)
	dmfc0	$v1, C0_KSCRATCH(KS_K1)
	sd	$v0, NODE_FRAME + 8 * 26($k0)
	sd	$v1, NODE_FRAME + 8 * 27($k0)
	dmfc0	$v0, C0_EPC
	mfc0	$v1, C0_STATUS
	mfc0	$a1, C0_CAUSE
	dmfc0	$a2, C0_BADVADDR
	mfc0	$a3, C0_BADINSTR
	sd	$v0, NODE_FRAME_PC($k0)
	sd	$v1, NODE_FRAME_STATUS($k0)
	sd	$a1, NODE_FRAME_CAUSE($k0)
	sd	$a2, NODE_FRAME_BADVADDR($k0)
	sd	$a3, NODE_FRAME_BADINSTR($k0)
	.cfi_def_cfa 26, NODE_FRAME
	.irp r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	.cfi_offset \r, 8 * \r
	.endr
	.cfi_offset PC_COLUMN, NODE_FRAME_PC - NODE_FRAME
	li	$v0, MONITOR_STATUS
	mtc0	$v0, C0_STATUS
	ehb
	/* stay on the stack in use if it is this node's, else start at its top */
	ld	$v1, NODE_STACK($k0)
	dsubu	$v0, $v1, $sp
	sltiu	$v0, $v0, NODE_STACK_USABLE
	bnez	$v0, 1f
	move	$a0, $k0
	move	$sp, $v1
1:	jal	panic_exception		# does not return
	daddiu	$sp, $sp, -64
	nop				# where ra points is monitor_trap's, too
	.cfi_endproc

	/* The FPU's registers (FR = 1): fpu_save(state), fpu_load(state); Status.CU1 must be set. */
	.set	hardfloat
	.globl	fpu_save
fpu_save:
	.cfi_startproc
	.irp r, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	sdc1	$f\r, 8 * \r($a0)
	.endr
	cfc1	$v0, C1_FCSR
	jr	$ra
	sw	$v0, FPU_FCSR($a0)
	.cfi_endproc

	.globl	fpu_load
fpu_load:
	.cfi_startproc
	.irp r, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ldc1	$f\r, 8 * \r($a0)
	.endr
	lw	$v0, FPU_FCSR($a0)
fpu_load_fcsr:
	ctc1	$v0, C1_FCSR		# may raise FPE: monitor_trap
	jr	$ra
	nop
	.cfi_endproc
