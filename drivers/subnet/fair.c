/* SPDX-License-Identifier: MIT */
/* Who has taken how many of a port's receive buffers lately. */
#include "arch/mips/arch.h"
#include "drivers/subnet/fair.h"

#define PERIOD	(FAIR_HALF * COUNT_MS)
#define ALL	32 /* halvings, after which nothing is left */
#define PART(n) ((n) / 8)

void fair_age(struct fair *f, u64 now)
{
	u64 periods = (now - f->halved) / PERIOD;

	if (!periods)
		return;
	f->halved += periods * PERIOD;
	f->sum = f->active = 0;
	for (u32 i = 0; i < PORTS_MAX; i++) {
		f->took[i] = periods < ALL ? f->took[i] >> periods : 0;
		f->sum += f->took[i];
		f->active += !!f->took[i];
	}
}

u32 fair_leaves(const struct fair *f, u32 sender, u32 size)
{
	return (u64)f->took[sender] * f->active > f->sum ? PART(size) : 0;
}

void fair_took(struct fair *f, u32 sender, u32 buffers)
{
	if (f->took[sender] >
	    ~0u / 2 / PORTS_MAX) /* no guest is that fast: 60 million in a period */
		return;
	f->active += !f->took[sender] && buffers;
	f->took[sender] += buffers;
	f->sum += buffers;
}

void fair_refused(struct fair *f, u32 sender)
{
	if (f->took[sender] < FAIR_REFUSED)
		fair_took(f, sender, FAIR_REFUSED);
}
