/* SPDX-License-Identifier: MIT */
/*
 * pmap: which machine pages stand behind each "physical" page of one VM. A page is given, zeroed,
 * on its first use; the machine page that it got is its master. VCPUs see it through the view of
 * their node, which may hold a replica of its own instead. States of a page: pmap_state.h.
 *
 *   entry.lo           who                                     changes under the lock, read without
 *   0                  never used here, or on the move         the C side waits for the lock
 *   zero, without D    never written: the node's zero page     a write gives the VM a page
 *   master, D          any number of nodes                     -
 *   master, without D  replicated; this node has no replica    a write collapses it
 *   master, without D  shared (share.h)                        a write gives the VM its own copy
 *   replica            replicated; this node's own, without D  a write collapses it
 *
 * Other folders change a page through the functions below and nothing else; only arch/mips reads
 * views directly. A function whose name ends in _locked wants the lock of the page's range.
 *
 * A range is PMAP_RANGE_PAGES of guest pages, aligned, and has a lock of its own, or one together with
 * others far away. It protects the states of its pages, what views show of them, the words of their large
 * pairs and the block that is coming to one of its ranges; nothing of a page or of a pair depends on pages
 * of another range. A processor holds one of them at a time, and what several pages want is done page by
 * page. Counts of the whole pmap change atomically.
 *
 *   what happens              under the lock of the page's range          without it
 *   first use                 all                                         a part of a block is zeroed
 *   break, share, give up,    all, with the shootdown: the page has no    -
 *   collapse                  state between
 *   move                      LEAVING and hidden; the new master          shootdown, copy
 *   replicate                 COPIED and not writable; the replica        shootdown, copy
 *   pin                       the count of pins                           the use by a device
 *   the end of the VM         page by page                                -
 *
 * So a view may lack a page, or a right, that TLBs still have: as long as the page is busy, and nobody
 * changes it meanwhile but those who make more replicas. Who does that while others do takes back what
 * they may not have taken back yet (pmap_downgrade_locked).
 */
#ifndef KERNEL_MEM_PMAP_H
#define KERNEL_MEM_PMAP_H

#include "arch/mips/arch.h"
#include "kernel/lock.h"
#include "kernel/mem/fresh.h"
#include "kernel/mem/l2tlb.h"
#include "kernel/mem/shootdown.h"
#include "kernel/node.h"
#include "kernel/nodemask.h"
#include "kernel/types.h"

struct vm;

/*
 * lo: a ready EntryLo. back: the reverse map, which says what translations of the page the node's
 * TLB and L2TLBs may hold: 0 none, an L2TLB tag (kernel/mem/l2tlb.h) one; and with L2TLB_NO_TAG, which is set then, any, but in the L2TLBs only in
 * those parts whose bits are set. Only the node itself writes back: before it makes a translation, and when it takes them back.
 */
struct pmap_entry {
	u64 lo, back; /* but for translations by the windows: struct pmap_view, windows */
};

static inline bool pmap_is_many(u64 back) { return back & L2TLB_NO_TAG; }

/* As `back` says it of several. The part of L2TLB_NO_TAG's own bit is always among them, and looked at in vain as a rule. */
static inline u64 pmap_parts(u64 back)
{
	return pmap_is_many(back) ? back : BIT(l2tlb_part(back)) | L2TLB_NO_TAG;
}

/* Says in the reverse map that tag is about to map the page. walk_fast.S does the same. */
static inline void pmap_note(struct pmap_entry *e, u64 tag)
{
	if (e->back != tag)
		e->back = e->back ? pmap_parts(e->back) | pmap_parts(tag) : tag;
}

/* What small translations were made of the page since they were last taken back, of one moment: as `back`. */
static inline u64 pmap_noted(const struct pmap_entry *e)
{
	return __atomic_load_n(&e->back, __ATOMIC_RELAXED);
}

