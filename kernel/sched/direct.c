/* SPDX-License-Identifier: MIT */
/* Who goes first because others of its VM wait for it. Pure. */
#include "kernel/sched/direct.h"

u32 direct_next(u32 last, u32 self, u32 n)
{
	u32 next = (last + 1) % n;

	return next == self ? (next + 1) % n : next;
}

bool direct_looks(u64 now, u64 looked) { return now - looked >= DIRECT_LOOK; }

bool direct_asks(struct direct_look other, bool gang)
{
	return other.waits && (gang || other.kernel) && other.waited >= DIRECT_WAIT;
}

bool direct_comes_back(bool gave_way, bool again, bool same)
{
	return gave_way ? !same : again && same;
}

bool direct_calls_gang(bool in_turn, bool fills_in) { return in_turn && !fills_in; }

bool direct_may_run(const struct account *vm, const struct account_queue *q)
{
	return vm->virtual_time <= q->floor + ACCOUNT_CREDIT;
}
