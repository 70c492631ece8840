/* SPDX-License-Identifier: MIT */
/*
 * Rule: a guest's kernel has no KSEG0, KSEG1, kseg3, XKPHYS or xkseg: loads, stores and jumps there
 * give it an address error, and it lives on. kernel/abi/disco.h.
 *
 * Method: load and store in three positions, and a jump, at several addresses of each, among them
 * where the monitor is.
 */
#include "tests/guest/test.h"

PROBE3(p_ld, "ld $2, 0($4)");
PROBE3(p_sd, "sd $0, 0($4)");
PROBE(p_jump, "move $8, $31\n\tjr $4\n\tnop");

static const struct {
	const char *name;
	u64 va;
} places[] = {
	{ "KSEG0", 0xffffffff80000000 },	   { "KSEG0, monitor", 0xffffffff80100000 },
	{ "KSEG1", 0xffffffffa0000000 },	   { "KSEG1, UART", 0xffffffffb80003f8 },
	{ "KSEG1, boot ROM", 0xffffffffbfc00000 }, { "kseg3", 0xffffffffe0000000 },
	{ "last word", 0xfffffffffffffff8 },	   { "XKPHYS cached", 0x9800000080000000 },
	{ "XKPHYS uncached", 0x9000000080000000 }, { "xkseg", 0xc000000000000000 },
};

int main(void)
{
	need_monitor();
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		u64 va = places[i].va;

		print("%s\n", places[i].name);
		EXPECT3(MODE_KERNEL, "load", p_ld, va, 0, .exc = EXC_ADEL, .has_va = true,
			.va = va);
		EXPECT3(MODE_KERNEL, "store", p_sd, va, 0, .exc = EXC_ADES, .has_va = true,
			.va = va);
		EXPECT("jump", probe(p_jump, va, 0, 0), .exc = EXC_ADEL, .at = (void *)va,
		       .no_insn = true, .has_va = true, .va = va);
	}
	return verdict();
}
