/* SPDX-License-Identifier: MIT */
/* The time of day, for guests: Count says how it goes on, the machine's clock chip where it is. */
#ifndef KERNEL_WALLCLOCK_H
#define KERNEL_WALLCLOCK_H

#include "kernel/types.h"

/*
 * Nanoseconds since 1970-01-01 00:00 UTC; less than a second wrong as the chip goes, and never back
 * but when the chip was set back. Looks at the chip once a second at most, so that a machine that
 * stood still, or a Count that wrapped meanwhile, is right again at the first call a second later.
 * Any node; takes RANK_CLOCK.
 */
u64 wallclock_ns(void);

#endif /* KERNEL_WALLCLOCK_H */
