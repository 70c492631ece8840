/* SPDX-License-Identifier: MIT */
/*
 * What one sender does with its pages after they were passed, so that those which it fills anew each time are copied: to
 * pass one costs more than a copy, and the sender's next store to it costs a copy all the same. A page that nobody
 * writes, as one of a file, is passed each time. Pure; the home of the port alone.
 *
 *   the page, when it is sent again                            is
 *   shared still: nobody has written it                        passed, and its past forgotten
 *   written since it was passed, for the first time            passed once more: it may be another file's page
 *   written since it was passed, for the second time or more   copied, and the next HABIT_COPIES - 1 times it is sent
 *   never sent, or copied as often                             passed
 *
 * A place for each page of the sender's up to some number, others have the same places: what is remembered of the
 * one is then said of the other. It is about cost, never about what a receiver gets.
 */
#ifndef DRIVERS_SUBNET_HABIT_H
#define DRIVERS_SUBNET_HABIT_H

#include "kernel/types.h"

#define HABIT_PAGES  4096
#define HABIT_COPIES 31

struct habit {
	u8 place[HABIT_PAGES]; /* bit 0: passed the last time; bits 1, 2: how often in vain; the rest: copies to go */
};

/* Whether to pass the page, which is shared now or its VM's own. */
bool habit_passes(struct habit *h, gpn_t page, bool shared);

#endif /* DRIVERS_SUBNET_HABIT_H */
