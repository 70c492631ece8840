/* SPDX-License-Identifier: MIT */
/* Whether a VCPU goes to its memory, or that to it. Pure. */
#include "kernel/sched/affinity.h"

#define VOTES_MAX (1u << 20)

void affinity_vote(struct affinity *a, u32 node, u32 pages)
{
	if (node == a->node) {
		a->ahead = MIN(a->ahead + pages, VOTES_MAX);
	} else if (pages > a->ahead) {
		a->node = node;
		a->ahead = MIN(pages - a->ahead, VOTES_MAX);
	} else {
		a->ahead -= pages;
	}
}

void affinity_tick(struct affinity *a)
{
	a->ahead -= (a->ahead + AFFINITY_FORGET - 1) / AFFINITY_FORGET;
}

enum affinity_move affinity_decide(const struct affinity *a, u32 here, struct spread_load mine,
				   struct spread_load there, u64 since_ms, u64 page_ns)
{
	if (a->node == here || there.wanting >= mine.wanting || a->ahead * page_ns <= AFFINITY_NS)
		return AFFINITY_PAGES;
	return since_ms < SPREAD_STAY_MS ? AFFINITY_NOTHING : AFFINITY_VCPU;
}

/* How much its memory wants it to go from here to there. */
static s64 pull(const struct affinity *a, u32 here, u32 to)
{
	if (a->node == to)
		return a->ahead;
	return a->node == here ? -(s64)a->ahead : 0;
}

bool affinity_rather(const struct affinity *a, u64 had_a, const struct affinity *b, u64 had_b,
		     u32 here, u32 to)
{
	s64 behind = (s64)(had_b - had_a), more = pull(a, here, to) - pull(b, here, to);

	if (behind > (s64)SPREAD_LAG || behind < -(s64)SPREAD_LAG || !more)
		return behind > 0;
	return more > 0;
}