/*
 * Large pages of the windows. Neighbouring guest pages that a view shows as neighbours in machine
 * memory, aligned there, all with the same rights, are mapped as a pair of 1 MB (mmu_largest_pair), 256, 64 or 16 KB: whose
 * they are, and whether other VMs share them, makes no difference. The view has a word for each
 * 32 KB, arch_large_pair() of the pair around it, 0: page by page; all words of a pair are equal.
 *
 *   word      becomes  when                                           by
 *   0         a pair   the node misses there, and its pages fit       pmap_large, on the node itself
 *   a pair    0        a page of these 32 KB is hidden, or loses or   pmap_hide_locked, .._downgrade_.., .._fill_..
 *                      gains a right
 *   a pair    a smaller the same, of another page of the pair        the same; large.c, split
 *   a pair    a larger the node misses on a page beside it that was   pmap_large
 *                      out of place
 *
 * A word is set only while the view shows every page of the pair. So whoever hides one of them has
 * this node among those that saw it, and takes back the pair from its TLB by the page's shootdown:
 * mmu_drop_pages flushes if held says that the TLB may have a pair that the page's word was a part of.
 * held outlives the words, until the node itself has flushed.
 */
#define PIECE_SHIFT 9 /* 2 MB, the largest pair: words and pages of a piece */
#define PIECE_PAGES (1u << PIECE_SHIFT)
#define LARGE_SHIFT 3
#define PIECE_PAIRS (PIECE_PAGES >> LARGE_SHIFT)
_Static_assert(PIECE_PAIRS == 64, "held has a bit for each");
static inline u32 pmap_npieces(u32 npages) { return (npages + PIECE_PAGES - 1) / PIECE_PAGES; }
static inline u32 pmap_nlarge(u32 npages) { return pmap_npieces(npages) * PIECE_PAIRS; }

/*
 * What VCPUs of one node see; in that node's memory. A VM has a view on its home always, on other nodes
 * while VCPUs of its are there or on their way. Only the node itself makes it and gives it up:
 *
 *   the view is  in node_mask  entry  becomes  when
 *   none         no            NULL   live     a VCPU of the VM is to come: pmap_gain_view
 *   live         yes           set    going    the last VCPU has left: pmap_lose_view_step
 *   going        yes           set    live     a VCPU is to come
 *                                     none     the view shows no page any more, and has no replica; then the
 *                                              node leaves the set, and every lock is passed
 *
 * A view that goes is filled by nobody: each view is filled by its own node, if pmap_has_view, or again as it
 * was (hidden_show_again), or by home; and by who moved a page that it showed (numa/migrate.c), under the lock, if it is live and
 * in node_mask: what a view on its way back shows, which is not in the set yet, nobody would take away. Other nodes read views of the nodes in node_mask only, under the lock of the page's
 * range; so when all locks were passed since the node left the set nobody reads its view, and the memory goes back.
 * A shootdown that was asked for before may come after that: it finds no view (mmu_drop_pages).
 */
struct pmap_view {
	struct pmap_entry *entry; /* npages of them; NULL: there is none */
	u64 *large; /* pmap_nlarge(npages) words; pairs are made by the node itself, ended and split by any, under the lock */
	u64 *held;  /* of each piece, a bit for each of its words; only the node itself */
	/*
	 * Of each page, a bit for each window: the node's TLB and L2TLBs may have a small translation of it there. As `back`, which
	 * says nothing of windows: a page that a program and its kernel use has one translation in each, both known.
	 */
	u64 *windows;
	struct fresh *fresh;
	bool alone; /* no other VM on the node: pairs may hold in all address spaces there */
	mpn_t kept; /* of nodemem_keep, for storage; MPN_NONE: that is the caller's */
	bool stays; /* the storage is there as long as the VM, for the next time */
	bool going;
	u32 lost;      /* of one that goes: pages that it shows no longer, from the first */
	void *storage; /* what fresh, entry, large, held and windows lie in */
};

