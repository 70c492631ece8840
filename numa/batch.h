/* SPDX-License-Identifier: MIT */
/* Pages of one VM on their way to one node, together: what migration and replication share. */
#ifndef NUMA_BATCH_H
#define NUMA_BATCH_H

#include "arch/mips/arch.h"
#include "kernel/node.h"
#include "kernel/nodemask.h"
#include "kernel/vm/vm.h"

struct batch {
	struct vm *vm;
	u32 node;		 /* that gains */
	struct nodemask seen_by; /* nodes whose views held one of the pages */
	struct mmu_drop drop;	 /* the guest pages */
	struct {
		mpn_t from, to;
		struct nodemask used_by; /* whose translations of it are taken back */
	} page[MMU_DROP_PAGES];
	u32 spare;   /* pages that it may still take */
	bool locked; /* the range of held is */
	gpn_t held;
	u64 start; /* count64 */
	struct move_stats *stats;
};

/*
 * While it is not 0 nobody gets a page by numa_reserve_spare: those that are free go to a VM that starts.
 * Atomically.
 */
extern u32 batch_hold;

enum batch_kind { BATCH_MIGRATE, BATCH_REPLICATE };

typedef void (*batch_fn)(struct batch *b, u32 i);

/*
 * In this order. batch_take checks of each page that it may go there, finds it a new one, and has hide take it
 * out of views; batch_copy takes back what was seen and copies; batch_show has commit show each page as what
 * it is now. hide and commit have the lock of the page's range; neighbours that come one after the other share
 * one hold of it. No lock is held while others are waited for: nobody else changes the pages from batch_take to
 * pmap_arrive_locked or pmap_copy_end_locked.
 */
void batch_begin(struct batch *b, struct vm *vm, u32 node, struct move_stats *stats);
void batch_take(struct batch *b, const mpn_t *pages, u32 n, enum batch_kind kind, batch_fn hide);
void batch_copy(struct batch *b); /* shootdown of what seen_by says, then the copies */
void batch_show(struct batch *b, batch_fn commit);
/* Page i of the batch is about to be shown: it stands in the node's ledger. Before its counts are cleared. */
void batch_note(const struct batch *b, u32 i);
void batch_end(struct batch *b);

/*
 * Takes page i of the batch, which is locked, out of a node's view: wholly, which returns what the view
 * showed until now, or only the right to write.
 */
mpn_t batch_hide(struct batch *b, u32 i, u32 node);
void batch_downgrade(struct batch *b, u32 i, u32 node);

/*
 * Calls fn for runs of pages that one running VM owns, in the order of its guest pages; the sum of what it returns. Of
 * more than BATCH_PAGES the rest stays.
 */
#define BATCH_PAGES 64
typedef unsigned (*run_fn)(struct vm *vm, u32 node, const mpn_t *pages, unsigned n);
unsigned batch_runs(u32 node, const mpn_t *pages, unsigned n, run_fn fn);

#endif /* NUMA_BATCH_H */
