/* SPDX-License-Identifier: MIT */
/* What the guest's files share: the batch, the hash, the registers of the program that runs. */
#ifndef TESTS_DIFF_RUNNER_H
#define TESTS_DIFF_RUNNER_H

#include "kernel/types.h"
#include "tests/diff/diff.h"

struct program {
	u32 words, flags;
	u64 seed;
	u32 code[];
};

struct batch {
	u64 magic;
	u32 count, flags;
	struct program first;
};

#define STATUS_SEEN 0x30c0ffffu /* all but FR */
#define CAUSE_SEEN  0xf080837cu /* all but DC and the lines that no VM has */
#define HASH_START  0xcbf29ce484222325ull

extern u64 diff_gpr[32]; /* the program's, while it does not run */
extern u64 diff_hash;
extern bool diff_verbose;

void diff_add(u64 v);
void diff_show(const char *name, u64 v); /* adds it, and prints it if verbose */

void diff_show_changes(void); /* prints the registers that changed since the last time */

void diff_fpu_load(const u64 *f); /* f0..f31, FCSR; CU1 must be set */
void diff_fpu_store(u64 *f);

/* ---- TLB ---- */
extern const u64 diff_area[DIFF_X_INDEX + 3]; /* the last two are the W pages */
u64 diff_mix(u64 v);
void diff_map_wired(void); /* the program's own pages */
bool diff_is_w(u64 va);	   /* a page that only TLBWR maps */
void diff_fill_w(u64 va);
/* Makes va usable for the access that failed, by a new entry or by the one that is there; false: it
 * is in no area. salt: what else chance depends on. */
bool diff_fill_area(u64 va, bool write, u64 salt);
bool diff_allow(u64 va, bool write);
void diff_flush_tlb(void);		       /* all but the program's own pages */
void diff_write_tlb(u64 va, u64 lo0, u64 lo1); /* for the current ASID */

/* ---- walked.c ---- */
void walked_begin(u64 seed);
void walked_end(void);
bool walked_fill(u64 va, bool write, bool fetch); /* false: the program must see the exception */
bool walked_mend(u64 va, bool write);
void walked_change(u64 chance);

/* Adds everything that a program leaves behind. flags are its own; address_error: what an address
 * error leaves in CP0 is not promised. */
void diff_final(u32 flags, bool address_error);

#endif /* TESTS_DIFF_RUNNER_H */
