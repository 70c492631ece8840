/* SPDX-License-Identifier: MIT */
/*
 * The ledger of a node: what pages that moved to it have cost, and what they have brought. Moves are paid
 * out of what earlier ones brought, so that a program whose pages had better stay where they were loses
 * the risk that the policy allows and no more, whatever it does. Times are ns.
 *
 *   balance     what the node may spend: at first, and at most without any gain, policy.stake
 *   rises by    policy.risk permille of the time that passes, up to the stake;
 *               what sampled pages brought, up to policy.keep
 *   and is      what they will bring, if they go on for as long as they have brought
 *   thought     something so far, policy.ahead ms at most
 *   to have
 *   less        the setback: by how much moved pages have made things worse in single ticks, half of it
 *               forgotten every 22 ticks
 *   falls by    whatever looking at candidates, moving pages and taking back replicas took, waiting and
 *               the other nodes' answers to shootdowns included; what sampled pages cost their old node
 *
 * What a page costs differs by five times: by how many come together, and by whether other nodes move pages at the same moment, who
 * answer late then. So the first batch, whose price is a guess, is of policy.gather pages.
 *
 * Gains: every moved page stands in a list of samples, or one of `weight` of them when the list is full.
 * Each tick some of them are looked at again: a miss of this node since the last look would have gone to the
 * page's old node, and one of the old node would not have come here. Where only remote misses are counted
 * (samples, numa/heat.h), a page is thought to bring what it cost in the interval before it moved, for one more, if it stays as
 * long: who only passes over pages, which bring nothing, can't go on for ever by what earlier ones seem to bring.
 * A page that moved on, or was freed, brings nothing more.
 *
 * Setback: where two nodes take turns at pages, these bring something in one turn and take it back in the next, and whoever spends
 * the balance whenever it is high pays for moves out of nothing. So what went that way once does not count as there.
 *
 * A node's ledger is its own: nobody else calls with its number. Builds on the host too.
 */
#ifndef NUMA_LEDGER_H
#define NUMA_LEDGER_H

#include "kernel/types.h"
#include "numa/policy.h"

#define LEDGER_SAMPLES 32
#define LEDGER_LOOKS \
	16 /* at samples, in a tick: at each every 20 ms, a few times in an interval of counting */
#define LEDGER_EVERY_MAX 1024

/* What is kept of a page that came: a few words, looked at each LEDGER_SAMPLES / LEDGER_LOOKS ticks. */
struct ledger_sample {
	u32 mpn; /* where it is now */
	u32 gpn;
	u16 owner, from;  /* VM; node that had it */
	u16 weight;	  /* moved pages that it stands for */
	u16 before;	  /* misses of the interval before it moved */
	u32 came, at;	  /* ms when it did, and of the last look */
	u32 mine, theirs; /* misses of this node and of the old one, at the last look */
	u32 gain, loss;	  /* ns of one of either */
};

struct ledger {
	s64 balance;
	u64 now;		 /* of the last tick */
	u64 spent, gained, lost; /* so far */
	u64 each;		 /* what a page has cost lately */
	bool known;		 /* of a batch that there was, lately; else it is a guess */
	u64 told;		 /* when that was */
	u64 rate;		 /* ns that moved pages bring in a ms, lately */
	s64 setback;		 /* what they brought and took back again, lately */
	u64 since;		 /* when they began to; 0: they do not */
	u32 next, every;	 /* next sample to be looked at; one of so many pages is one */
	u32 arrived, used;	 /* pages since the last that became one; samples */
	struct ledger_sample sample[LEDGER_SAMPLES];
};

/* storage: sizeof(struct ledger), zero, in the node's memory. Boot only. */
void ledger_init_node(u32 node, void *storage);
const struct ledger *ledger_of(u32 node);

/* The time now. Looks at some samples. */
void ledger_tick(u32 node, const struct policy *p, u64 now);
/* How many pages may move to the node now; 0: moves have not paid. */
u32 ledger_pages(u32 node, const struct policy *p);
/*
 * Pages have paid: they bring more than may be lost in the time that passes, or there is more to spend than without any gain. Guess: what a page
 * costs is not known, none has come yet or for long; the first batch tells, and more may be spent then.
 */
enum policy_trust ledger_trust(u32 node, const struct policy *p);
/* Misses, gain ns each, that cost as much as a page has cost lately. */
u32 ledger_price(u32 node, u32 gain);
/* That much was spent, and so many pages came for it. */
void ledger_pay(u32 node, u64 ns, u32 pages);

/* A page has come to this node: copy is the machine page, which the old node's miss or its own costs gain
 * or loss ns more. before: its misses in this interval. */
struct ledger_arrival {
	mpn_t copy;
	u32 owner, from, before; /* owner: the VM, or */
#define LEDGER_SHARED 0xffffu	 /* of a page that VMs share */
	gpn_t gpn;
	u32 gain, loss;
};
void ledger_arrive(u32 node, const struct ledger_arrival *a);

#endif /* NUMA_LEDGER_H */
