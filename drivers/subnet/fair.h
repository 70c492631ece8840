/* SPDX-License-Identifier: MIT */
/*
 * The receive buffers of one port, and who has taken how many of them lately: so that one sender, whatever it
 * sends, leaves some for the others. Pure; the receiver's device lock protects it.
 *
 *   who sends                                         may take
 *   nobody else has lately                            all
 *   no more than the average of those who have        all
 *   more than the average                             all but an eighth of the queue
 *
 * Lately is some tenths of a second: what was taken counts half after each. Who finds no buffers counts as one
 * who has sent, so that the next time some are left.
 */
#ifndef DRIVERS_SUBNET_FAIR_H
#define DRIVERS_SUBNET_FAIR_H

#include "drivers/subnet/subnet.h"

#define FAIR_HALF    100 /* ms */
#define FAIR_REFUSED 4	 /* buffers: what a frame counts that has found none */

struct fair {
	u64 halved;	 /* count64, of the last time */
	u32 sum, active; /* of took: all, and how many are not 0 */
	u32 took[PORTS_MAX];
};

void fair_age(struct fair *f, u64 now); /* before the others, with count64 */
/* How many buffers of a queue of that size the sender, a port's index, is to leave. */
u32 fair_leaves(const struct fair *f, u32 sender, u32 size);
void fair_took(struct fair *f, u32 sender, u32 buffers);
void fair_refused(struct fair *f, u32 sender);

#endif /* DRIVERS_SUBNET_FAIR_H */
