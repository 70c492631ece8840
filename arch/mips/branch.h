/* SPDX-License-Identifier: MIT */
/*
 * Where a MIPS64R6 branch goes: needed when an instruction in its delay slot is emulated, since
 * execution then goes on behind the slot (MD00087; docs/tour.md). Pure.
 */
#ifndef ARCH_MIPS_BRANCH_H
#define ARCH_MIPS_BRANCH_H

#include "kernel/types.h"

struct branch {
	u64 next; /* pc after the slot */
	u8 link;  /* register that the branch writes, 0 for none */
	u64 link_value;
	s8 fpr;			/* BC1EQZ, BC1NEZ: the FPU register that decides, else -1 */
	u64 fpr_taken, fpr_not; /* then: next if taken, if not */
	bool fpr_nonzero;	/* taken if bit 0 of the register is set */
};

/*
 * insn: the word at pc, known to be what Cause.BD calls a branch: one with a delay slot, or a
 * compact one that was not taken and whose forbidden slot trapped. gpr: the registers before the
 * slot executes. Returns 0, or -EINVAL if insn is no branch.
 */
int branch_decode(u32 insn, u64 pc, const u64 gpr[32], struct branch *out);

/* insn, to be copied delta bytes away with all the code that its jumps lead to: J and JAL name the
 * copy. */
u32 branch_retarget(u32 insn, u64 delta);

#endif /* ARCH_MIPS_BRANCH_H */
