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
	INSN_ERET,	 /* in the monitor, or on a bare machine: an exception ends */
	INSN_ROI_BEGIN,	 /* addiu $0, $0, 0x5101: the region of interest begins behind it */
	INSN_ROI_END,	 /* addiu $0, $0, 0x5102: ends with it */
	INSN_UNIT_BEGIN, /* sltiu $0, $0, 0x5100 + n: unit n begins behind it, as in count.c */
	INSN_UNIT_END,	 /* sltiu $0, $0, 0x5200 + n: ends with it */
};

enum insn_kind decode_kind(uint32_t word);
/* A branch whose next instruction is executed only if it is not taken. */
bool decode_has_forbidden_slot(uint32_t word);

/* Of a unit's marker: n, 1 to 255. */
static inline unsigned decode_unit(uint32_t word) { return word & 0xff; }

/* Why the exception vectors were entered. */
enum cause {
	CAUSE_NONE,
	CAUSE_USER_MISS,   /* TLB refill for a user program */
	CAUSE_KERNEL_MISS, /* for a guest's kernel */
	CAUSE_FETCH_MISS,  /* for the first instruction after a return, whose mode is not known */
	CAUSE_FAULT,	   /* an access or a fetch: invalid, read-only, unaligned, not allowed */
	CAUSE_SYSCALL,
	CAUSE_TLB,	  /* an instruction on the TLB */
	CAUSE_PRIVILEGED, /* another one that only kernel mode may execute */
	CAUSE_ERET,
	CAUSE_CALL,  /* of the monitor */
	CAUSE_OTHER, /* floating point, traps, breakpoints */
	CAUSE_INTERRUPT,
	CAUSES
};

extern const char *const decode_cause_names[CAUSES];

/* Why the general vector is entered if the instruction is the last one before. */
enum cause decode_cause(uint32_t word);

/* Whose code an address is: the monitor's segments, the supervisor's, the user's. */
enum class { CLASS_MONITOR, CLASS_KERNEL, CLASS_USER, CLASSES };
enum class decode_class(uint64_t va);

#endif /* QEMU_FLASH_DECODE_H */
