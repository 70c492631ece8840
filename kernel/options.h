/* SPDX-License-Identifier: MIT */
/*
 * Mechanisms that only save time or memory, each with its switch, so that what it saves can be measured:
 * off=NAME,NAME... on the monitor's command line. And check=1, which makes the monitor verify its
 * own translations as it goes; forget=flush gives it something to find.
 */
#ifndef KERNEL_OPTIONS_H
#define KERNEL_OPTIONS_H

#include "kernel/types.h"

/*
 * The one list of them: OPTION_ constant, name behind off=.
 *
 *   fast      system calls, returns from them and switches of address spaces without the C side (fast.S)
 *   l2tlb     the software TLB behind the machine's
 *   walkfast  page walks in assembly (walk_fast.S)
 *   walker    the monitor walks guests' page tables at all (walk.c)
 *   large     windows mapped with large pages
 *   asid      translations live on when another VCPU gets the processor
 *   text      a copy of the monitor's text on each node
 *   renew     room in the TLB for the address space that runs (tlb_renew)
 *   share     pages of the archive and of disks in common (drivers/dma.c, loader.c): else each VM has copies
 *   remap     pages of guests become pages of other guests (drivers/dma.c, dma_pass): else they are copied
 *   habit     pages that their sender fills anew each time are copied (drivers/subnet/habit.h): else they are passed, too
 *   zero      memory that guests read before they write it need not exist (kernel/mem/pmap_zero.c): else it is given at once
 *   report    guests may report the pages that they do not need (drivers/virtio/balloon.c)
 *   patch     places of kernels linked for KSEG0 that trap become branches (kernel/reloc/patch.h)
 *   kept      kernels' pages in large pairs stay where they are (numa/balance.c): else they move as any
 *   affinity  with spread=1 VCPUs go to their memory (kernel/sched/affinity.h): else that alone comes to them
 *   turns     nodes that QEMU runs in turn give theirs away (kernel/sched/turn.h)
 *   direct    who yields asks for a VCPU of its VM that waits on another node (kernel/sched/direct.h)
 */
#define OPTION_LIST(X)         \
	X(FAST, fast)          \
	X(L2TLB, l2tlb)        \
	X(WALK_FAST, walkfast) \
	X(WALKER, walker)      \
	X(LARGE, large)        \
	X(ASID, asid)          \
	X(TEXT, text)          \
	X(RENEW, renew)        \
	X(SHARE, share)        \
	X(REMAP, remap)        \
	X(HABIT, habit)        \
	X(ZERO, zero)          \
	X(REPORT, report)      \
	X(PATCH, patch)        \
	X(KEPT, kept)          \
	X(AFFINITY, affinity)  \
	X(TURNS, turns)        \
	X(DIRECT, direct)

#define OPTION_CONSTANT(constant, name) OPTION_##constant,
enum option { OPTION_LIST(OPTION_CONSTANT) OPTIONS };
#undef OPTION_CONSTANT

bool option_on(enum option o);
bool option_check(void);  /* check=1 */
bool option_forget(void); /* forget=flush: MMU_FLUSH flushes nothing, as a test of check=1 */
/* Reads the command line's words; one that nobody knows is reported with those that there are, and so is a name behind off=. Boot
 * only. */
void options_configure(const char *words);

#endif /* KERNEL_OPTIONS_H */