#define PMAP_WINDOWS_WORD (64 / ARCH_WINDOWS) /* pages of a word */
#define PMAP_WINDOWS_MASK (BIT(ARCH_WINDOWS) - 1)

static inline u32 pmap_windows_shift(gpn_t gpn) { return gpn.v % PMAP_WINDOWS_WORD * ARCH_WINDOWS; }

/* Says that the node, which calls, is about to map the page by a small translation of the window. */
static inline void pmap_note_window(struct pmap_view *view, gpn_t gpn, u32 window)
{
	view->windows[gpn.v / PMAP_WINDOWS_WORD] |= BIT(window) << pmap_windows_shift(gpn);
}

/* A bit for each window that the page may be mapped by; of one moment. */
static inline u32 pmap_windows(const struct pmap_view *view, gpn_t gpn)
{
	u64 word = __atomic_load_n(&view->windows[gpn.v / PMAP_WINDOWS_WORD], __ATOMIC_RELAXED);

	return word >> pmap_windows_shift(gpn) & PMAP_WINDOWS_MASK;
}

/* They were taken back, or there is nobody on the node who could use them. */
static inline void pmap_forget_windows(struct pmap_view *view, gpn_t gpn)
{
	view->windows[gpn.v / PMAP_WINDOWS_WORD] &= ~(PMAP_WINDOWS_MASK << pmap_windows_shift(gpn));
}

struct pmap_page; /* pmap_state.h */
struct share_at;  /* share.h */

/* Of a page whose master is shared: its neighbours among the users of that. share.c's. */
struct pmap_link {
	u32 next, prev;
};

#define PMAP_RANGE_SHIFT 9 /* 2 MB: a block that a VM gets whole, and a large pair, lie in one */
#define PMAP_RANGE_PAGES (1u << PMAP_RANGE_SHIFT)
#define PMAP_RANGES	 32 /* locks: four for each node that moves pages of one VM */

struct pmap_range {
	struct lock lock; /* RANK_PMAP */
	/*
	 * A block that the VM gets when all of its pages are zero, or a part of one (pmap_place.c). Who misses on a page of the range takes a part of it, from its first page on,
	 * and zeroes that without the lock, as others do with theirs.
	 *
	 *   block   begun         zeroed        what happens
	 *   none    -             -             a first use, of a block, or part of one, that was not used: begun and zeroed are 0
	 *   some    < all         <= begun      a miss: begun grows by a part, and when that is done, zeroed
	 *   some    all           < all         a miss: it waits for those who are at work
	 *   some    all           all           its pages are the VM's, and there is none
	 *   some    any           = begun       the end of the VM: it goes back; with zeroed < begun, later
	 */
	struct {
		mpn_t block;	   /* MPN_NONE if there is none; FREE in memmap, and in no list */
		gpn_t start;	   /* where it goes */
		u32 npages;	   /* of it */
		u32 begun, zeroed; /* pages */
	} coming;
} __attribute__((aligned(64)));

/* Pages that were read and never written (pmap_zero.c). */
struct pmap_zeroes {
	u32 pages; /* that views show now as zero, and that have no machine page */
	u64 given, written,
		refused; /* since the VM started: shown, of these written, and given at once */
};

struct pmap {
	u32 npages; /* fixed */
	u32 life;   /* a number that no other guest of any VM has or had; 0: there were too many */
	u32 used;   /* pages that have a master. This and the next ones: pmap_count */
	u32 shared; /* of these: whose master is a shared one */
	u32 replicas;  /* machine pages beside the masters */
	u32 ballooned; /* pages that the VM has no promise of */
	struct pmap_zeroes zero;
	u32 unsettled; /* batches that took pages out of views, and whose shootdown is still to come */
	u64 reported; /* pages that pmap_give_up took, since the VM started */
	struct pmap_page *page;
	struct pmap_link *link;
	u16 *shown; /* of each page, a bit for each node: without it the node's view shows nothing */
	struct pmap_view view[MAX_NODES];
	struct pmap_range range[PMAP_RANGES];
};

