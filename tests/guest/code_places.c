/* SPDX-License-Identifier: MIT */
/*
 * Rule: a kernel that was linked for KSEG0 sees of its loads and stores, and of its code, what it sees on the machine, also after
 * the monitor has put branches in their places (docs/guest-abi.md). Elsewhere nothing is patched, and all is the same.
 *
 * Method: a function with an access in each position - plain, into its base register, in the slot of each kind of branch, in
 * a forbidden slot, behind a call - is run on the same data many times, with bases in two segments by turns. In
 * between it is read, and its places are changed as another program would, by stores alone and with CACHE.
 */
#include "tests/guest/test.h"

asm(".pushsection .text\n"
    ".set push\n.set noreorder\n.set noat\n"
    ".balign 4096\n"
    "nop\n"
    ".globl places, places_end, places_load\n"
    "places:\n" /* a0: data, eight doublewords. v0: what was found */
    "move $9, $31\n"
    "ld $2, 0($4)\n" /* plain */
    "move $12, $4\n"
    "ld $12, 8($12)\n" /* into its base */
    "daddu $2, $2, $12\n"
    "beq $0, $0, 1f\n" /* taken: its slot */
    "ld $12, 16($4)\n"
    "daddiu $2, $2, 1000\n"
    "1:\n"
    "daddu $2, $2, $12\n"
    "bne $0, $0, 2f\n" /* not taken */
    "sd $2, 56($4)\n"
    "2:\n"
    "bal 3f\n" /* one that links */
    "ld $12, 24($4)\n"
    "daddu $2, $2, $12\n"
    "b 4f\n"
    "ld $12, 56($4)\n"
    "3:\n"
    "jr $31\n"
    "sw $12, 32($4)\n"
    "4:\n"
    "daddu $2, $2, $12\n"
    "beqzc $4, 5f\n" /* compact, not taken: its forbidden slot */
    "lwu $12, 32($4)\n"
    "daddu $2, $2, $12\n"
    "5:\n"
    "li $13, 3\n"
    "6:\n" /* a loop that stores in its slot */
    "daddiu $13, $13, -1\n"
    "bnez $13, 6b\n"
    "sb $13, 40($4)\n"
    "places_load:\n"
    "lbu $12, 40($4)\n" /* changed below */
    "daddu $2, $2, $12\n"
    "jr $9\n"
    "move $31, $9\n"
    ".balign 64\n"
    "places_end:\n"
    ".set pop\n"
    ".popsection");

extern u32 places[], places_end[], places_load[];

#define WORDS	    (places_end - places)
#define LBU(offset) (0x908c0000u | (offset))
#define ROUNDS	    50

static u64 data[8] __attribute__((aligned(64)));
static u32 first[128];

static u64 run(u64 base)
{
	register u64 a0 asm("$4") = base;
	register u64 v0 asm("$2");

	asm volatile(".set push\n.set noreorder\n.set noat\n"
		     "dla $25, places\n"
		     "jalr $25\n"
		     "nop\n"
		     ".set pop"
		     : "=r"(v0), "+r"(a0)
		     :
		     : "$9", "$12", "$13", "$25", "$31", "memory");
	return v0;
}

static u64 expected(u64 last)
{
	u64 sum = data[0] + data[1] + data[2];

	return sum + data[3] + sum + (u32)data[3] + last;
}

static void fill(u64 n)
{
	for (u32 i = 0; i < 8; i++)
		data[i] = n * 0x1000 + i;
}

/* As it was stored, which is not what is executed now. */
static void check_code(const char *when)
{
	for (u32 i = 0; i < WORDS; i++)
		check_eq(when, ((volatile u32 *)places)[i], first[i]);
}

static void change(u32 word, bool clean)
{
	*(volatile u32 *)places_load = first[places_load - places] = word;
	if (clean)
		asm volatile("sync\n\tcache 0x15, 0(%0)\n\tcache 0x10, 0(%0)\n\tsync\n\tehb"
			     :
			     : "r"(places_load)
			     : "memory");
	else
		asm volatile("synci 0(%0)\n\tsync\n\tehb" : : "r"(places_load) : "memory");
}

int main(void)
{
	const u64 bases[2] = { (u64)data, (u64)page_va(0) };

	for (u32 i = 0; i < WORDS; i++)
		first[i] = places[i];
	for (u32 i = 0; i < ROUNDS; i++) {
		fill(i);
		check_eq("on its own data", run(bases[0]), expected(0));
		memcpy((void *)bases[1], data, sizeof(data));
		((u64 *)bases[1])[5] = 0;
		check_eq("on other data", run(bases[1]), expected(0));
		if (i % 10 == 3)
			check_code("its code");
	}
	print("%u rounds\n", ROUNDS);
	for (u32 i = 0; i < ROUNDS; i++) {
		fill(i + 7);
		change(LBU(i % 8 * 8), i % 2);
		check_eq("changed", run(bases[0]),
			 expected(i % 8 == 4   ? (u8)data[3]
				  : i % 8 == 5 ? 0
				  : i % 8 == 7 ? (u8)(data[0] + data[1] + data[2])
					       : (u8)data[i % 8]));
		check_code("its changed code");
	}
	print("%u changes\n", ROUNDS);
	return verdict();
}
