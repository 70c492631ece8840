/* SPDX-License-Identifier: MIT */
/* What moves cost and bring, node by node. Decides nothing but how many may be paid for. */
#include "kernel/mem/memmap.h"
#include "kernel/node.h"
#include "numa/heat.h"
#include "numa/ledger.h"

#define US	      1000ll
#define MS	      1000000ll
#define EACH_AT_FIRST 50000u /* ns: what a page is thought to cost until some have moved */
#define FREE_OF_RISK  1000u  /* permille: whatever moves cost */
#define BELIEVED      1u     /* intervals for which gains are believed that nobody sees */
#define SETBACK_PARTS 32     /* of a setback, one is forgotten each tick: half of it in 22 */

static struct ledger *ledgers[MAX_NODES]; /* fixed after boot; each node writes its own */

const struct ledger *ledger_of(u32 node) { return ledgers[node]; }

void ledger_init_node(u32 node, void *storage)
{
	ledgers[node] = storage;
	ledgers[node]->each = EACH_AT_FIRST;
	ledgers[node]->every = 1;
}

static s64 stake(const struct policy *p) { return p->stake * US; }

static s64 keep(const struct policy *p) { return p->keep * MS; }

/* ---- samples ---- */

static void drop(struct ledger *l, u32 i) { l->sample[i] = l->sample[--l->used]; }

/* Every second one goes, the others stand for twice as many. */
static void thin_out(struct ledger *l)
{
	u32 kept = 0;

	for (u32 i = 0; i < l->used; i += 2) {
		l->sample[kept] = l->sample[i];
		l->sample[kept++].weight *= 2;
	}
	l->used = kept;
	l->every *= 2;
}

void ledger_arrive(u32 node, const struct ledger_arrival *a)
{
	struct ledger *l = ledgers[node];

	if (++l->arrived < l->every)
		return;
	if (l->used == LEDGER_SAMPLES && l->every < LEDGER_EVERY_MAX)
		thin_out(l);
	if (l->used == LEDGER_SAMPLES) /* the oldest of them, more or less */
		drop(l, l->next % LEDGER_SAMPLES);
	l->sample[l->used++] = (struct ledger_sample){ .mpn = (u32)a->copy.v,
						       .gpn = (u32)a->gpn.v,
						       .owner = (u16)a->owner,
						       .from = (u16)a->from,
						       .weight = (u16)l->every,
						       .before = (u16)MIN(a->before, 0xffffu),
						       .came = (u32)(l->now / MS),
						       .at = (u32)(l->now / MS),
						       .gain = a->gain,
						       .loss = a->loss };
	l->arrived = 0;
}

static bool is_here(const struct ledger_sample *s)
{
	const struct page *p = memmap_page((mpn_t){ s->mpn });

	if (s->owner == LEDGER_SHARED)
		return p && p->state == PAGE_SHARED;
	return p && (p->state == PAGE_GUEST || p->state == PAGE_REPLICA) && p->owner == s->owner &&
	       p->gpn == s->gpn;
}

/* How much a count has grown, that begins anew at any time. */
static u32 grown(u32 *last, u32 count)
{
	u32 more = count < *last ? count : count - *last;

	*last = count;
	return more;
}

/* Nobody sees what the page is used for here: ms, since the last look, for which it is thought to bring what it cost before. */
static u32 believed(struct ledger_sample *s, const struct policy *p, u32 now)
{
	u32 until = s->came + BELIEVED * p->interval;

	return MIN(now, until) - MIN(s->at, until);
}

static void look_at(struct ledger *l, u32 node, const struct policy *p, struct ledger_sample *s)
{
	mpn_t mpn = { s->mpn };
	u32 now = (u32)(l->now / MS);
	u64 gained, lost;

	if (heat_sees_local())
		gained = (u64)grown(&s->mine, heat_count(node, mpn)) * s->gain;
	else
		gained = (u64)s->before * s->gain * believed(s, p, now) / p->interval;
	lost = (u64)grown(&s->theirs, heat_count(s->from, mpn)) * s->loss;
	s->at = now;
	l->gained += gained * s->weight;
	l->lost += lost * s->weight;
	l->balance += (s64)(gained * s->weight) - (s64)(lost * s->weight);
}

