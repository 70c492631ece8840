/* SPDX-License-Identifier: MIT */
/*
 * The monitor's text in each node's own memory: a copy of .text whose jumps lead into the copy.
 * Branches are relative anyway; data stays where it is. A node enters its copy by its EBase and
 * leaves it only through pointers to functions, for which there is TEXT_HERE. Paper: section 4.2.1.
 */
#include <string.h>
#include "arch/mips/cp0.h"
#include "arch/mips/branch.h"
#include "arch/mips/mips.h"
#include "kernel/options.h"

extern char text_start[], text_end[], vectors[];

#define REGION_SHIFT 28 /* a jump stays in its 256 MB */
#define SYNCI_STEP   16

size_t arch_text_bytes(void) { return text_end - text_start; }

u64 arch_text_copy(void *to)
{
	u64 delta = (u64)to - (u64)text_start, last = (u64)to + arch_text_bytes() - 1;
	u32 *insn = to;

	if (!option_on(OPTION_TEXT) || !to || ((u64)to ^ last) >> REGION_SHIFT)
		return 0;
	memcpy(to, text_start, arch_text_bytes());
	for (size_t i = 0; i < arch_text_bytes() / sizeof(*insn); i++)
		insn[i] = branch_retarget(insn[i], delta);
	for (u64 a = (u64)to; a <= last; a += SYNCI_STEP)
		__asm__ volatile("synci 0(%0)" ::"r"(a) : "memory");
	__asm__ volatile("sync" ::: "memory");
	return delta;
}

/* The write gate lets EBase leave KSEG0. gdb learns here, the first time, where the copies are
 * (qemu/gdb/copies.py). */
void text_enter(const struct node *n)
{
	cp0_write64(CP0_EBASE, ((u64)vectors + n->text) | EBASE_WG);
}

u64 arch_text_original(u64 pc)
{
	for (unsigned i = 0; i < nnodes; i++) {
		u64 at = nodes[i] ? pc - nodes[i]->text : pc;

		if (at >= (u64)text_start && at < (u64)text_end)
			return at;
	}
	return pc;
}
