/* SPDX-License-Identifier: MIT */
/*
 * The door to numa/: which memory belongs to which node, free pages near a node, where a page goes
 * first, what undoes replication, what remote memory costs. Addresses are machine addresses, sizes
 * in 4 KB pages unless a name says bytes.
 */
#ifndef NUMA_NUMA_H
#define NUMA_NUMA_H

#include "kernel/nodemask.h"
#include "kernel/types.h"

struct machine_desc;
struct node;

/*
 * MAGIC, the timing model's node controller (numa/magic.h), if the machine has it and it counts.
 * magic_init looks for it, says so, and returns how many bytes from base are left for n nodes. Boot
 * only, before memory is used; magic() is NULL until then, and without the model.
 */
struct magic;
u64 magic_init(u32 n, maddr_t base, u64 bytes);
struct magic *magic(void);
const struct magic *magic_model(void); /* even if it counts no pages */
void magic_note_vm(u32 node, u32 vm);  /* whose VCPU the node runs from now on */
/* What the monitor's memory is, for MAGIC's account of what is missed on; whole pages of it. */
void magic_note_l2tlb(const void *start, u64 bytes);
void magic_note_pmap(const void *start, u64 bytes);
void magic_note_guest(const void *start, u64 bytes); /* it is not the monitor's any more */
void magic_note_monitor(maddr_t start,
			maddr_t end); /* but for what is something of these; boot only */

/* Splits [base, base + bytes) into n equal ranges; below boot_end is the monitor's image. Boot
 * only. */
void topology_init(u32 n, maddr_t base, u64 bytes, maddr_t boot_end);
/* One range, wherever it lies, that is never given to anybody: the boot archive. Boot only. */
void topology_keep(maddr_t start, u64 bytes);
maddr_t topology_base(u32 node);
u64 topology_bytes(u32 node);
u32 topology_distance(u32 from, u32 to); /* hops: 0 for the node itself */
u32 topology_near(u32 node, u32 i);	 /* the i-th nearest node; 0: itself */

/* Memory of a node for the monitor itself, zeroed, never given back. Boot only. NULL: the node has
 * no more. */
void *nodemem_boot_alloc(u32 node, size_t bytes, size_t align);
u64 nodemem_boot_left(u32 node); /* bytes, alignment not counted */
/* The rest of the node's range becomes its free pages. */
void nodemem_init(u32 node);

/*
 * A zeroed free page of the node, else of the nearest that has one; MPN_NONE when the machine is
 * full. The caller says in memmap what becomes of it. Takes RANK_NODEMEM locks.
 */
mpn_t nodemem_alloc(u32 node);
mpn_t nodemem_alloc_unzeroed(u32 node); /* the same, with whatever it held before */
mpn_t nodemem_alloc_here(u32 node);	/* of this node only, with whatever it held before */
/* This very page and those behind it, n of one block and one node, or n from page number so-and-so of some whole block of this
 * node on, with whatever they held before. MPN_NONE: one of them is not free; there is no block. */
mpn_t nodemem_alloc_exact(mpn_t want, u32 n);
mpn_t nodemem_alloc_within(u32 node, u32 page, u32 n);
/*
 * A page of this node with the bytes that this life of a VM had in it (memmap_leave), and nobody since: the page `best`, if it is
 * such a one, else the one that went back to the node last. MPN_NONE: neither of them is. A life of 0 left none.
 */
mpn_t nodemem_alloc_left(u32 node, u32 life, mpn_t best);
/*
 * A whole block of this node only, aligned to its size, with whatever it held before: the caller zeroes it. MPN_NONE: there is
 * none. Best an even one, or an odd one, whose neighbour in the same two blocks is free as well; and this very one.
 */
mpn_t nodemem_alloc_block(u32 node, bool odd);
mpn_t nodemem_alloc_block_at(u32 node, mpn_t first);
/*
 * Neighbouring pages of this node only for the monitor itself, the first a multiple of align pages in
 * machine memory (a power of 2, at most BLOCK_PAGES), zeroed; with a promise of as many. MPN_NONE: there are
 * none. Reads mail while it zeroes, so the caller holds no lock.
 */
mpn_t nodemem_keep(u32 node, u32 npages, u32 align);
void nodemem_return(mpn_t first, u32 npages); /* these go back */
void nodemem_zero(mpn_t first, u32 npages);   /* neighbouring pages */
#define BLOCK_SHIFT 8 /* 1 MB: the largest page that windows are mapped with */
#define BLOCK_PAGES (1u << BLOCK_SHIFT)
void nodemem_free(mpn_t mpn); /* state FREE already; misses and moves of who had it are forgotten */

