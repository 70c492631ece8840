/* SPDX-License-Identifier: MIT */
/* Which node fetches a VCPU from which. Pure. */
#include "kernel/sched/spread.h"

static u32 draw(struct spread *s)
{
	s->seed = s->seed * 6364136223846793005ul + 1442695040888963407ul;
	return s->seed >> 33;
}

u32 spread_place(struct spread *s, bool idle, u32 i, u32 n)
{
	if (idle && i < SPREAD_NEAR)
		return i % (n - 1) + 1;
	return draw(s) % (n - 1) + 1;
}

bool spread_asks(u32 wanting, struct spread_load other)
{
	return other.movable && other.wanting >= wanting + SPREAD_MORE;
}
