/* SPDX-License-Identifier: MIT */
/*
 * pmap: "physical" to machine, of one VM. A page is given, zeroed, on its first use; the machine
 * page that it got is its master. VCPUs see it through the view of their node, which may hold a
 * replica of its own instead.
 *
 *   entry.lo           who                                       changes under the lock, read without
 *   0                  never used here, or on the move           the C side waits for the lock
 *   master, D          any number of nodes
 *   master, without D  replicated; this node has no replica      a write collapses it
 *   replica            replicated; this node's own, without D    a write collapses it
 */
#ifndef KERNEL_MEM_PMAP_H
#define KERNEL_MEM_PMAP_H

#include "kernel/lock.h"
#include "kernel/node.h"
#include "kernel/nodemask.h"
#include "kernel/types.h"

struct vm;

/*
 * lo: a ready EntryLo. back: the reverse map, which says what translations of the page the node's
 * TLB and L2TLBs may hold: 0 none, an L2TLB tag (kernel/mem/l2tlb.h) one, PMAP_MANY any. Only the node
 * itself writes back: before it makes a translation, and when it takes them back.
 */
struct pmap_entry {
	u64 lo, back;
};

#define PMAP_MANY (~0ul)

/* Says in the reverse map that tag is about to map the page. walk_fast.S does the same. */
static inline void pmap_note(struct pmap_entry *e, u64 tag)
{
	if (e->back != tag)
		e->back = e->back ? PMAP_MANY : tag;
}

/*
 * Two neighbouring blocks of 1 MB, mapped as one pair of large pages in the windows: the EntryLo of
 * each that is whole, in machine memory and aligned there. 0: not used yet, or its pages are mapped
 * one by one.
 */
struct pmap_pair {
	u64 lo[2];
};

#define PAIR_SHIFT 9
#define PAIR_PAGES (1u << PAIR_SHIFT)
static inline u32 pmap_npairs(u32 npages) { return (npages + PAIR_PAGES - 1) / PAIR_PAGES; }

/* What VCPUs of one node see; in that node's memory. */
struct pmap_view {
	struct pmap_entry *entry; /* npages of them; NULL: the VM has no VCPU there */
	struct pmap_pair *pairs;
	bool alone; /* no other VM on the node: pairs may hold in all address spaces there */
};

struct pmap_page {
	u32 master;   /* machine page number; 0: never used */
	u16 replicas; /* bit = node whose view holds a replica */
	/*
	 * Being copied, without the lock: by so many nodes that will have a replica, or
	 * PMAP_LEAVING to another node. Until it is 0 nobody else changes the page, or fills a view
	 * with it.
	 */
	u16 busy;
};

#define PMAP_LEAVING 0xffff

static inline struct nodemask pmap_replicas(const struct pmap_page *page)
{
	return (struct nodemask){ page->replicas };
}

struct pmap {
	struct lock lock; /* RANK_PMAP */
	u32 npages;	  /* fixed */
	u32 used;	  /* pages that have a master */
	struct pmap_page *page;
	bool *broken; /* of each pair: some page of it is not where its block would have it */
	struct pmap_view view[MAX_NODES];
};

static inline struct pmap_entry *pmap_entry(const struct pmap *p, gpn_t gpn, u32 node)
{
	return &p->view[node].entry[gpn.v];
}

/*
 * EntryLo of gpn for VCPUs of node, which is one of the VM's. 0: not the VM's memory, or the
 * machine's is used up. Takes the lock if the view does not have the page yet: afterwards nothing
 * that was read from guest memory before holds any more.
 */
u64 pmap_use(struct vm *vm, gpn_t gpn, u32 node);
u64 pmap_use_to_write(struct vm *vm, gpn_t gpn, u32 node); /* D is set: collapses replicas */
u64 pmap_look(struct vm *vm, gpn_t gpn, u32 node); /* as pmap_use; 0 for a page never used, too */

/* ---- under the lock ---- */
/* Until the page is not busy; the lock is given up meanwhile, and shootdowns are answered. */
void pmap_wait(struct pmap *p, gpn_t gpn);
/* Puts into the view what the page is now, which is not busy. */
void pmap_fill(struct vm *vm, gpn_t gpn, u32 node);
/*
 * Maps the pages around gpn one by one from now on. True: large pairs may be in TLBs of any node.
 */
bool pmap_break(struct vm *vm, gpn_t gpn);

/* storage: pmap_bytes(npages), zero; of each view: pmap_view_bytes(npages). Boot only. */
void pmap_init(struct pmap *p, void *storage, u32 npages);
void pmap_add_view(struct pmap *p, u32 node, void *storage);
size_t pmap_bytes(u32 npages);
size_t pmap_view_bytes(u32 npages);
void pmap_release(struct vm *vm); /* all pages back to their nodes; nobody may run in the VM */

#endif /* KERNEL_MEM_PMAP_H */
