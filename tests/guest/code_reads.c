/* SPDX-License-Identifier: MIT */
/*
 * Rule: what a kernel that was linked for KSEG0 reads of its own code is what it stored there, through KSEG0, KSEG1, XKPHYS and the
 * xsseg window at any time. By an address of csseg - one relative to pc, or any of a kernel with relocations - a place that has trapped may read as
 * a branch of the monitor's, until a CACHE instruction of an address in its page or a store to it: from there on it is what was stored, also
 * for a copy of the code elsewhere, which runs (docs/guest-abi.md).
 *
 * Method: a function whose loads trap under the monitor runs until they do so no longer. Its words are read by its own address, relative to
 * pc, and through memory's window; and again behind a CACHE, and behind a store. A copy of it is run. With `exact=1` all must read as stored at any
 * time, as in a VM whose description says `unpatched`.
 */
#include "tests/guest/test.h"

#define LOADS 8

asm(".pushsection .text\n"
    ".set push\n.set noreorder\n.set noat\n"
    ".balign 4096\n"
    "nop\n"
    ".globl reads, reads_end, reads_near\n"
    "reads:\n" /* a0: an address; v0: LOADS times what is there */
    "li $2, 0\n"
    ".rept 8\n"
    "ld $3, 0($4)\n"
    "daddu $2, $2, $3\n"
    ".endr\n"
    "jr $31\n"
    "nop\n"
    "reads_end:\n"
    "reads_near:\n" /* v0: where it is, relative to pc */
    "lapc $2, reads\n"
    "jr $31\n"
    "nop\n"
    ".balign 4096\n"
    ".set pop\n"
    ".popsection");

extern u32 reads[], reads_end[];
u64 reads_near(void);

#define WORDS (u32)(reads_end - reads)

static u32 stored[64];
static u64 datum = 5;

static u64 run(const volatile void *function)
{
	u64 (*call)(u64) = (u64(*)(u64))(u64)function;
	u64 at = (u64)&datum;

	return call(platform_is_native ? 0x9000000000000000 | (at & 0x0fffffff) : at);
}

static void run_until_patched(void)
{
	for (u32 i = 0; i < 4; i++)
		check_eq("its sum", run(reads), LOADS * datum);
}

/* The words there are those that were stored; loose: or branches in place of loads. */
static void check_words(const char *what, const volatile u32 *at, bool loose)
{
	for (u32 i = 0; i < WORDS; i++)
		if (!loose || stored[i] >> 26 != 0x37 || at[i] >> 26 != 0x32)
			check_eq(what, at[i], stored[i]);
}

static void check_all(bool loose)
{
	check_words("by its address", reads, loose);
	check_words("relative to pc", (const volatile u32 *)reads_near(), loose);
	check_words("through memory", (const volatile u32 *)guest_va((u64)reads & 0x0fffffff),
		    false);
}

static void clean(void)
{
	asm volatile("cache 0x10, 0(%0)\n\tsync\n\tehb" : : "r"(reads) : "memory");
}

int main(void)
{
	volatile u32 *copy = (volatile u32 *)page_va(0);
	bool loose = platform_is_native && !guest_number("exact=", 0);

	for (u32 i = 0; i < WORDS; i++)
		stored[i] = reads[i];
	for (u32 round = 0; round < 3; round++) {
		run_until_patched();
		check_all(loose);
		clean();
		check_all(false);
		for (u32 i = 0; i < WORDS; i++)
			copy[i] = reads[i];
		asm volatile("synci 0(%0)\n\tsync\n\tehb" : : "r"(copy) : "memory");
		for (u32 i = 0; i < 4; i++)
			check_eq("the copy's sum", run(copy), LOADS * datum);
		run_until_patched();
		*(volatile u32 *)reads = stored[0];
		check_all(false);
	}
	print("3 rounds\n");
	return verdict();
}