static void look_around(struct ledger *l, u32 node, const struct policy *p)
{
	for (u32 i = 0; i < LEDGER_LOOKS && i < l->used; i++) {
		u32 at = ++l->next % l->used;

		if (is_here(&l->sample[at]))
			look_at(l, node, p, &l->sample[at]);
		else
			drop(l, at);
	}
	if (l->used < LEDGER_SAMPLES / 4 && l->every > 1)
		l->every /= 2;
}

/* ---- money ---- */

static void grant(struct ledger *l, const struct policy *p, u64 ns)
{
	if (l->balance < stake(p))
		l->balance = MIN(stake(p), l->balance + (s64)(ns * p->risk / 1000));
}

static void note_rate(struct ledger *l, s64 brought, u64 passed)
{
	u64 rate = brought > 0 ? (u64)brought / MAX(passed / MS, 1ull) : 0;

	l->rate = (l->rate + rate) / 2;
	if (!l->rate)
		l->since = 0;
	else if (!l->since)
		l->since = l->now;
}

/* What pages took back this time they may take back again. */
static void note_setback(struct ledger *l, s64 brought)
{
	l->setback -= l->setback / SETBACK_PARTS;
	if (brought < 0)
		l->setback -= brought;
}

/* What the last batch told was of another time. */
static void forget_price(struct ledger *l)
{
	l->known = false;
	l->each = EACH_AT_FIRST;
}

void ledger_tick(u32 node, const struct policy *p, u64 now)
{
	struct ledger *l = ledgers[node];
	u64 passed = l->now ? now - l->now : 1000 * (u64)MS; /* the first time: the stake */
	s64 before;

	grant(l, p, passed);
	l->now = now;
	if (l->known && now - l->told > p->forget * (u64)MS)
		forget_price(l);
	before = l->balance;
	look_around(l, node, p);
	note_rate(l, l->balance - before, passed);
	note_setback(l, l->balance - before);
	/* Gains are kept for a while, and debts are forgotten beyond as much. */
	l->balance = MAX(MIN(l->balance, MAX(keep(p), stake(p))), -keep(p));
}

/* What has gone on for a while will go on for as long. */
static s64 expected(const struct ledger *l, const struct policy *p)
{
	u64 ms = l->since ? (l->now - l->since) / MS : 0;

	return (s64)(l->rate * MIN(ms, (u64)p->ahead));
}

static s64 to_spend(const struct ledger *l, const struct policy *p)
{
	return l->balance + expected(l, p) - l->setback;
}

enum policy_trust ledger_trust(u32 node, const struct policy *p)
{
	const struct ledger *l = ledgers[node];

	if (p->risk >= FREE_OF_RISK || l->rate > p->risk * US || to_spend(l, p) > stake(p))
		return POLICY_PROVEN;
	return l->known ? POLICY_DOUBT : POLICY_GUESS;
}

u32 ledger_price(u32 node, u32 gain)
{
	return gain ? (u32)MIN(ledgers[node]->each / gain, (u64)~0u) : ~0u;
}

u32 ledger_pages(u32 node, const struct policy *p)
{
	const struct ledger *l = ledgers[node];
	s64 may = to_spend(l, p);

	if (p->risk >= FREE_OF_RISK)
		return ~0u;
	return may <= 0 ? 0 : (u32)MIN((u64)may / l->each, (u64)(l->known ? ~0u : p->gather));
}

/*
 * What batches took tells the price of the next: the first one alone, later ones at half where they were dearer, for others may be at
 * it at the same time still, and at an eighth where they were cheaper.
 */
static void learn(struct ledger *l, u64 each)
{
	if (!l->known)
		l->each = each;
	else if (each > l->each)
		l->each = (l->each + each) / 2;
	else
		l->each = (7 * l->each + each) / 8;
	l->each = MAX(l->each, 1ull);
	l->known = true;
	l->told = l->now;
}

void ledger_pay(u32 node, u64 ns, u32 pages)
{
	struct ledger *l = ledgers[node];

	l->spent += ns;
	l->balance -= (s64)ns;
	if (pages)
		learn(l, ns / pages);
}
