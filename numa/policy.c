/* SPDX-License-Identifier: MIT */
/* The policy: a decision, and the words that set it. No state: counters are heat.c's, moves are
 * balance.c's. */
#include <string.h>
#include "kernel/errno.h"
#include "kernel/log.h"
#include "numa/policy.h"

/*
 * Write, migrate and interval are the paper's. Trigger: half as many misses again as a page has lines. One pass
 * over all of them, which may be the last, makes 32: FFT's and radix's pages come and go so. Whoever has missed on
 * a line twice is likely to do so again. Doubt: by then the page has cost what its move costs, some 20,000 cycles, so whoever
 * moves it pays at most twice what either would have cost. Sharing is a quarter of the paper's 32. What moves may cost is limited
 * beside (numa/ledger.h).
 * weight: of the class clustered (docs/numa.md).
 */
const struct policy policy_default = {
	.kind = POLICY_NONE,
	.trigger = 48,
	.doubt = 96,
	.sharing = 8,
	.write = 1,
	.migrate = 1,
	.interval = 100,
	.hold = 50,
	.forget = 1000,
	.limit = 8,
	.reserve = 256,
	.batch = 64,
	.weight = 4,
	.gather = 8,
	.risk = 10,
	.stake = 1000,
	.keep = 5,
	.ahead = 50,
};

static struct policy_verdict stay(enum policy_reason why)
{
	return (struct policy_verdict){ POLICY_STAY, why };
}

u32 policy_moves_counted(const struct policy *p, const struct policy_page *page)
{
	u32 forgotten = page->age / p->forget;

	return page->moves > forgotten ? page->moves - forgotten : 0;
}

/* The hold-off after the page's last move is over. */
static bool rested(const struct policy *p, const struct policy_page *page, u32 moves)
{
	u32 doubled;

	if (moves < p->migrate)
		return true;
	doubled = MIN(moves - p->migrate, 31u);
	return page->age >= (u64)p->hold << doubled;
}

/*
 * As long as moves have not paid the page must have cost what its move costs, about. A line that is read and then written is missed
 * on twice in one pass over it, which counts once.
 */
static bool is_hot(const struct policy *p, const struct policy_page *page, bool shared)
{
	u32 again = shared || page->least <= p->trigger ? 0 : MIN(page->mine, page->upgrades);

	return page->mine >= p->trigger && page->mine - again >= page->least;
}

#define PRICE_MAX 255 /* sampled counts end there */

u32 policy_least(const struct policy *p, enum policy_trust trust, u32 price)
{
	return trust == POLICY_DOUBT ? MAX(p->doubt, MIN(price, PRICE_MAX)) : p->trigger;
}

bool policy_is_batch(const struct policy *p, enum policy_trust trust, u64 misses, u32 least)
{
	return trust == POLICY_PROVEN || misses >= (u64)p->gather * least;
}

struct policy_verdict policy_decide(const struct policy *p, const struct policy_page *page)
{
	bool shared = page->others || page->replicated || (page->back && page->age < p->forget);
	u32 moves = policy_moves_counted(p, page);

	if (!policy_moves(p))
		return stay(POLICY_OFF);
	if (page->local)
		return stay(POLICY_LOCAL);
	if (!page->movable)
		return stay(POLICY_FIXED);
	if (!is_hot(p, page, shared))
		return stay(POLICY_COLD);
	if (shared && page->writes >= p->write)
		return stay(POLICY_WRITTEN);
	if (shared && !policy_replicates(p))
		return stay(POLICY_SHARED);
	if (!shared && !policy_migrates(p))
		return stay(POLICY_PRIVATE);
	if (moves >= p->limit)
		return stay(POLICY_LIMIT);
	if (!rested(p, page, moves))
		return stay(POLICY_HELD);
	if (page->free <= (shared ? p->reserve : p->reserve / 2))
		return stay(POLICY_MEMORY);
	return (struct policy_verdict){ shared ? POLICY_DO_REPLICATE : POLICY_DO_MIGRATE,
					POLICY_MOVED };
}

