/* SPDX-License-Identifier: MIT */
/* What the model must know of an instruction of MIPS64 R6; pure. */
#ifndef QEMU_FLASH_DECODE_H
#define QEMU_FLASH_DECODE_H

#include <stdbool.h>
#include <stdint.h>

enum insn_kind {
	INSN_PLAIN,  /* once begun, it ends */
	INSN_MEMORY, /* accesses memory unless an exception ends it */
	INSN_MAYBE,  /* may access memory, may end in an exception */
	INSN_WAIT,
	INSN_ERET,	/* in the monitor, or on a bare machine: an exception ends */
	INSN_ROI_BEGIN, /* addiu $0, $0, 0x5101: the region of interest begins behind it */
	INSN_ROI_END,	/* addiu $0, $0, 0x5102: ends with it */
};

enum insn_kind decode_kind(uint32_t word);
/* A branch whose next instruction is executed only if it is not taken. */
bool decode_has_forbidden_slot(uint32_t word);

/* Whose code an address is: the monitor's segments, the supervisor's, the user's. */
enum class { CLASS_MONITOR, CLASS_KERNEL, CLASS_USER, CLASSES };
enum class decode_class(uint64_t va);

#endif /* QEMU_FLASH_DECODE_H */
