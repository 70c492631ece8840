/* SPDX-License-Identifier: MIT */
/* Accounts of processor time, and the choice among them. Pure. */
#include "kernel/sched/account.h"

void account_charge(struct account *a, u64 ticks, u64 now)
{
	u64 begin = now - ticks;

	a->virtual_time += ticks * ACCOUNT_WEIGHT / a->weight;
	if (!a->cap)
		return;
	/* What it might have had a little before is not lost: slices end with ticks. */
	begin -= MIN(begin, (u64)ACCOUNT_CAP_AHEAD);
	a->within_cap = MAX(a->within_cap, begin) + ticks * 100 / a->cap;
}

void account_part(struct account *a, const struct account_queue *from)
{
	s64 lead = (s64)(a->virtual_time - from->floor);

	lead = MIN(MAX(lead, -(s64)ACCOUNT_CARRY), (s64)ACCOUNT_CARRY);
	a->virtual_time = (u64)(lead + ACCOUNT_CARRY);
}

void account_join(struct account *a, const struct account_queue *to)
{
	u64 time = to->floor + a->virtual_time;

	a->virtual_time = time > ACCOUNT_CARRY ? time - ACCOUNT_CARRY : 0;
}

bool account_within_cap(const struct account *a, u64 now)
{
	return !a->cap || a->within_cap <= now + ACCOUNT_CAP_AHEAD;
}

struct account_choice account_choose(struct account_queue *q)
{
	return (struct account_choice){ .queue = q, .least = ~0ul };
}

/* By how much it counts as further on than it is. */
static s64 handicap(enum account_role role)
{
	switch (role) {
	case ACCOUNT_SLICE_ENDS: return ACCOUNT_SLICE_OVER;
	case ACCOUNT_INTERRUPTED: return -ACCOUNT_GRAIN;
	default: return 0;
	}
}

bool account_offer(struct account_choice *c, struct account *a, enum account_role role)
{
	u64 floor = c->queue->floor, patience = c->queue->patience;
	bool gives_way = role == ACCOUNT_GIVES_WAY, better;
	s64 lead;

	patience = patience ? patience : ACCOUNT_CREDIT;
	if (a->virtual_time + patience < floor)
		a->virtual_time = floor - patience;
	lead = (s64)(a->virtual_time - floor) + handicap(role);
	if (!gives_way)
		c->least = MIN(c->least, a->virtual_time);
	better = !c->best || c->gives_way > gives_way ||
		 (c->gives_way == gives_way && lead < c->best_lead);
	if (!better)
		return false;
	c->best = a;
	c->best_lead = lead;
	c->gives_way = gives_way;
	return true;
}

void account_wake(const struct account_queue *q, struct account *a)
{
	if (a->virtual_time + ACCOUNT_CREDIT < q->floor)
		a->virtual_time = q->floor - ACCOUNT_CREDIT;
}

void account_chosen(const struct account_choice *c)
{
	u64 least = c->gives_way ? c->best->virtual_time : c->least;

	if (c->best && least > c->queue->floor)
		c->queue->floor = least;
}
