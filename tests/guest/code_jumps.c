/* SPDX-License-Identifier: MIT */
/*
 * Rule: a kernel that was linked for KSEG0 jumps by a register to where it jumped on the machine, and finds in its registers what it
 * found there, also after the monitor has put branches in place of its jumps (docs/guest-abi.md).
 *
 * Method: jumps of each kind - JR with what a slot may hold, JIC, by a value that was just loaded, computed, or loaded much
 * earlier, behind a branch that is not taken - lead many times to two places by turns, in KSEG0, KSEG1 and XKPHYS where the program
 * has them. A table of a switch is changed and its slot is rewritten in between; its code is read back.
 */
#include "tests/guest/test.h"

#define KINDS 9
/*
 * a0: where the target is stored. a1: for each kind what is found behind the jump in the target's register, in the slot's, and who it
 * was that came back, by $3.
 */
#define KIND(n, register, code)                       \
	"bal 1f\n"                                    \
	"li $6, 0\n"                                  \
	"b 2f\n"                                      \
	"nop\n"                                       \
	"1:\n"                                        \
	"move $3, $31\n" code "2:\n"                  \
	"sd " register ", 24 * " #n "($5)\n"          \
		       "sd $6, 24 * " #n " + 8($5)\n" \
		       "sd $11, 24 * " #n " + 16($5)\n"

asm(".pushsection .text\n"
    ".set push\n.set noreorder\n.set noat\n"
    ".balign 4096\n"
    "nop\n"
    ".globl jumps, jumps_end, jumps_slot, jumps_one, jumps_two\n"
    "jumps:\n"
    "move $9, $31\n" /* clang-format off */
    KIND(0, "$25", "ld $25, 0($4)\n jr $25\n nop\n")
    KIND(1, "$25", "ld $25, 0($4)\n jr $25\n daddiu $6, $25, 5\n")
    KIND(2, "$2", "ld $2, 0($4)\n xor $7, $2, $9\n bnez $0, 2f\n xor $2, $7, $9\n jr $2\n li $6, 7\n")
    KIND(3, "$25", "ld $25, 0($4)\n jic $25, 0\n")
    KIND(4, "$25", "ld $25, 0($4)\n jr $25\n jumps_slot: li $6, 1000\n") /* changed below */
    /* These stay as they are: the slot writes the register, or may trap; a return; behind a call. */
    KIND(5, "$25", "ld $25, 0($4)\n jr $25\n daddiu $25, $25, 1\n")
    KIND(6, "$25", "ld $25, 0($4)\n jr $25\n sd $25, 24 * 9($5)\n")
    KIND(7, "$31", "ld $31, 0($4)\n jr $31\n li $6, 6\n")
    KIND(8, "$25", "ld $25, 0($4)\n bal 3f\n nop\n 3: jr $25\n li $6, 3\n")
    "jr $9\n" /* clang-format on */
									     "move $31, $9\n"
									     "jumps_end:\n"
									     ".balign 64\n"
									     "jumps_one:\n"
									     "jr $3\n"
									     "li $11, 1\n"
									     ".balign 64\n"
									     "jumps_two:\n"
									     "jr $3\n"
									     "li $11, 2\n"
									     ".set pop\n"
									     ".popsection");

extern u32 jumps[], jumps_end[], jumps_slot[], jumps_one[], jumps_two[];

#define WORDS  (jumps_end - jumps)
#define ROUNDS 64
#define LI_A2  0x24060000u

static u64 found[3 * KINDS + 1];
static u64 target;
static u32 first[160];

static void run(void)
{
	register u64 a0 asm("$4") = (u64)&target;
	register u64 a1 asm("$5") = (u64)found;
	u64 left[2];

	asm volatile(".set push\n.set noreorder\n.set noat\n"
		     "dla $25, jumps\n"
		     "jalr $25\n"
		     "nop\n"
		     ".set pop"
		     : "+r"(a0), "+r"(a1)
		     :
		     : "$2", "$3", "$6", "$7", "$9", "$11", "$25", "$31", "memory");
	left[0] = a0, left[1] = a1;
	check_eq("a0", left[0], (u64)&target);
	check_eq("a1", left[1], (u64)found);
}

static void check_found(u64 callee, u64 which, u64 slot)
{
	static const char *const names[KINDS] = { "empty slot",
						  "slot that reads the target",
						  "computed, behind a branch",
						  "jic",
						  "slot that is changed",
						  "slot that writes the target",
						  "slot that stores",
						  "return",
						  "behind a call" };
	const u64 slots[KINDS] = { 0, callee + 5, 7, 0, slot, 0, 0, 6, 3 };

	for (u32 i = 0; i < KINDS; i++) {
		check_eq(names[i], found[3 * i], i == 5 ? callee + 1 : callee);
		check_eq(names[i], found[3 * i + 1], slots[i]);
		check_eq(names[i], found[3 * i + 2], which);
	}
	check_eq("what the slot stores", found[3 * KINDS], callee);
}

int main(void)
{
	u64 callees[2] = { (u64)jumps_one, (u64)jumps_two };
	u64 bases[4] = { callees[0] & ~0x0ffffffful, callees[0] & ~0x0ffffffful, 0xffffffffa0000000,
			 0x9000000000000000 };
	u32 nbases = platform_is_native ? 4 : 1;

	for (u32 i = 0; i < WORDS; i++)
		first[i] = jumps[i];
	for (u32 i = 0; i < ROUNDS; i++) {
		u64 slot = 1000 + i / 16;

		target = bases[i / 8 % nbases] + (callees[i % 2] & 0x0fffffff);
		if (i % 16 == 0) {
			*(volatile u32 *)jumps_slot = first[jumps_slot - jumps] = LI_A2 | slot;
			asm volatile("synci 0(%0)\n\tsync\n\tehb" : : "r"(jumps_slot) : "memory");
		}
		run();
		check_found(target, 1 + i % 2, slot);
		for (u32 w = 0; i % 8 == 5 && platform_is_native && w < WORDS; w++)
			check_eq("its code", ((volatile u32 *)jumps)[w], first[w]);
	}
	print("%u rounds\n", ROUNDS);
	return verdict();
}