static inline void pmap_count(u32 *counter, s32 n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

/* Of any number: one that is not the VM's page has a range, too. */
static inline u32 pmap_range_of(gpn_t gpn) { return (gpn.v >> PMAP_RANGE_SHIFT) % PMAP_RANGES; }

static inline void pmap_lock(struct pmap *p, gpn_t gpn)
{
	lock_take(&p->range[pmap_range_of(gpn)].lock);
}

static inline void pmap_unlock(struct pmap *p, gpn_t gpn)
{
	lock_release(&p->range[pmap_range_of(gpn)].lock);
}

static inline void pmap_assert_locked(const struct pmap *p, gpn_t gpn)
{
	lock_assert(&p->range[pmap_range_of(gpn)].lock);
}

/* Of the view of a node that has one. For arch/mips and kernel/mem. */
static inline struct pmap_entry *pmap_entry(const struct pmap *p, gpn_t gpn, u32 node)
{
	return &p->view[node].entry[gpn.v];
}

/* Whether the node's view shows the page. */
static inline bool pmap_is_shown_locked(const struct pmap *p, gpn_t gpn, u32 node)
{
	return p->shown[gpn.v] & nodemask_of(node).bits;
}

/* The node's view, which is there, has the page in a large pair, and no small translation was made of it. Of one moment. */
static inline bool pmap_is_pair_only(const struct pmap *p, gpn_t gpn, u32 node)
{
	return p->view[node].large[gpn.v >> LARGE_SHIFT] && !p->view[node].entry[gpn.v].back;
}

/* What the view shows now as a page of the VM's; 0: nothing, the long way may find something. */
static inline u64 pmap_shown(const struct pmap *p, gpn_t gpn, u32 node)
{
	return pmap_entry(p, gpn, node)->lo;
}

/* Where that is, for who looks at it often. */
static inline const u64 *pmap_shown_at(const struct pmap *p, gpn_t gpn, u32 node)
{
	return &pmap_entry(p, gpn, node)->lo;
}

/*
 * EntryLo of gpn for VCPUs of node, which is one of the VM's; the zero page's if the page was never written. 0: not
 * the VM's memory, or the machine's is used up. Takes the lock if the view does not have the page yet: afterwards nothing
 * that was read from guest memory before holds any more. Reads mail between the parts of a block, so
 * the caller holds no lock.
 */
u64 pmap_use(struct vm *vm, gpn_t gpn, u32 node);
u64 pmap_use_to_write(struct vm *vm, gpn_t gpn, u32 node); /* D is set: collapses replicas */
/*
 * Either of the two as a part of bounded length: a first use may give a block of 1 MB, which is
 * zeroed in parts. PMAP_LATER: a part was done, the caller is to ask again, best after a look at
 * its mail and its tick.
 */
u64 pmap_try_use(struct vm *vm, gpn_t gpn, u32 node, bool write);
#define PMAP_LATER (1ul << 63) /* no EntryLo of a view: they are valid, or 0 */
/* As pmap_use; 0 for a page never used, too, unless the view shows it as zero. */
u64 pmap_look(struct vm *vm, gpn_t gpn, u32 node);

/*
 * Until nobody copies the page; the lock is given up meanwhile, and shootdowns are answered.
 */
void pmap_wait_locked(struct pmap *p, gpn_t gpn);
/* Puts into the node's view what the page is now, which nobody copies. */
void pmap_fill_locked(struct vm *vm, gpn_t gpn, u32 node);
/*
 * The pair of large pages around gpn for a miss of node, which is the caller's own, as
 * arch_large_pair; 0: there is none. Takes the lock.
 */
u64 pmap_large(struct vm *vm, gpn_t gpn, u32 node);
/*
 * The node's view shows the VM's large pairs in all address spaces, or in each its own: then those that the TLB
 * has go. On that node; takes RANK_PMAP.
 */
void pmap_set_alone(struct pmap *p, u32 node, bool alone);

/* ---- sharing, for drivers/dma.h and the loader ---- */

/*
 * The shared page, which the caller holds, stands behind gpn from now on, and what did goes back.
 * -EFAULT: not the VM's memory; -EAGAIN: the page is on the move, or a device has it. Takes RANK_PMAP
 * up; answers shootdowns.
 */
int pmap_share(struct vm *vm, gpn_t gpn, mpn_t shared);
/*
 * The same for up to SHARE_PAGES pages, in their order, with one shootdown for those of a range: a bit for each
 * that was shared.
 */
u32 pmap_share_pages(struct vm *vm, const struct share_at *at, u32 n);
bool pmap_share_page(struct vm *vm, const struct share_at *at); /* the same of one page */
/*
 * The machine pages behind up to SHARE_PAGES guest pages with what is in them now, held for the caller (share_drop),
 * who was promised a page for each (nodemem_reserve): the VM goes on using them, and has a copy when it writes.
 * Whoever writes at the same time does so before or after. MPN_NONE in at: there is none, or it is on the move, or a
 * device has it; the promise is still the caller's. Takes RANK_PMAP up; answers shootdowns.
 */
void pmap_lend_pages(struct vm *vm, struct share_at *at, u32 n);
/*
 * The shared page `to`, which the caller holds and which is equal to the shared page `from`, stands behind gpn from
 * now on. False: something else than `from` does, or the page is on the move. As pmap_share.
 */
bool pmap_replace(struct vm *vm, gpn_t gpn, mpn_t from, mpn_t to);
/*
 * The page, which is SHARED and about to be written by a VCPU of node, is the VM's own: the last user's
 * where it is, else a copy, which no view shows yet. False: the machine's memory is used up.
 */
bool pmap_own_locked(struct vm *vm, gpn_t gpn, u32 node);
/*
 * The same of a page that is about to be written by a device, to which the guest gave all of it, if it is SHARED: what is in it
 * afterwards are bytes that the guest had once, or zeroes. EntryLo of it in the node's view, as pmap_use_to_write; 0: it is not
 * SHARED, or as above. Answers shootdowns.
 */
u64 pmap_renew_locked(struct vm *vm, gpn_t gpn, u32 node);
/*
 * The machine page behind gpn, the VM's own and writable, stays there until it was unpinned as often as
 * it was pinned. MPN_NONE: not the VM's memory, or pinned PMAP_PINS times already. A VM does not end
 * before: pmap_release_step goes no further than such a page.
 */
#define PMAP_PINS 32766 /* of a page at a time */
mpn_t pmap_pin(struct vm *vm, gpn_t gpn);
void pmap_unpin(struct vm *vm, gpn_t gpn);
/*
 * The guest has no use for what is in these pages: they go back to their nodes and are as if never used.
 * Pages that move or are pinned stay, and those that are not the VM's. How many went. Looks at no mail
 * of its own: some 16 pages are what fits between two looks.
 */
u32 pmap_give_up(struct vm *vm, gpn_t first, u32 npages);
/* The same of one page that is to be zero, which is nothing that the guest reported. Whether it went. */
bool pmap_erase(struct vm *vm, gpn_t gpn);
/*
 * The same with the promise of the pages, in any order: others may have it. The guest gets it back by
 * pmap_unballoon, or by using the page, as long as the machine has memory that nobody was promised:
 * -ENOMEM, and the use is as one behind the VM's memory. 0: it has it.
 */
#define PMAP_BALLOON_PAGES 16 /* at a time */
u32 pmap_balloon(struct vm *vm, const gpn_t *pages, u32 n);
int pmap_unballoon(struct vm *vm, gpn_t gpn);

/* ---- moving and copying, for numa/ ---- */

struct pmap_copies {
	mpn_t master;		  /* MPN_NONE: never used, or not the VM's */
	struct nodemask replicas; /* nodes that have one */
};

/* Of one moment, if the lock is not held. */
struct pmap_copies pmap_copies(const struct pmap *p, gpn_t gpn);
bool pmap_has_view(
	const struct pmap *p,
	u32 node); /* a live one; of the caller's own node, or home, or under a lock of the pmap */

/* The machine page of node that would make gpn the neighbour of the VM's own pages around it, free or not;
 * MPN_NONE: none of the `within` pages around it, a power of two, is there and where large pages could be. */
mpn_t pmap_place_locked(const struct pmap *p, gpn_t gpn, u32 within, u32 node);

/* To another node: nobody has a replica, nobody copies it. Then leave, hide, copy, arrive. */
bool pmap_may_leave_locked(const struct pmap *p, gpn_t gpn);
void pmap_leave_locked(struct pmap *p, gpn_t gpn);
void pmap_arrive_locked(struct pmap *p, gpn_t gpn, mpn_t to); /* the master is another page now */
/* To one more node: it has no replica, the page is not leaving. Then begin, hide or downgrade,
 * copy, end. Several nodes may be at that for one page. */
bool pmap_may_copy_locked(const struct pmap *p, gpn_t gpn, u32 node);
void pmap_copy_begin_locked(struct pmap *p, gpn_t gpn);
/* The node's view shows the replica now. */
void pmap_copy_end_locked(struct pmap *p, gpn_t gpn, u32 node, mpn_t replica);
/* The page, which has replicas and is in no view, has one copy again: kept. */
void pmap_collapse_locked(struct pmap *p, gpn_t gpn, mpn_t kept);

/* Takes the page out of the node's view: returns what that showed, MPN_NONE: nothing. */
mpn_t pmap_hide_locked(struct pmap *p, gpn_t gpn, u32 node);
/*
 * Takes the right to write out of the node's view of a page that is COPIED. True: translations on the node
 * may have it still, because the view had, or because another copy's shootdown may not be over.
 */
bool pmap_downgrade_locked(struct pmap *p, gpn_t gpn, u32 node);

/*
 * A batch of the caller's takes pages out of views from now on; its shootdown is over. pmap_settle waits
 * until all that began have ended, or one has reached this node, so that the reading does not hold: for
 * check=1.
 */
void pmap_unsettle(struct pmap *p);
void pmap_settled(struct pmap *p);
void pmap_settle(struct pmap *p, struct reading r);

/* ---- beginning and end ---- */

/* storage: pmap_bytes(npages), zero; of each view: pmap_view_bytes(npages). Of a VM that nobody runs or looks at yet. */
void pmap_init(struct pmap *p, void *storage, u32 npages);
void pmap_add_view(struct pmap *p, u32 node, void *storage);
size_t pmap_bytes(u32 npages);
size_t pmap_view_bytes(u32 npages);
/* The same for the caller's own node, or at boot, with memory of that node: -ENOMEM. The storage stays. */
int pmap_make_view(struct vm *vm, u32 node);
void pmap_unmake_view(struct vm *vm, u32 node); /* that has gone, and its storage */
/* The node has a view, and its storage stays: what points into it leads to words of it as long as the VM is there. */
bool pmap_view_stays(const struct pmap *p, u32 node);
/*
 * The caller's own node has a view of the VM from now on. -ENOMEM: it has no room for one. Takes RANK_PMAP, reads mail.
 */
int pmap_gain_view(struct vm *vm, u32 node);
/* The view of the caller's own node, which has no VCPU of the VM, goes by some pages. True: it is gone. Takes RANK_PMAP. */
bool pmap_lose_view_step(struct vm *vm, u32 node);

/*
 * Some pages back to their nodes, from *next on, which is 0 at first: at most a few ten thousand
 * instructions. True: that was the last one; false as long as a page is pinned. Nobody may run in the VM
 * from the first step to the last.
 */
bool pmap_release_step(struct vm *vm, u32 *next);
/* Afterwards: how many pages the VM was still promised. */
u32 pmap_end_promise(struct pmap *p);

#endif /* KERNEL_MEM_PMAP_H */
