/* SPDX-License-Identifier: MIT */
/*
 * Mechanisms that only save time, each with its switch, so that what it saves can be measured:
 * off=NAME,NAME... on the monitor's command line. And check=1, which makes the monitor verify its
 * own translations as it goes.
 */
#ifndef KERNEL_OPTIONS_H
#define KERNEL_OPTIONS_H

#include "kernel/types.h"

enum option {
	OPTION_FAST,	  /* fast: system calls and returns from them without the C side (fast.S) */
	OPTION_L2TLB,	  /* l2tlb: the software TLB behind the machine's */
	OPTION_WALK_FAST, /* walkfast: page walks in assembly (walk_fast.S) */
	OPTION_WALKER,	  /* walker: the monitor walks guests' page tables at all (walk.c) */
	OPTION_LARGE,	  /* large: windows mapped with large pages */
	OPTION_ASID,	  /* asid: translations live on when another VCPU gets the processor */
	OPTION_TEXT,	  /* text: a copy of the monitor's text on each node */
	OPTION_RENEW,	  /* renew: room in the TLB for the address space that runs (tlb_renew) */
	OPTIONS
};

/* The value behind key ("off=") among the words, *len bytes up to the next blank; NULL: it is not
 * there. */
const char *option_value(const char *words, const char *key, size_t *len);

bool option_on(enum option o);
bool option_check(void); /* check=1 */
/* Reads the command line's words; a name it does not know is reported with those it does. Boot
 * only. */
void options_configure(const char *words);

#endif /* KERNEL_OPTIONS_H */
