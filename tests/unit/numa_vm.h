/* SPDX-License-Identifier: MIT */
/*
 * Two VMs on three nodes for tests of kernel/mem/pmap.c and numa/'s moves: machine pages with contents,
 * free lists, and TLBs that remember who may still see which page.
 */
#ifndef TESTS_UNIT_NUMA_VM_H
#define TESTS_UNIT_NUMA_VM_H

#include "tests/unit/unit.h"

#include "kernel/mem/memmap.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

#define NODES	    3
#define NODE_PAGES  2048u
#define FIRST(node) (0x80000 + (u64)(node)*NODE_PAGES)
#define VM_PAGES    (5 * BLOCK_PAGES + 12) /* five blocks, and a pair of 16 KB that is not whole */

extern struct vm vm_a, vm_b;		 /* VCPUs on all nodes; home: node 0 */
extern bool is_free[NODES * NODE_PAGES]; /* of machine pages from FIRST(0) */
mpn_t take_free(u32 index); /* that one of them is not any more; what it was is forgotten */
extern bool large, blocks;  /* off=large; whole blocks can be had */
extern bool neighbours;	    /* several pages at once can be had, as they cannot at first */
extern u32 largest;	    /* pages of the largest pair; after a reset: */
#define LARGEST 128u
extern bool zero; /* not off=zero, as it is at first: pages are given when they are read */
#define ZERO_PAGE(node) ((mpn_t){ FIRST(0) - 1 - (node) }) /* each node's */
void *zero_page(mpn_t mpn);				   /* what is in it: nothing */
extern void *kept_pages; /* of nodemem_keep: machine pages from FIRST(NODES) on, behind all nodes */
void ledgers_reset(void);	/* numa_vm_reset does */
extern int locks_held, flushes; /* flushes: whole TLBs, over all nodes */
extern u32 locks_taken;		/* so far */
extern u64 reserved;		/* nodemem_reserve */
extern u64 reserve_limit;
extern void (*during_shootdown)(void); /* called once while one is under way, or NULL */
extern void (*during_copy)(void);      /* the same when that one is over: before the copies */
extern void (*during_look)(void); /* whenever a machine page is looked for, to be read or written */
extern void (*during_unlock)(void); /* whenever the last lock was given up */
extern void (*during_yield)(void);  /* whenever a node waits for others, which it may not else */
extern u32 answers;		    /* to shootdowns, while it waits */
extern void (*during_zero)(void); /* whenever pages of a new block or page are about to be zeroed */

int numa_vm_reset(void **state);
u64 lo_of(const struct vm *vm, u64 gpn, u32 node); /* the view's entry, 0: none */
/* The small pages of the pair of large ones that the node makes, or has, around gpn; 0: none. */
u32 large_of(struct vm *vm, u64 gpn, u32 node);
/* The same without a miss: what the refill handler finds. */
u32 large_word(const struct vm *vm, u64 gpn, u32 node);
u64 read_as(struct vm *vm, u64 gpn, u32 node);		  /* the page's contents */
void write_as(struct vm *vm, u64 gpn, u32 node, u64 val); /* by a VCPU of that node */
/* The VM's VCPUs have left the node: nobody has the ASIDs of its translations there. */
void leave_node(const struct vm *vm, u32 node);
u32 free_pages(u32 node);
/* No translation to a page that the view does not have, no page with two owners, none lost. */
void check_everything(void);

/* All pages of the VM go back to their nodes, as at its end. */
void release_all(struct vm *vm);

#endif /* TESTS_UNIT_NUMA_VM_H */
