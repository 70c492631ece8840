/* SPDX-License-Identifier: MIT */
/* Instructions by what they can do in the middle of a block. */
#include "qemu/flash/decode.h"

#define ROI_BEGIN  0x24005101u
#define ROI_END	   0x24005102u
#define MARK_MASK  0xffffff00u
#define MARK_BEGIN 0x2c005100u
#define MARK_END   0x2c005200u
#define ERET	   0x42000018u
#define ERETNC	   0x42000058u

enum opcode {
	OP_SPECIAL = 0x00,
	OP_POP06 = 0x06,
	OP_POP07 = 0x07,
	OP_POP10 = 0x08,
	OP_COP0 = 0x10,
	OP_COP1 = 0x11,
	OP_POP26 = 0x16,
	OP_POP27 = 0x17,
	OP_POP30 = 0x18,
	OP_MSA = 0x1e,
	OP_SPECIAL3 = 0x1f,
	OP_LB = 0x20,
	OP_SW = 0x2b,
	OP_LWC1 = 0x31,
	OP_LDC1 = 0x35,
	OP_POP66 = 0x36,
	OP_LD = 0x37,
	OP_SWC1 = 0x39,
	OP_PCREL = 0x3b,
	OP_SDC1 = 0x3d,
	OP_POP76 = 0x3e,
	OP_SD = 0x3f,
};

static enum insn_kind kind_of_special(uint32_t function)
{
	switch (function) {
	case 0x20:
	case 0x22:
	case 0x2c:
	case 0x2e: return INSN_MAYBE; /* add, sub, dadd, dsub: overflow */
	default:
		return function >= 0x30 && function <= 0x36 && function != 0x35 ? INSN_MAYBE
										: INSN_PLAIN;
	} /* tge ... tne */
}

static enum insn_kind kind_of_special3(uint32_t function)
{
	switch (function) {
	case 0x36:
	case 0x37: return INSN_MEMORY; /* ll, lld */
	case 0x25:		       /* cache */
	case 0x26:
	case 0x27:		      /* sc, scd */
	case 0x3b: return INSN_MAYBE; /* rdhwr */
	default: return INSN_PLAIN;
	}
}

static enum insn_kind kind_of_pcrel(uint32_t word)
{
	uint32_t what = word >> 19 & 3;

	return what == 1 || what == 2 || (word >> 18 & 7) == 6 ? INSN_MEMORY : INSN_PLAIN;
}

enum insn_kind decode_kind(uint32_t word)
{
	uint32_t opcode = word >> 26;

	if (word == ROI_BEGIN)
		return INSN_ROI_BEGIN;
	if (word == ROI_END)
		return INSN_ROI_END;
	if ((word & MARK_MASK) == MARK_BEGIN && decode_unit(word))
		return INSN_UNIT_BEGIN;
	if ((word & MARK_MASK) == MARK_END && decode_unit(word))
		return INSN_UNIT_END;
	switch (opcode) {
	case OP_SPECIAL: return kind_of_special(word & 0x3f);
	case OP_SPECIAL3: return kind_of_special3(word & 0x3f);
	case OP_PCREL: return kind_of_pcrel(word);
	case OP_COP0:
		if (word == ERET || word == ERETNC)
			return INSN_ERET;
		return (word & 0xfe00003f) == 0x42000020 ? INSN_WAIT : INSN_PLAIN;
	case OP_COP1: /* arithmetic and ctc1; branches, bc1eqz..., have slots but do not trap */
		return (word >> 21 & 31) == 6 || (word >> 21 & 31) >= 16 ? INSN_MAYBE : INSN_PLAIN;
	case OP_MSA: return INSN_MAYBE;
	case OP_LWC1:
	case OP_LDC1:
	case OP_LD:
	case OP_SWC1:
	case OP_SDC1:
	case OP_SD: return INSN_MEMORY;
	default: return opcode >= OP_LB && opcode <= OP_SW ? INSN_MEMORY : INSN_PLAIN;
	}
}

const char *const decode_cause_names[CAUSES] = {
	"none", "user_miss",  "kernel_miss", "fetch_miss", "fault", "syscall",
	"tlb",	"privileged", "eret",	     "call",	   "other", "interrupt",
};

static enum cause cause_of_cop0(uint32_t word)
{
	if (!(word & 1u << 25))
		return CAUSE_PRIVILEGED;
	switch (word & 0x3f) {
	case 0x01: /* tlbr, tlbwi, tlbinv, tlbinvf, tlbwr, tlbp */
	case 0x02:
	case 0x03:
	case 0x04:
	case 0x06:
	case 0x08: return CAUSE_TLB;
	case 0x18: return CAUSE_ERET;
	case 0x28: return CAUSE_CALL;
	default: return CAUSE_PRIVILEGED;
	}
}

enum cause decode_cause(uint32_t word)
{
	uint32_t function = word & 0x3f;

	switch (word >> 26) {
	case OP_COP0: return cause_of_cop0(word);
	case OP_SPECIAL:
		if (function == 0x0c)
			return CAUSE_SYSCALL;
		return function == 0x0d || kind_of_special(function) == INSN_MAYBE ? CAUSE_OTHER
										   : CAUSE_FAULT;
	case OP_SPECIAL3: return function == 0x25 ? CAUSE_PRIVILEGED : CAUSE_FAULT; /* cache */
	case OP_COP1:
	case OP_MSA:
	case OP_LWC1:
	case OP_LDC1:
	case OP_SWC1:
	case OP_SDC1: return CAUSE_OTHER;
	default: return CAUSE_FAULT;
	}
}

bool decode_has_forbidden_slot(uint32_t word)
{
	uint32_t rs = word >> 21 & 31, rt = word >> 16 & 31;

	switch (word >> 26) {
	case OP_POP06:
	case OP_POP07: return rt != 0; /* blez, bgtz have a delay slot */
	case OP_POP10:
	case OP_POP30:
	case OP_POP26:
	case OP_POP27: return true;
	case OP_POP66:
	case OP_POP76: return rs != 0; /* jic, jialc have no slot at all */
	default: return false;
	}
}

enum class decode_class(uint64_t va) {
	if (va < 0x4000000000000000u) return CLASS_USER;
	if (va < 0x8000000000000000u ||
	    (va >= 0xffffffffc0000000u && va < 0xffffffffe0000000u)) return CLASS_KERNEL;
	return CLASS_MONITOR;
}
