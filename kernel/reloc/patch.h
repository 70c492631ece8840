/* SPDX-License-Identifier: MIT */
/*
 * Places that trap, patched while a kernel that was linked for KSEG0 runs (reloc.h): a load or store that the monitor
 * carried out once becomes a branch to a trampoline (tramp.h), which needs no monitor, and so does a call or a jump by a register whose
 * fetch the monitor let go on in csseg (call.h, jump.h), and a move to or from CP0 (cp0move.h). The guest's memory stays as it
 * is. What csseg shows of a page with such places is a copy, for fetches alone (QEMU lets it be read once it was fetched from,
 * whatever RI says: docs/machine.md); all other ways to the page show the page, and are not writable. So the guest reads its code as it stored it, and who stores there is seen:
 *
 *   page     what csseg shows    becomes   when
 *   PLAIN    the page            COPIED    a place of it is patched: a free copy is there, and the page was given
 *                                          up less than PATCH_DROPS times, or PATCH_ASKED places were refused since
 *   COPIED   the copy: fetches   PLAIN     a store to the page, whichever way; a CACHE of an address in it; a load
 *                                          from csseg that cannot be carried out; an LL in a trampoline that must be
 *                                          carried out: the page's places are free again
 *
 * A place stays as it is, and traps, if it is in a slot and is reached by another way than its branch; if it or its branch is a
 * page's first word, which may be in a slot; if a branch tests what it loads in its delay slot; if it stores its own base
 * register; if no trampoline or copy is free or in reach. Memory that a device writes is not seen: code that came so is cleaned by
 * CACHE before it runs, if there had been code.
 *
 * An LL and the SCs that follow it (pair.h) become trampolines together, of one cache attribute, so that all reach the
 * memory at the same address:
 *
 *   LL         SC         is what                                      how it ends
 *   plain      plain      both carried out                             the SC, carried out, has both patched
 *   patched    patched    neither traps; one in xkseg, both do         with their page, which is the same
 *   plain      patched    the SC fails: another LL with the same SC    this LL is patched, too, as soon as it traps
 *   patched    plain      never: an LL is patched with all its SCs     -
 *
 * The third lasts if the LL cannot be patched. What ends it is that one LL was carried out PATCH_ALONE times in PATCH_ALONE_TICKS,
 * and no other LL, and no SC: all pages with pairs are given up for ever, and no pair is patched any more in this run of the VM.
 * A program that spins as long on a compare and swap that fails comes to that, too, and is slower.
 *
 * The trampolines follow the VM's memory in the window, for fetches alone. VMs of one VCPU only: no lock; the
 * VCPU's node. Pure.
 */
#ifndef KERNEL_RELOC_PATCH_H
#define KERNEL_RELOC_PATCH_H

#include "kernel/reloc/cp0move.h"
#include "kernel/reloc/tramp.h"
#include "kernel/types.h"

#define PATCH_DROPS   8
#define PATCH_ASKED   240
#define PATCH_REFUSED 512
#define PATCH_JUMPS   256
#define PATCH_SEEN    256

#define PATCH_ALONE	  1024
#define PATCH_ALONE_TICKS 166666667 /* of Count: a second */

/* An access that was carried out: pc is the branch's if it is in the slot of one. */
struct patch_place {
	u64 pc, va;
	u32 insn, branch;
	bool slot;
};

/* Why an access was carried out and its place stays as it is. */
enum patch_why {
	PATCH_NOW,    /* it does not: it was patched */
	PATCH_LINKED, /* LL or SC, no pair; or the first time */
	PATCH_SLOT,   /* in a slot, or on the page's first word */
	PATCH_BASE,   /* a store of its own base, or no base */
	PATCH_FULL,   /* no copy or trampoline is left, or the page was given up too often */
	PATCH_AGAIN,  /* it is patched, but not for such an address */
	PATCH_CODE,   /* a load from csseg of a page that is copied */
	PATCH_MAPPED, /* xkseg, kseg3 */
	PATCH_WHYS
};

struct patch_site {
	struct tramp tramp;
	u32 place; /* "physical" address; 0: free */
	u16 next;  /* of the same page, or free: number + 1; 0: none */
};

