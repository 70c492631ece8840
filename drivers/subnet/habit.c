/* SPDX-License-Identifier: MIT */
/* Which pages of a sender are worth passing, by what came of it before. */
#include "drivers/subnet/habit.h"

#define PASSED	   1
#define VAIN_SHIFT 1
#define VAIN_MAX   2
#define LEFT_SHIFT 3
#define LEFT_MAX   ((u32)(u8)~0u >> LEFT_SHIFT)

_Static_assert(HABIT_COPIES - 1 <= LEFT_MAX, "the copies to go fit a place");

static u8 make(bool passed, u32 vain, u32 left)
{
	return (passed ? PASSED : 0) | vain << VAIN_SHIFT | left << LEFT_SHIFT;
}

bool habit_passes(struct habit *h, gpn_t page, bool shared)
{
	u8 *place = &h->place[page.v % HABIT_PAGES];
	u32 vain = *place >> VAIN_SHIFT & 3, left = *place >> LEFT_SHIFT;
	bool passes = shared;

	if (shared) {
		*place = make(true, 0, 0);
	} else if (left) {
		*place = make(false, vain, left - 1);
	} else {
		vain = MIN(vain + (*place & PASSED), (u32)VAIN_MAX);
		passes = vain < VAIN_MAX || !(*place & PASSED);
		*place = make(passes, vain, passes ? 0 : HABIT_COPIES - 1);
	}
	return passes;
}
