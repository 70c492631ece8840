/* SPDX-License-Identifier: MIT */
/*
 * After a fatal error: CP0 registers, the machine's TLB and a back trace with names. Takes no lock
 * of its own.
 */
#include "arch/mips/cp0.h"
#include "arch/mips/mips.h"
#include "kernel/log.h"
#include "kernel/symbols.h"

#define MACHINE_TLB_ENTRIES 16
#define FRAMES_MAX	    24
#define PROLOGUE_MAX	    2048 /* instructions searched backwards for a function's stack frame */

void arch_dump(void)
{
	kprintf("Status %08x Cause %08x EPC %016lx BadVAddr %016lx EntryHi %016lx\n",
		cp0_read32(CP0_STATUS), cp0_read32(CP0_CAUSE), cp0_read64(CP0_EPC),
		cp0_read64(CP0_BADVADDR), cp0_read64(CP0_ENTRYHI));
	kprintf("Count %08x Compare %08x PageGrain %08x Wired %u Config5 %08x EBase %08x\n",
		cp0_read32(CP0_COUNT), cp0_read32(CP0_COMPARE), cp0_read32(CP0_PAGEGRAIN),
		cp0_read32(CP0_WIRED), cp0_read32(CP0_CONFIG(5)), cp0_read32(CP0_EBASE));
	for (u32 i = 0; i < MACHINE_TLB_ENTRIES; i++) {
		cp0_write32(CP0_INDEX, i);
		tlbr();
		u64 hi = cp0_read64(CP0_ENTRYHI);

		if (!(hi & ENTRYHI_EHINV))
			kprintf("TLB %2u  hi %016lx lo %016lx %016lx\n", i, hi,
				cp0_read64(CP0_ENTRYLO0), cp0_read64(CP0_ENTRYLO1));
	}
}

static bool is_text(u64 pc)
{
	extern char text_start[], text_end[];

	return pc >= (u64)text_start && pc < (u64)text_end && !(pc & 3);
}

/*
 * Searches back from pc for "daddiu sp, sp, -size", and on the way for "sd ra, offset(sp)". GCC's
 * code for this processor has one of each at a function's head. False: a leaf without a frame.
 */
static bool find_frame(u64 pc, u32 *size, u32 *ra_offset)
{
	u64 start = symbol_start(pc);

	*ra_offset = 0;
	for (unsigned i = 0; i < PROLOGUE_MAX && is_text(pc) && pc >= start; i++, pc -= 4) {
		u32 insn = *(const u32 *)pc;

		if (insn >> 16 == 0xffbf) /* sd ra, x(sp) */
			*ra_offset = insn & 0xffff;
		if (insn >> 16 == 0x67bd && (s16)insn < 0) { /* daddiu sp, sp, -x */
			*size = (u32) - (s16)insn;
			return true;
		}
	}
	return false;
}

void arch_backtrace(u64 pc, u64 sp, u64 ra)
{
	pc = arch_text_original(pc);
	for (unsigned i = 0; i < FRAMES_MAX && is_text(pc); i++) {
		u32 size, ra_offset;

		kprintf("  %016lx %s\n", pc, symbol_name(pc));
		if (!find_frame(pc, &size, &ra_offset)) {
			if (i)
				return;
			pc = arch_text_original(ra - 8);
			continue;
		}
		if (ra_offset)
			ra = *(const u64 *)(sp + ra_offset);
		else if (i)
			return;
		sp += size;
		pc = arch_text_original(ra - 8);
	}
}

void arch_backtrace_here(void)
{
	u64 sp, pc;

	__asm__ volatile("move %0, $29" : "=r"(sp));
	__asm__ volatile("lapc %0, ." : "=r"(pc));
	arch_backtrace(pc, sp, (u64)__builtin_return_address(0));
}