struct patch_copy {
	u32 gpn;
	u16 sites, next; /* first site, next free copy: number + 1; 0: none */
};

struct patch {
	u32 npages, ncopies, nsites; /* fixed, like the pointers; npages: of the VM */
	u8 *copy_page;		     /* ncopies pages */
	u8 *tramp_page;		     /* the trampolines, one for each site */
	struct patch_copy *copy;
	struct patch_site *site;
	u16 *copy_of; /* of each page: number + 1; 0: PLAIN */
	u8 *drops; /* of each page: how often it was given up, and how often it was asked for since; the most: for ever */
	u16 free_copy, free_site;   /* given back: number + 1; 0: none */
	u32 fresh_copy, fresh_site; /* those from here on were never used */
	u32 copied;		    /* pages that are COPIED */
	u32 linked;		    /* sites of LLs and SCs */
	u32 alone, alone_since;	    /* how often the LL below was, with nothing in between; Count */
	bool no_pairs;		    /* LLs and SCs stay as they are */
	u32 refused[PATCH_REFUSED]; /* places of LLs that are no part of a pair, and calls that stay, as last found */
	struct patch_place ll; /* the last LL that was carried out */
	u32 jump[PATCH_JUMPS]; /* places of jumps that may be patched (jump.h), on COPIED pages, the oldest first */
	u8 jump_reg[PATCH_JUMPS]; /* the register that has each one's target */
	u32 njumps;
	struct move_seen seen[PATCH_SEEN]; /* of places of moves, as last found */
	bool misses; /* the entry to the monitor is a miss of a trampoline on the VM's memory */
	u64 patched, freed;	 /* places, since the start */
	u64 calls, jumps, moves; /* of those patched */
	u64 why[PATCH_WHYS];	 /* accesses carried out */
};

/* The monitor's memory for a VM of so many pages, zeroed and aligned to pages; 0: it cannot have any. */
size_t patch_bytes(u32 npages);
void patch_init(struct patch *p, void *storage, u32 npages);
/* No page is COPIED, all sites are free. Some 100,000 instructions if all were used. */
void patch_reset(struct patch *p);

/* Where csseg shows code that is not the page's: bytes of a copy, of trampolines; NULL: it shows the page, if any. */
static inline u8 *patch_page(const struct patch *p, u64 gpn)
{
	u64 tramp = gpn - p->npages;

	if (gpn < p->npages)
		return p->copy_of[gpn] ? p->copy_page + (p->copy_of[gpn] - 1ul) * 4096 : NULL;
	return tramp < (u64)p->nsites * TRAMP_BYTES / 4096 ? p->tramp_page + tramp * 4096 : NULL;
}

/*
 * A copy for the page, which is PLAIN; the caller fills it. NULL: there is none, now or for this page.
 */
u8 *patch_copy_page(struct patch *p, u32 gpn);
/* The place of a COPIED page, which holds t->insn, or t->branch and that. */
enum patch_why patch_add(struct patch *p, u32 place, const struct tramp *t);
/* The site, of a move, gets another trampoline. */
void patch_build_again(struct patch *p, const struct patch_site *s, const struct tramp *t);
/* The site whose branch csseg shows there; NULL: it shows no such. */
const struct patch_site *patch_at(const struct patch *p, u64 gpa);
static inline bool patch_is_patched(const struct patch *p, u64 gpa)
{
	return patch_at(p, gpa) != NULL;
}
/* A jump to what the register holds, on a COPIED page, that a patched place leads to; the i-th is none any more. */
void patch_note_jump(struct patch *p, u32 place, u8 reg);
void patch_forget_jump(struct patch *p, u32 i);
/* One page with a site of an LL or SC, of sites from *from on, which becomes the next; false: there is none. */
bool patch_next_linked(const struct patch *p, u32 *from, u64 *gpn);
/* The page is PLAIN from now on; for_ever: and stays so. True: it was COPIED. */
bool patch_drop(struct patch *p, u64 gpn, bool for_ever);

/* The site whose trampoline has the window's address gpa, and which word that is; NULL: none. */
const struct patch_site *patch_find(const struct patch *p, u64 gpa, u32 *word);

#endif /* KERNEL_RELOC_PATCH_H */
