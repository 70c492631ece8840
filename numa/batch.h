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
	} page[MMU_DROP_PAGES];
	u64 start; /* count64 */
	struct move_stats *stats;
};

/*
 * While it is not 0 nobody gets a page by numa_reserve_spare: those that are free go to a VM that starts.
 * Atomically.
 */
extern u32 batch_hold;

enum batch_kind { BATCH_MIGRATE, BATCH_REPLICATE };

/*
 * In this order. Between batch_begin and batch_copy each page is added and taken out of views, then batch_copy
 * takes back what was seen and copies; then each page is locked, shown as what it is now, and unlocked. No
 * lock is held while others are waited for: nobody else changes the pages from batch_add to
 * pmap_arrive_locked or pmap_copy_end_locked.
 */
void batch_begin(struct batch *b, struct vm *vm, u32 node, struct move_stats *stats);
/*
 * Checks that the page may go there, and finds it a new one. True: it is the batch's last page, and locked
 * until batch_unlock. False leaves everything as it was.
 */
bool batch_add(struct batch *b, mpn_t from, enum batch_kind kind);
void batch_copy(struct batch *b);	 /* shootdown of what seen_by says, then the copies */
void batch_lock(struct batch *b, u32 i); /* of page i of the batch: the range that it is in */
void batch_unlock(struct batch *b, u32 i);
void batch_end(struct batch *b);

/*
 * Takes page i of the batch, which is locked, out of a node's view: wholly, which returns what the view
 * showed until now, or only the right to write.
 */
mpn_t batch_hide(struct batch *b, u32 i, u32 node);
void batch_downgrade(struct batch *b, u32 i, u32 node);

/* Calls fn for runs of neighbours in pages that one running VM owns; the sum of what it returns. */
typedef unsigned (*run_fn)(struct vm *vm, u32 node, const mpn_t *pages, unsigned n);
unsigned batch_runs(u32 node, const mpn_t *pages, unsigned n, run_fn fn);

#endif /* NUMA_BATCH_H */
