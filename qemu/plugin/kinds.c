/* SPDX-License-Identifier: MIT */
/* Kinds of instructions and parts of the address space. */
#include "qemu/plugin/kinds.h"

const char *const segment_names[SEGMENTS + 1] = {
	"kernel",
	"supervisor",
	"user",
	"nowhere",
};

const char *const kind_names[KINDS] = {
	"other", "mfc0",  "dmfc0",   "mtc0",	"dmtc0", "misc_c0", "di",
	"ei",	 "tlbr",  "tlbwi",   "tlbwr",	"tlbp",	 "tlbinv",  "eret",
	"wait",	 "cache", "hypcall", "syscall", "break", "fp",	    "memory",
};

enum segment segment_of(uint64_t va)
{
	if (va < 0x4000000000000000u)
		return SEG_USER;
	if (va < 0x8000000000000000u || (va >= 0xffffffffc0000000u && va < 0xffffffffe0000000u))
		return SEG_SUPERVISOR;
	return SEG_KERNEL;
}

static enum kind kind_of_co(uint32_t word)
{
	switch (word & 0x3f) {
	case 0x01: return KIND_TLBR;
	case 0x02: return KIND_TLBWI;
	case 0x03:
	case 0x04: return KIND_TLBINV;
	case 0x06: return KIND_TLBWR;
	case 0x08: return KIND_TLBP;
	case 0x18: return KIND_ERET;
	case 0x20: return KIND_WAIT;
	case 0x28: return KIND_HYPCALL;
	default: return KIND_MISC_C0;
	}
}

static enum kind kind_of_cop0(uint32_t word)
{
	switch (word >> 21 & 31) {
	case 0: return KIND_MFC0;
	case 1: return KIND_DMFC0;
	case 4: return KIND_MTC0;
	case 5: return KIND_DMTC0;
	case 11: return word & 0x20 ? KIND_EI : KIND_DI;
	default: return word & 1u << 25 ? kind_of_co(word) : KIND_MISC_C0;
	}
}

enum kind kind_of(uint32_t word)
{
	uint32_t opcode = word >> 26, function = word & 0x3f;

	if (opcode == 0x10)
		return kind_of_cop0(word);
	if (opcode == 0x1f && function == 0x25)
		return KIND_CACHE;
	if (opcode == 0 && function == 0x0c)
		return KIND_SYSCALL;
	if (opcode == 0 && function == 0x0d)
		return KIND_BREAK;
	if (opcode == 0x11 || opcode == 0x31 || opcode == 0x35 || opcode == 0x39 || opcode == 0x3d)
		return KIND_FP;
	if (opcode >= 0x20 && opcode != 0x32 && opcode != 0x3a && opcode != 0x36 && opcode != 0x3e)
		return KIND_MEMORY;
	return KIND_OTHER;
}
