/* SPDX-License-Identifier: MIT */
/*
 * Rule: a kernel that was linked for KSEG0 calls by a register what it called on the machine, finds in its registers what it found
 * there, and returns behind the call, also after the monitor has put branches in place of its calls (docs/guest-abi.md). Elsewhere
 * nothing is patched, and all is the same.
 *
 * Method: a function with a call of each kind - JALR with what a slot may hold, one with another link register, JIALC - is run many
 * times on two callees by turns, which the bare machine also calls in KSEG1 and XKPHYS. What was in the slot is changed in between.
 * Then a callee is jumped to with a link register that names a call which was never made, and that call is made, with a slot that is
 * reserved.
 */
#include "tests/guest/test.h"

asm(".pushsection .text\n"
    ".set push\n.set noreorder\n.set noat\n"
    ".balign 4096\n"
    "nop\n"
    ".globl calls, calls_end, calls_slot, calls_one, calls_two\n"
    "calls:\n" /* a0: whom to call. a1: eighteen doublewords, what was found */
    "move $9, $31\n"
    "move $2, $4\n"
    "jalr $2\n" /* an empty slot */
    "nop\n"
    "sd $2, 0($5)\n"
    "sd $10, 8($5)\n"
    "move $2, $4\n"
    "jalr $2\n" /* one that reads the target */
    "daddiu $6, $2, 5\n"
    "sd $6, 16($5)\n"
    "sd $10, 24($5)\n"
    "move $2, $4\n"
    "jalr $2\n" /* one that writes it */
    "daddiu $2, $2, 16\n"
    "sd $2, 32($5)\n"
    "sd $10, 40($5)\n"
    "jalr $4\n" /* one that reads the link */
    "move $6, $31\n"
    "sd $6, 48($5)\n"
    "sd $10, 56($5)\n"
    "jalr $4\n" /* one that stores */
    "sd $4, 64($5)\n"
    "sd $10, 72($5)\n"
    "move $31, $0\n"
    "daddiu $25, $4, 32\n"
    "jalr $24, $25\n" /* another link register */
    "li $6, 77\n"
    "sd $31, 80($5)\n"
    "sd $6, 88($5)\n"
    "sd $10, 96($5)\n"
    "jialc $4, 0\n"
    "sd $10, 104($5)\n"
    "jalr $4\n"
    "calls_slot:\n"
    "li $6, 1000\n" /* changed below */
    "sd $6, 112($5)\n"
    "sd $10, 120($5)\n"
    "sd $11, 128($5)\n"
    "jr $9\n"
    "move $31, $9\n"
    ".balign 64\n"
    "calls_end:\n"
    /* The two differ in what they leave in $11. Behind each the same, that returns by $24. */
    "calls_one:\n"
    "move $10, $31\n"
    "jr $31\n"
    "li $11, 1\n"
    ".balign 32\n"
    "move $10, $24\n"
    "jr $24\n"
    "li $11, 1\n"
    ".balign 64\n"
    "calls_two:\n"
    "move $10, $31\n"
    "jr $31\n"
    "li $11, 2\n"
    ".balign 32\n"
    "move $10, $24\n"
    "jr $24\n"
    "li $11, 2\n"
    ".set pop\n"
    ".popsection");

extern u32 calls[], calls_end[], calls_slot[], calls_one[], calls_two[];

#define WORDS  (calls_end - calls)
#define ROUNDS 64
#define LI_A2  0x24060000u

static u64 found[18];
static u32 first[128];

static void run(u64 callee)
{
	register u64 a0 asm("$4") = callee;
	register u64 a1 asm("$5") = (u64)found;
	u64 left[2];

	asm volatile(".set push\n.set noreorder\n.set noat\n"
		     "dla $25, calls\n"
		     "jalr $25\n"
		     "nop\n"
		     ".set pop"
		     : "+r"(a0), "+r"(a1)
		     :
		     : "$2", "$6", "$9", "$10", "$11", "$24", "$25", "$31", "memory");
	left[0] = a0, left[1] = a1;
	check_eq("a0", left[0], callee);
	check_eq("a1", left[1], (u64)found);
}

