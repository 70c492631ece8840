/* SPDX-License-Identifier: MIT */
/* Next pc behind a delay slot or a forbidden slot. Pure; encodings of MD00087 appendix A. */
#include "arch/mips/branch.h"
#include "kernel/errno.h"

enum {
	OP_SPECIAL = 0x00,
	OP_REGIMM = 0x01,
	OP_J = 0x02,
	OP_JAL = 0x03,
	OP_BEQ = 0x04,
	OP_BNE = 0x05,
	OP_BLEZ = 0x06,	 /* rt = 0; else POP06: BLEZALC, BGEZALC, BGEUC */
	OP_BGTZ = 0x07,	 /* rt = 0; else POP07: BGTZALC, BLTZALC, BLTUC */
	OP_POP10 = 0x08, /* BOVC, BEQZALC, BEQC */
	OP_COP1 = 0x11,
	OP_POP26 = 0x16, /* BLEZC, BGEZC, BGEC */
	OP_POP27 = 0x17, /* BGTZC, BLTZC, BLTC */
	OP_POP30 = 0x18, /* BNVC, BNEZALC, BNEC */
	OP_POP66 = 0x36, /* BEQZC, JIC */
	OP_POP76 = 0x3e, /* BNEZC, JIALC */

	FUNCT_JALR = 0x09,
	RT_BLTZ = 0x00,
	RT_BGEZ = 0x01,
	RT_BLTZAL = 0x10, /* R6: NAL, rs = 0 */
	RT_BGEZAL = 0x11, /* R6: BAL, rs = 0 */
	RS_BC1EQZ = 0x09,
	RS_BC1NEZ = 0x0d,
};

static void link_to(struct branch *b, u8 reg, u64 pc)
{
	b->link = reg;
	b->link_value = pc + 8;
}

static int decode_regimm(u32 rt, s64 rs, u64 pc, u64 target, struct branch *b)
{
	switch (rt) {
	case RT_BLTZAL: link_to(b, 31, pc); /* fall through */
	case RT_BLTZ: b->next = rs < 0 ? target : pc + 8; return 0;
	case RT_BGEZAL: link_to(b, 31, pc); /* fall through */
	case RT_BGEZ: b->next = rs >= 0 ? target : pc + 8; return 0;
	default: return -EINVAL;
	}
}

static int decode_cop1(u32 insn, u64 pc, u64 target, struct branch *b)
{
	u32 rs = insn >> 21 & 31;

	if (rs != RS_BC1EQZ && rs != RS_BC1NEZ)
		return -EINVAL;
	b->fpr = insn >> 16 & 31;
	b->fpr_nonzero = rs == RS_BC1NEZ;
	b->fpr_taken = target;
	b->fpr_not = pc + 8;
	return 0;
}

int branch_decode(u32 insn, u64 pc, const u64 gpr[32], struct branch *out)
{
	u64 target = pc + 4 + (u64)((s64)(s16)insn * 4);
	u32 rs = insn >> 21 & 31, rt = insn >> 16 & 31;
	s64 a = (s64)gpr[rs], b = (s64)gpr[rt];

	*out = (struct branch){ .next = pc + 8, .fpr = -1 };
	switch (insn >> 26) {
	case OP_SPECIAL:
		if ((insn & 0x3f) != FUNCT_JALR)
			return -EINVAL;
		link_to(out, insn >> 11 & 31, pc);
		out->next = gpr[rs];
		return 0;
	case OP_REGIMM: return decode_regimm(rt, a, pc, target, out);
	case OP_JAL: link_to(out, 31, pc); /* fall through */
	case OP_J: out->next = ((pc + 4) & ~0xffffffful) | (u64)(insn & 0x3ffffff) << 2; return 0;
	case OP_BEQ: out->next = a == b ? target : pc + 8; return 0;
	case OP_BNE: out->next = a != b ? target : pc + 8; return 0;
	case OP_BLEZ:
		if (rt == 0)
			out->next = a <= 0 ? target : pc + 8;
		return 0;
	case OP_BGTZ:
		if (rt == 0)
			out->next = a > 0 ? target : pc + 8;
		return 0;
	case OP_COP1: return decode_cop1(insn, pc, target, out);
	case OP_POP10:
	case OP_POP26:
	case OP_POP27:
	case OP_POP30:
	case OP_POP66:
	case OP_POP76: return 0; /* compact, not taken: behind the forbidden slot */
	default: return -EINVAL; /* BC, BALC have no slot */
	}
}

u32 branch_retarget(u32 insn, u64 delta)
{
	const u32 target = 0x03ffffff;
	u32 op = insn >> 26;

	if (op != OP_J && op != OP_JAL)
		return insn;
	return (insn & ~target) | ((insn + (u32)(delta >> 2)) & target);
}
