/* SPDX-License-Identifier: MIT */
/* Random numbers of the tests of kernel/reloc: xorshift, the same in each run. */
#ifndef TESTS_UNIT_RELOC_DRAW_H
#define TESTS_UNIT_RELOC_DRAW_H

#include "kernel/types.h"

static u64 draw(void)
{
	static u64 state = 88172645463325252ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

#endif /* TESTS_UNIT_RELOC_DRAW_H */