/* Which word of the function it is behind, in whatever segment. */
static void check_link(const char *what, u64 link, u32 insn)
{
	u32 word = (u32)(((link & 0x0fffffff) - ((u64)calls & 0x0fffffff)) / 4);

	check(word >= 2 && word < WORDS, "%s: link %lx", what, (unsigned long)link);
	check_eq(what, first[insn >> 26 == 0x3e ? word - 1 : word - 2], insn);
}

static void check_found(u64 callee, u64 which, u64 slot)
{
	check_eq("target after an empty slot", found[0], callee);
	check_link("empty slot", found[1], 0x0040f809);
	check_eq("slot that reads the target", found[2], callee + 5);
	check_link("that reads", found[3], 0x0040f809);
	check_eq("slot that writes it", found[4], callee + 16);
	check_link("that writes", found[5], 0x0040f809);
	check_eq("slot that reads the link", found[6], found[7]);
	check_link("that reads the link", found[7], 0x0080f809);
	check_eq("slot that stores", found[8], callee);
	check_link("that stores", found[9], 0x0080f809);
	check_eq("ra of a call with another link", found[10], 0);
	check_eq("its slot", found[11], 77);
	check_link("another link", found[12], 0x0320c009);
	check_link("jialc", found[13], 0xf8040000);
	check_eq("slot that is changed", found[14], slot);
	check_link("changed", found[15], 0x0080f809);
	check_eq("callee", found[16], which);
}

/* A jump that looks like the call behind it. */
#define FORGED(name, slot)                                                            \
	extern char name##_at[];                                                      \
	PROBE(name, "move $9, $31\n\tmove $2, $4\n\tlapc $31, 1f\n\tjr $2\n\tnop" AT( \
			    name) "jalr $2\n\t.word " slot "\n1:\n\tmove $31, $9")
FORGED(p_srl, "0x00452102");  /* srl $4, $5, 4 with RS = 2 */
FORGED(p_srlv, "0x00c52086"); /* srlv $4, $5, $6 with SA = 2 */
FORGED(p_pause, "0x00000140");
PROBE(p_jump, "move $2, $5\n\tjr $4\n\tnop");

static void check_forged(const char *what, const char *jump, const char *call, u64 callee)
{
	for (u32 i = 0; i < 3; i++) {
		expect_none(what, probe(jump, callee, 0, 0));
		EXPECT(what, probe(p_jump, (u64)call, callee, 0), .exc = EXC_RI, .at = call,
		       .bd = true);
	}
}

int main(void)
{
	u64 callees[2] = { (u64)calls_one, (u64)calls_two };
	u64 bases[4] = { callees[0] & ~0x0ffffffful, callees[0] & ~0x0ffffffful, 0, 0 };
	u32 nbases = platform_is_native ? 4 : 1;

	for (u32 i = 0; i < WORDS; i++)
		first[i] = calls[i];
	if (platform_is_native) {
		bases[2] = 0xffffffffa0000000;
		bases[3] = 0x9000000000000000;
	}
	for (u32 i = 0; i < ROUNDS; i++) {
		u64 callee = bases[i / 8 % nbases] + (callees[i % 2] & 0x0fffffff);
		u64 slot = 1000 + i / 16;

		if (i % 16 == 0) {
			*(volatile u32 *)calls_slot = first[calls_slot - calls] = LI_A2 | slot;
			asm volatile("synci 0(%0)\n\tsync\n\tehb" : : "r"(calls_slot) : "memory");
		}
		run(callee);
		check_found(callee, 1 + i % 2, slot);
		for (u32 w = 0; i % 8 == 5 && w < WORDS; w++)
			check_eq("its code", ((volatile u32 *)calls)[w], first[w]);
	}
	check_forged("srl with RS", p_srl, p_srl_at, callees[0]);
	check_forged("srlv with SA", p_srlv, p_srlv_at, callees[0]);
	check_forged("pause in a slot", p_pause, p_pause_at, callees[0]);
	print("%u rounds\n", ROUNDS);
	return verdict();
}