/* Promises: a VM reserves its whole memory when it starts. -ENOMEM: pages more than are left
 * unpromised. */
int nodemem_reserve(u64 pages);
void nodemem_unreserve(u64 pages);
u64 nodemem_unreserved(void);
/*
 * The promise of one page for what can do without, copies and caches. -ENOMEM: there is none left, or a
 * VM that starts collects what there is (numa_reclaim_begin).
 */
int numa_reserve_spare(void);
u32 numa_reserve_spares(u32 n); /* of n pages: how many could be had */

u64 nodemem_free_pages(u32 node);
u64 nodemem_monitor_bytes(u32 node); /* what the monitor keeps of the node */

/*
 * The node where the VM's page gpn goes whose first user is a VCPU of node user (placement.c): where the guest was told that it is
 * (show-nodes), or what the policy says. And whether the VM gets whole blocks: only those do whose blocks have one place each, blocks are what
 * large translations are made of.
 */
struct vm;
u32 placement_node(const struct vm *vm, gpn_t gpn, u32 user);
bool placement_by_blocks(const struct vm *vm);
/* Pages that follow each other often come to one node: it is worth while to put them side by side there. */
bool placement_by_neighbours(void);

/* shuffle=1: pages of all VMs move at random, as a test. */
void shuffle_configure(const char *words); /* boot only */
struct node;
void shuffle_tick(const struct node *n); /* no lock held */

struct vm;
/*
 * A page, not busy, is about to be written by a VCPU of node: one copy is left, and no view holds
 * it. Under the lock of its range; answers shootdowns.
 */
void numa_collapse(struct vm *vm, gpn_t gpn, u32 node);
/*
 * All replicas of all VMs back, when memory is short, and no new ones from begin to end, so that
 * the caller can have the pages. A step is at most a few ten thousand instructions and some
 * shootdowns; true: it was the last. Takes RANK_PMAP locks.
 */
struct numa_reclaim {
	u32 vm, page; /* where the next step goes on */
};
void numa_reclaim_begin(struct numa_reclaim *r);
bool numa_reclaim_step(struct numa_reclaim *r);
void numa_reclaim_end(void);
void numa_reclaim(void); /* begins and takes all steps: numa_reclaim_end is still to be called */

/*
 * What is done about pages that a node keeps missing on (balance.c): the words policy=NAME,... of
 * the command line, after latency_configure; a node's counters, in its own memory. Both boot only.
 */
void numa_configure(const char *words);
void numa_init_node(u32 node);
void numa_tick(struct node *n); /* moves pages to this node; holds no lock, takes RANK_PMAP up */

/*
 * Injected delays (latency.c): while on, what the machine does not have - slow remote memory - is
 * charged to VCPUs at TLB misses. Only the node itself calls these, for what it is about to put in
 * its own TLB.
 */
extern bool latency_on; /* read by all; false: none of the others is called */

/* How the nodes are joined, and the words latency=...; before node_create. Boot only. */
void latency_configure(const struct machine_desc *machine, const char *words);
void latency_init(u32 node);	  /* the node's counters in its own memory. Boot only. */
u32 latency_ns(u32 from, u32 to); /* of a miss of a processor of from on memory of to */

/*
 * A miss of the node at va, by a pair of EntryLos, one of a page each. Charges it, by waiting, if
 * the page is remote and the line not in the node's filter. lo: becomes what may be put in the TLB:
 * the other half not at all if that was not used lately, and no remote one writable before a write.
 */
void latency_refill(struct node *n, u64 va, u64 lo[2], bool write);
/* so that it must not stay: any half is elsewhere */
bool latency_remote(u32 node, const u64 lo[2]);
void latency_hide(u32 node, u64 lo[2]); /* without the remote halves, for no miss */
void latency_tick(struct node *n);	/* remote translations go */

u64 numa_misses(u32 node); /* all that somebody counted; and how many of them in its own memory */
u64 numa_local_misses(u32 node);
u64 numa_local_percent(u32 node);
void map_configure(const char *words); /* numa-log=. Boot only. */
void map_tick(void);		       /* node 0's: the log */

#endif /* NUMA_NUMA_H */
