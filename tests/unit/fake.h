/* SPDX-License-Identifier: MIT */
/*
 * A machine for arch/mips on the host: one VM of two VCPUs on one node (fake_far is another), with
 * the fake CP0 and TLB of fake/arch/mips/cp0.h, and guest memory that is there without being stored
 * but for its first pages. For tests that link arch/mips/{mmu,walk,vtlb,vcp0,inject,asid}.c.
 */
#ifndef TESTS_UNIT_FAKE_H
#define TESTS_UNIT_FAKE_H

#include "arch/mips/cp0.h"
#include "arch/mips/mips.h"
#include "kernel/options.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

#define FAKE_PAGES	 0x4000	   /* of guest memory */
#define FAKE_STORED	 32	   /* of these */
#define FAKE_MACHINE_GPN 0x80000ul /* guest page n is machine page FAKE_MACHINE_GPN + n */
#define FAKE_DEVICE_PAGE 0x777	   /* that guests read the registers of a device from */

extern struct vcpu fake_vcpu, fake_other; /* the first runs */
extern struct fresh fake_fresh;		  /* of the view */
extern u64 fake_large[];		  /* words of large pairs: none but what a test sets */
extern bool fake_off[OPTIONS];		  /* off=... */
extern struct node fake_far;		  /* a second node, where nobody lives at first */
extern struct nodemask fake_shot;	  /* nodes that were asked by shootdown */
extern u32 fake_waits;			  /* pmap_use answers a shootdown, so many times */
extern u32 fake_later;			  /* pmap_try_use has more to do, so many times */
extern u32 fake_wait_at;		  /* its n-th call from now on does; 0: none */
extern void (*fake_meanwhile)(void);	  /* what happens then, or NULL */
extern u64 fake_remote_gpn;		  /* while latency_on, the one page that is remote */
extern unsigned fake_charged;		  /* misses on it */

/* Everything as after VM start: kernel mode, empty TLBs, an address space of guest ASID 0. */
void fake_reset(void);

void fake_switch(struct vcpu *v); /* v runs from now on */
u64 *fake_word(u64 gpa);	  /* of the stored memory */

/* What the machine does on an access of the guest: its TLB, then the L2TLB as the refill handler
 * reads it. 0: a trap. */
u64 fake_translate(u64 va);

/* As fake_translate, with the trap taken by mmu_fault until it is no longer RESUME. */
u64 fake_access(u64 va, bool write, enum verdict *verdict);

/* The guest's EntryLo for a page of its memory, and the machine page it must come to. */
static inline u64 fake_lo(u64 gpn, u64 bits) { return gpn << ENTRYLO_PFN_SHIFT | bits; }

static inline u64 fake_gpn(u64 machine_lo)
{
	return ((machine_lo & ENTRYLO_PFN) >> ENTRYLO_PFN_SHIFT) - FAKE_MACHINE_GPN;
}

#endif /* TESTS_UNIT_FAKE_H */
