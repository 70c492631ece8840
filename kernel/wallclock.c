/* SPDX-License-Identifier: MIT */
/*
 * The chip shows whole seconds and is itself up to one behind the host (QEMU cuts the fraction off
 * when it sets the chip). So when it shows s, the host's time is in [s, s + 2), and s + 1 is the
 * guess. Count carries the guess on; whenever the two are further apart than two guesses can be,
 * time was lost or the chip was set, and there is a new guess.
 */
#include "kernel/wallclock.h"

#include "arch/mips/arch.h"
#include "drivers/dev.h"
#include "kernel/lock.h"

#define SECOND	  1000000000ul		/* ns */
#define APART_MAX (SECOND + SECOND / 4) /* a second, and some for the time that looking takes */
#define LOOK_MAX  (COUNT_HZ / 100)	/* a look that took longer: the host had no time in it, */
#define TRIES	  4			/* and there is another */

static struct lock lock = LOCK_INIT(RANK_CLOCK);

/* under lock */
static u64 guess;   /* ns since 1970; 0: none yet */
static u64 guessed; /* count64 at which guess was right */
static u64 looked;  /* count64 of the last look at the chip */

static u64 carried_on(u64 count) { return guess + (count - guessed) * COUNT_NS; }

static void look_at_chip(void)
{
	u64 count, chip, apart;
	u32 tries = 0;

	do {
		count = count64();
		chip = (rtc_seconds() + 1) * SECOND;
	} while (count64() - count > LOOK_MAX && ++tries < TRIES);
	apart = MAX(chip, carried_on(count)) - MIN(chip, carried_on(count));
	looked = count;
	if (guess && apart <= APART_MAX)
		return;
	guess = chip;
	guessed = count;
}

u64 wallclock_ns(void)
{
	u64 now;

	lock_take(&lock);
	if (!guess || count64() - looked >= COUNT_HZ)
		look_at_chip();
	now = carried_on(count64());
	lock_release(&lock);
	return now;
}