/* ---- names ---- */

static const char *const kinds[POLICY_KINDS] = { "none",    "first-touch", "round-robin",
						 "migrate", "replicate",   "both" };

static const char *const reasons[POLICY_REASONS] = {
	[POLICY_OFF] = "off",	      [POLICY_LOCAL] = "local",	    [POLICY_FIXED] = "fixed",
	[POLICY_COLD] = "cold",	      [POLICY_WRITTEN] = "written", [POLICY_SHARED] = "shared",
	[POLICY_PRIVATE] = "private", [POLICY_LIMIT] = "limit",	    [POLICY_HELD] = "held",
	[POLICY_MEMORY] = "memory",   [POLICY_POOR] = "poor",	    [POLICY_FEW] = "few",
	[POLICY_MOVED] = "moved"
};

#define PARAMETER(name_, min_, max_)                                   \
	{                                                              \
#name_, offsetof(struct policy, name_) / 4, min_, max_ \
	}

/* Sampled counts end at 255. */
static const struct parameter {
	const char *name;
	u32 word, min, max;
} parameters[] = {
	PARAMETER(trigger, 1, 255),	PARAMETER(sharing, 1, 255),
	PARAMETER(write, 1, 1000000),	PARAMETER(migrate, 1, 255),
	PARAMETER(interval, 10, 10000), PARAMETER(hold, 1, 100000),
	PARAMETER(forget, 1, 1000000),	PARAMETER(limit, 1, 256),
	PARAMETER(reserve, 0, 1000000), PARAMETER(batch, 1, 64),
	PARAMETER(weight, 1, 255),	PARAMETER(gather, 1, 64),
	PARAMETER(risk, 0, 1000),	PARAMETER(stake, 0, 1000000),
	PARAMETER(keep, 1, 1000),	PARAMETER(ahead, 0, 1000),
	PARAMETER(doubt, 1, 255),
};

const char *policy_name(u32 kind) { return kind < POLICY_KINDS ? kinds[kind] : "?"; }

const char *policy_reason_name(enum policy_reason r) { return reasons[r]; }

const char *policy_parameter(const struct policy *p, u32 number, u32 *value)
{
	if (number >= ARRAY_SIZE(parameters))
		return NULL;
	*value = ((const u32 *)p)[parameters[number].word];
	return parameters[number].name;
}

#define FOUND_BYTES 32

static int set_parameter(struct policy *p, struct word word, char why[POLICY_ERROR_BYTES])
{
	struct word digits = word, name = word_before(&digits, '=');
	char found[FOUND_BYTES];
	u64 value;

	word_copy(found, sizeof(found), word);
	for (u32 i = 0; i < ARRAY_SIZE(parameters); i++) {
		const struct parameter *of = &parameters[i];

		if (!word_is(name, of->name))
			continue;
		if (word_number(digits, of->max, &value) && value >= of->min) {
			((u32 *)p)[of->word] = (u32)value;
			return 0;
		}
		ksnprintf(why, POLICY_ERROR_BYTES, "found %s, allowed %s=%u to %u", found, of->name,
			  of->min, of->max);
		return -EINVAL;
	}
	ksnprintf(why, POLICY_ERROR_BYTES,
		  "found %s, allowed trigger, sharing, write, migrate, interval, hold, forget, limit, reserve, batch, weight, gather, risk, stake, keep, ahead, doubt",
		  found);
	return -EINVAL;
}

int policy_set(struct policy *p, struct word word, char why[POLICY_ERROR_BYTES])
{
	char found[FOUND_BYTES];

	if (memchr(word.at, '=', word.len))
		return set_parameter(p, word, why);
	for (u32 i = 0; i < POLICY_KINDS; i++) {
		if (word_is(word, kinds[i])) {
			p->kind = i;
			return 0;
		}
	}
	word_copy(found, sizeof(found), word);
	ksnprintf(why, POLICY_ERROR_BYTES,
		  "found %s, allowed none, first-touch, round-robin, migrate, replicate, both",
		  found);
	return -EINVAL;
}
