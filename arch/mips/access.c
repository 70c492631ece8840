/* SPDX-License-Identifier: MIT */
/* Loads and stores decoded: the encodings of MD00087, table A.2. */
#include "arch/mips/access.h"
#include "kernel/errno.h"

/* By the opcode, bits 31..26; bytes 0: not one of ours. */
static const struct {
	u8 bytes;
	bool store, sign;
} opcodes[64] = {
	[0x20] = { 1, false, true },  /* LB */
	[0x21] = { 2, false, true },  /* LH */
	[0x23] = { 4, false, true },  /* LW */
	[0x24] = { 1, false, false }, /* LBU */
	[0x25] = { 2, false, false }, /* LHU */
	[0x27] = { 4, false, false }, /* LWU */
	[0x28] = { 1, true, false },  /* SB */
	[0x29] = { 2, true, false },  /* SH */
	[0x2b] = { 4, true, false },  /* SW */
	[0x37] = { 8, false, false }, /* LD */
	[0x3f] = { 8, true, false },  /* SD */
};

int access_decode(u32 insn, struct access *out)
{
	u32 opcode = insn >> 26;

	if (!opcodes[opcode].bytes)
		return -EINVAL;
	*out = (struct access){ .base = insn >> 21 & 31,
				.offset = (s16)insn,
				.reg = insn >> 16 & 31,
				.bytes = opcodes[opcode].bytes,
				.store = opcodes[opcode].store,
				.sign = opcodes[opcode].sign };
	return 0;
}

static u64 low(u64 val, unsigned bytes) { return bytes == 8 ? val : val & (BIT(8 * bytes) - 1); }

u64 access_loaded(const struct access *a, u64 raw)
{
	u64 val = low(raw, a->bytes), sign = BIT(8 * a->bytes - 1);

	return a->sign ? (val ^ sign) - sign : val;
}

u64 access_stored(const struct access *a, u64 reg) { return low(reg, a->bytes); }
