/* SPDX-License-Identifier: MIT */
/*
 * What the generator (program.py) and the guest that runs its programs (runner.c) agree on. The
 * same numbers are in program.py. C and assembly.
 */
#ifndef TESTS_DIFF_DIFF_H
#define TESTS_DIFF_DIFF_H

/* "physical" addresses, the same natively and under the monitor */
#define DIFF_CODE_PA  0x200000	  /* two pages */
#define DIFF_DATA_PA  0x202000	  /* two pages */
#define DIFF_X_PA     0x204000	  /* two pages of BREAK, never written: where wild jumps may end */
#define DIFF_POOL_PA  0x210000	  /* sixteen pages */
#define DIFF_BATCH_PA 0x400000	  /* the batch: struct batch */
#define DIFF_NOWHERE  0x400000000 /* no memory here */

/*
 * Virtual: program and data are mapped by wired, global entries; index i owns the area of area[i].
 */
#define DIFF_CODE_VA	 0x10000000
#define DIFF_DATA_VA	 0x18000000
#define DIFF_AREA_BYTES	 0x100000
#define DIFF_FIRST_INDEX 2  /* the first entry that programs may write */
#define DIFF_X_INDEX	 11 /* the last: the area of the BREAKs */
#define DIFF_WIRED	 12
#define DIFF_W_VA	 0x60000000	    /* pages that only TLBWR maps */
#define DIFF_W_CSSEG	 0xffffffffd0400000 /* more of them */

/* codes of SYSCALL with a meaning */
#define DIFF_SYS_END	 0x100
#define DIFF_SYS_KERNEL	 0x101
#define DIFF_SYS_USER	 0x102
#define DIFF_SYS_TIMER	 0x103 /* returns with the timer's interrupt pending */
#define DIFF_SYS_TLBINVF 0x104
#define DIFF_SYS_PTE	 0x105 /* another page table entry, as chance wants it */

/* flags of a program */
#define DIFF_START_USER 1
#define DIFF_SOFT	2 /* uses the W pages: what a miss leaves in CP0 is not compared at the end */
#define DIFF_START_CU1	4
#define DIFF_WALK	8 /* page tables, not TLB entries: walked.c */

#define DIFF_MAGIC   0x6666696466666964
#define DIFF_VERBOSE 1

/* how an exception returns */
#define DIFF_ERET   0
#define DIFF_ERETNC 1

#endif /* TESTS_DIFF_DIFF_H */
