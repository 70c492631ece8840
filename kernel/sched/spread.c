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

bool spread_asks(struct spread_load mine, struct spread_load other)
{
	if (!other.movable)
		return false;
	if (!mine.wanting || other.weight >= mine.weight + SPREAD_MORE * other.light)
		return other.wanting >= mine.wanting + 1 + !mine.wanting;
	return other.weight >= mine.weight && mine.least > other.behind + SPREAD_LAG;
}

u64 spread_floor(u64 mine, u64 other)
{
	return other > mine + SPREAD_FORGET ? other - SPREAD_FORGET : mine;
}
