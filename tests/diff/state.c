/* SPDX-License-Identifier: MIT */
/* What a program leaves behind: registers, CP0, FPU, TLB and memory, added to its hash. */
#include "guests/lib/cp0.h"
#include "guests/lib/guest.h"
#include "guests/lib/tlb.h"
#include "tests/diff/runner.h"

u64 diff_hash;
bool diff_verbose;

void diff_add(u64 v)
{
	diff_hash = (diff_hash ^ v) * 0x100000001b3;
	diff_hash ^= diff_hash >> 29;
}

void diff_show(const char *name, u64 v)
{
	diff_add(v);
	if (diff_verbose)
		print("  %s %016lx\n", name, (unsigned long)v);
}

#define READ64(name, reg, sel)                                                      \
	do {                                                                        \
		u64 v_;                                                             \
		asm volatile("dmfc0 %0, $" #reg ", " #sel : "=r"(v_) : : "memory"); \
		diff_show(name, v_);                                                \
	} while (0)

static void final_cp0(u32 flags, bool address_error)
{
	READ64("EntryLo0", 2, 0);
	READ64("EntryLo1", 3, 0);
	READ64("PageMask", 5, 0);
	READ64("PageGrain", 5, 1);
	READ64("Wired", 6, 0);
	READ64("HWREna", 7, 0);
	READ64("UserLocal", 4, 2);
	diff_show("Index", cp0_read_index() & 63); /* QEMU's P stays until a TLBP hits */
	READ64("KScratch1", 31, 2);
	READ64("KScratch2", 31, 3);
	READ64("KScratch3", 31, 4);
	READ64("KScratch4", 31, 5);
	READ64("KScratch5", 31, 6);
	READ64("KScratch6", 31, 7);
	READ64("ErrorEPC", 30, 0);
	if (flags & DIFF_SOFT)
		return;
	READ64("EntryHi", 10, 0);
	if (address_error) /* UNPREDICTABLE then */
		return;
	READ64("BadVAddr", 8, 0);
	READ64("Context", 4, 0);
	READ64("XContext", 20, 0);
}

static void final_state(u32 flags, bool address_error)
{
	static u64 fpu[33];
	char name[8] = "r";

	for (unsigned i = 1; i < 32; i++) {
		name[1] = (char)('0' + i / 10);
		name[2] = (char)('0' + i % 10);
		if (i != 26 && i != 27)
			diff_show(name, diff_gpr[i]);
	}
	diff_show("Status", cp0_read_status() & STATUS_SEEN);
	diff_show("Cause", cp0_read_cause() & CAUSE_SEEN & ~(flags & DIFF_SOFT ? 0x7cu : 0));
	final_cp0(flags, address_error);
	cp0_write_pagegrain((s32)0xc8000000);
	cp0_write_status(ST_BASE | ST_CU1 | ST_EXL);
	diff_fpu_store(fpu);
	name[0] = 'f';
	for (unsigned i = 0; i < 33; i++) {
		name[1] = (char)('0' + i / 10);
		name[2] = (char)('0' + i % 10);
		diff_show(name, fpu[i]);
	}
	for (unsigned i = DIFF_FIRST_INDEX; i <= DIFF_X_INDEX; i++) {
		struct tlb_entry e = tlb_read_at(i);

		name[0] = 't';
		name[1] = (char)('0' + i / 10);
		name[2] = (char)('0' + i % 10);
		diff_show(name, e.hi);
		diff_show("lo0", e.lo0);
		diff_show("lo1", e.lo1);
		diff_show("mask", e.mask);
	}
}

static void memory_state(void)
{
	const u64 *data = guest_va(DIFF_DATA_PA), *pool = guest_va(DIFF_POOL_PA);
	u64 old = diff_hash;

	diff_hash = HASH_START;
	for (unsigned i = 0; i < 2 * PAGE_SIZE / 8; i++)
		diff_add(data[i]);
	for (unsigned i = 0; i < 16 * PAGE_SIZE / 8; i++)
		diff_add(pool[i]);
	u64 sum = diff_hash;
	diff_hash = old;
	diff_show("memory", sum);
}

void diff_final(u32 flags, bool address_error)
{
	final_state(flags, address_error);
	memory_state();
}

/* The general registers that are not what they were at the exception before. */
void diff_show_changes(void)
{
	static u64 last[32];

	for (unsigned i = 1; i < 32; i++) {
		if (diff_gpr[i] != last[i] && i != 26 && i != 27)
			print("    r%02u %016lx\n", i, (unsigned long)diff_gpr[i]);
		last[i] = diff_gpr[i];
	}
}
