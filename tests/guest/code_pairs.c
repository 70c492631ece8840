/* SPDX-License-Identifier: MIT */
/*
 * Rule: LL and SC of a kernel that was linked for KSEG0 do what they do on the machine, whatever way leads from one to the other,
 * also after the monitor has put branches in their places (docs/guest-abi.md). Elsewhere nothing is patched, and all is the same.
 *
 * Method: functions that add to a word, each by LL and SC in another shape - straight, two SCs behind one LL, two LLs before one
 * SC, an LL in a slot, an SC in a slot, over the end of a page, in two functions - are run many times on data in three
 * segments, one of them mapped by the TLB. In between one of them is changed. Last come two LLs with the same SC, of which the monitor can patch one only.
 */
#include "tests/guest/test.h"

#define AGAIN  "beqz $3, 1b\nnop\n"
#define RETURN "jr $31\nnop\n"

/* a0: the word, a1: what is added, v0: what was found. $25 is kept. */
asm(".pushsection .text\n"
    ".set push\n.set noreorder\n.set noat\n"
    ".balign 4096\n"
    "nop\n"
    ".globl plain, plain_add, swap, two_scs, two_lls, forbidden, slot, double_, crossing, apart, apart_ll, spun, shared\n"
    "plain:\n"
    "1: ll $2, 0($4)\n"
    "plain_add: addu $3, $2, $5\n"
    "sc $3, 0($4)\n" AGAIN RETURN
    "swap:\n" /* compare and swap: the way out has no access to memory */
    "lw $6, 0($4)\n"
    "1: ll $2, 0($4)\n"
    "bne $2, $6, 2f\n"
    "addu $3, $2, $5\n"
    "sc $3, 0($4)\n" AGAIN "2: jr $31\n"
    "nop\n"
    "two_scs:\n"
    "1: ll $2, 0($4)\n"
    "andi $7, $2, 1\n"
    "beqz $7, 2f\n"
    "addu $3, $2, $5\n"
    "sc $3, 0($4)\n" AGAIN RETURN "2: sc $3, 0($4)\n" AGAIN RETURN "two_lls:\n"
    "move $7, $4\n"
    "andi $6, $5, 1\n"
    "1: beqz $6, 3f\n"
    "nop\n"
    "ll $2, 0($4)\n"
    "2: addu $3, $2, $5\n"
    "sc $3, 0($4)\n" AGAIN RETURN "3: ll $2, 0($7)\n"
    "b 2b\n"
    "nop\n"
    "forbidden:\n"
    "beqzc $4, 2f\n"
    "1: ll $2, 0($4)\n"
    "addu $3, $2, $5\n"
    "sc $3, 0($4)\n"
    "beqzc $3, 1b\n"
    "nop\n"
    "2: jr $31\n"
    "nop\n"
    "slot:\n"
    "1: ll $2, 0($4)\n"
    "addu $3, $2, $5\n"
    "bltz $5, 2f\n"
    "sc $3, 0($4)\n"
    "2: beqz $3, 1b\n"
    "nop\n" RETURN "double_:\n" /* and a negative offset, a load in between */
    "daddiu $7, $4, 64\n"
    "1: lld $2, -64($7)\n"
    "daddu $3, $2, $5\n"
    "scd $3, -64($7)\n" AGAIN RETURN "spun:\n" /* its first LL is for an SC that never comes */
    "ll $2, 0($4)\n"
    "bnez $4, 1f\n"
    "nop\n"
    "sc $2, 0($4)\n"
    "1: ll $2, 0($4)\n"
    "addu $3, $2, $5\n"
    "sc $3, 0($4)\n"
    "beqz $3, spun\n"
    "nop\n" RETURN "shared:\n" /* an SC of two LLs, one of which loads its own base */
    "move $7, $4\n"
    "andi $6, $5, 1\n"
    "1: beqz $6, 3f\n"
    "nop\n"
    "ll $2, 0($7)\n"
    "2: addu $3, $2, $5\n"
    "sc $3, 0($7)\n" AGAIN RETURN "3: move $2, $7\n"
    "ll $2, 0($2)\n"
    "b 2b\n"
    "nop\n"
    ".balign 4096\n"
    ".skip 4096 - 8\n"
    "crossing:\n"
    "1: ll $2, 0($4)\n"
    "addu $3, $2, $5\n"
    "sc $3, 0($4)\n" AGAIN RETURN "apart_ll:\n"
    "jr $31\n"
    "ll $2, 0($4)\n"
    "apart:\n" /* LL in a function of its own */
    "move $8, $31\n"
    "1: bal apart_ll\n"
    "nop\n"
    "addu $3, $2, $5\n"
    "sc $3, 0($4)\n" AGAIN "jr $8\n"
    "move $31, $8\n"
    ".set pop\n"
    ".popsection");

extern u32 plain[], plain_add[], swap[], two_scs[], two_lls[], forbidden[], slot[], double_[],
	crossing[], apart[], spun[], shared[];

#define ROUNDS	 60
#define VA_XKSEG 0xc000000200000000ull

static const struct {
	const char *name;
	const u32 *code;
} shapes[] = {
	{ "plain", plain },	    { "compare and swap", swap },
	{ "two SCs", two_scs },	    { "two LLs", two_lls },
	{ "in a slot", forbidden }, { "SC in a slot", slot },
	{ "64 bits", double_ },	    { "over the end of a page", crossing },
	{ "apart", apart },	    { "an LL without an SC", spun },
};

static u64 data[16] __attribute__((aligned(64)));

static u64 run(const u32 *code, u64 base, u64 add)
{
	register u64 a0 asm("$4") = base;
	register u64 a1 asm("$5") = add;
	register u64 v0 asm("$2");
	register const u32 *t9 asm("$25") = code;

	asm volatile(".set push\n.set noreorder\n.set noat\n"
		     "jalr $25\n"
		     "nop\n"
		     ".set pop"
		     : "=r"(v0), "+r"(a0), "+r"(a1), "+r"(t9)
		     :
		     : "$3", "$6", "$7", "$8", "$31", "memory");
	return v0;
}

static void run_one(const char *name, const u32 *code, u64 base, u64 before, u64 add)
{
	u64 *word = (u64 *)base;

	*word = before;
	check_eq(name, run(code, base, add), before);
	check_eq(name, *word, before + add);
}

static void run_all(u32 round, u64 base)
{
	for (u32 i = 0; i < ARRAY_SIZE(shapes); i++)
		run_one(shapes[i].name, shapes[i].code, base, round * 100 + i, round + i);
}

/* SUBU in place of ADDU, and back. */
static void change(u32 round)
{
	*(volatile u32 *)plain_add ^= 2;
	asm volatile("synci 0(%0)\n\tsync\n\tehb" : : "r"(plain_add) : "memory");
	data[0] = 1000 + round;
	check_eq("changed", run(plain, (u64)data, 7), 1000 + round);
	check_eq("changed", data[0], 993 + round);
	*(volatile u32 *)plain_add ^= 2;
	asm volatile("synci 0(%0)\n\tsync\n\tehb" : : "r"(plain_add) : "memory");
}

int main(void)
{
	u64 mapped = platform_is_native ? VA_XKSEG : VA_XSSEG;

	tlb_map_at(TLB_FREE, mapped, 0, LO_RW(page_pa(0)), LO_RW(page_pa(1)));
	for (u32 i = 0; i < ROUNDS; i++) {
		run_all(i, (u64)data);
		run_all(i, (u64)page_va(0));
		run_all(i, mapped);
		if (i % 20 == 19)
			change(i);
	}
	print("%u rounds\n", ROUNDS);
	for (u32 i = 0; i < 8; i++)
		run_one("shared", shared, (u64)data, i, i);
	print("shared\n");
	run_all(ROUNDS, (u64)data);
	return verdict();
}
