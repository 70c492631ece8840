/* SPDX-License-Identifier: MIT */
/*
 * Rule: memory is the same by every unmapped address, whatever instruction makes the address and whatever uses it:
 * KSEG0, KSEG1 and XKPHYS with any cache attribute. MD00090 4.3.
 *
 * Method: a pattern is read, written and executed by each of the segments, by loads and stores of each size, unaligned,
 * in delay slots, by LL and SC and by the FPU's; addresses come from instructions in halves, in quarters, relative to pc, from
 * tables of 64 and of 32 bits, and from Config as Linux makes them. Under the monitor its windows stand for the segments.
 */
#include "tests/guest/test.h"

static volatile u64 pattern[4] __attribute__((aligned(16)));

extern u64 direct_word[]; /* what the instructions below name */
asm(".pushsection .data\n\t.balign 8\n\t.globl direct_word\ndirect_word:\n\t.dword 0x1122334455667788\n"
    "direct_pointer:\n\t.dword direct_word\n"
    "direct_short_pointer:\n\t.word direct_word\n\t.popsection");

PROBE(p_ld, "ld $2, 0($4)");
PROBE(p_unaligned, "lw $2, 3($4)\n\tsw $2, 17($4)\n\tld $2, 16($4)");
PROBE(p_slot,
      "move $1, $31\n\tbeq $0, $0, 1f\n\tld $2, 0($4)\n\tli $2, 9\n1:\tjal 2f\n\tsd $31, 24($4)\n2:\tmove $31, $1");
PROBE(p_forbidden, "move $1, $0\n\tbnezc $1, 1f\n\tlw $2, 4($4)\n1:");
PROBE(p_llsc,
      "1:\tll $2, 0($4)\n\taddiu $3, $2, 1\n\tsc $3, 0($4)\n\tbeqz $3, 1b\n\tnop\n2:\tlld $2, 0($4)\n\t"
      "daddiu $3, $2, 1\n\tscd $3, 0($4)\n\tbeqz $3, 2b\n\tnop\n\tld $2, 0($4)");
PROBE(p_fpu,
      ".set hardfloat\n\tldc1 $f2, 0($4)\n\tsdc1 $f2, 8($4)\n\tlwc1 $f4, 4($4)\n\tswc1 $f4, 8($4)\n\t"
      ".set softfloat\n\tld $2, 8($4)");

PROBE(p_halves, "lui $2, %hi(direct_word)\n\tld $2, %lo(direct_word)($2)");
PROBE(p_quarters,
      "lui $2, %highest(direct_word)\n\tdaddiu $2, $2, %higher(direct_word)\n\tdsll $2, $2, 16\n\t"
      "daddiu $2, $2, %hi(direct_word)\n\tdsll $2, $2, 16\n\tld $2, %lo(direct_word)($2)");
PROBE(p_table, "lui $2, %hi(direct_pointer)\n\tld $2, %lo(direct_pointer)($2)\n\tld $2, 0($2)");
PROBE(p_short,
      "lui $2, %hi(direct_short_pointer)\n\tlw $2, %lo(direct_short_pointer)($2)\n\tld $2, 0($2)");
PROBE(p_relative,
      "move $1, $31\n\tbal 1f\n\tnop\n\t.word 0x55, 0\n1:\tld $2, 0($31)\n\tlwpc $3, 2f\n\tb 3f\n\tnop\n\t.balign 4\n"
      "2:\t.word 0x66\n3:\tdaddu $2, $2, $3\n\tmove $31, $1");
PROBE(p_jump,
      "move $1, $31\n\tli $2, 1\n\tj 1f\n\tnop\n\tli $2, 2\n1:\tjal 2f\n\tnop\n2:\tlui $3, %hi(3f)\n\t"
      "daddiu $3, $3, %lo(3f)\n\tjr $3\n\tnop\n\tli $2, 3\n3:\tmove $31, $1");

static const char *const names[] = { "KSEG0", "KSEG1", "XKPHYS 3", "XKPHYS 2", "XKPHYS of Config" };

static u64 segment(unsigned i)
{
	u64 attribute = cp0_read_config() & 7;

	if (!platform_is_native)
		return i < 2 ? DISCO_CSSEG_BASE : DISCO_XSSEG_BASE;
	switch (i) {
	case 0: return 0xffffffff80000000;
	case 1: return 0xffffffffa0000000;
	case 2: return 0x9800000000000000;
	case 3: return 0x9000000000000000;
	default: return attribute << 59 | 1ull << 63;
	}
}

static void *by(unsigned i, const volatile void *p)
{
	return (void *)(segment(i) + (guest_pa(p) & 0x1fffffff));
}

static void result(const char *what, const struct trap *t, u64 wanted)
{
	print("  %s: %s %lx\n", what, trap_name(t->exc), (unsigned long)t->v0);
	check(!t->taken && t->v0 == wanted, "%s: %s %lx, wanted %lx", what, trap_name(t->exc),
	      (unsigned long)t->v0, (unsigned long)wanted);
}

static void fill(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(pattern); i++)
		pattern[i] = 0x8182838485868788 + 0x1010101010101010 * i;
}

#define LOAD(type, wanted) \
	check_eq(#type, (u64)(s64) * (volatile type *)p, (u64)(s64)(type)(wanted))
#define STORE(type, at)                                                                 \
	do {                                                                            \
		*(volatile type *)(p + 8 * (at)) = (type)0x0123456789abcdef;            \
		check_eq("stored " #type, (type)pattern[at], (type)0x0123456789abcdef); \
	} while (0)

static void sizes(volatile u8 *p)
{
	u64 first = pattern[0];

	LOAD(u8, first);
	LOAD(s8, first);
	LOAD(u16, first);
	LOAD(s16, first);
	LOAD(u32, first);
	LOAD(s32, first);
	LOAD(u64, first);
	STORE(u8, 0);
	STORE(u16, 1);
	STORE(u32, 2);
	STORE(u64, 3);
}

static void uses(unsigned i)
{
	void *p = by(i, pattern);

	print("%s\n", names[i]);
	fill();
	sizes(p);
	fill();
	result("load", probe(p_ld, (u64)p, 0, 0), 0x8182838485868788);
	result("unaligned", probe(p_unaligned, (u64)p, 0, 0), 0xa1a2a382838485a8);
	fill();
	check(!probe(p_slot, (u64)p, 0, 0)->taken, "slots");
	check((pattern[3] & 0xfffffff) == (guest_pa(p_slot) & 0xfffffff) + 24, "a link is stored");
	result("forbidden slot", probe(p_forbidden, (u64)p, 0, 0), 0xffffffff81828384);
	result("LL and SC", probe(p_llsc, (u64)p, 0, 0), 0x818283848586878a);
	fill();
	result("FPU", probe(p_fpu, (u64)p, 0, 0), 0x8182838481828384);
	result("code", probe(by(i, p_ld), (u64)p, 0, 0), 0x8182838485868788);
}

int main(void)
{
	cp0_write_status((s32)(cp0_read_status() | ST_CU1 | ST_FR));
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		uses(i);
	print("addresses\n");
	result("halves", probe(p_halves, 0, 0, 0), 0x1122334455667788);
	result("quarters", probe(p_quarters, 0, 0, 0), 0x1122334455667788);
	result("a table", probe(p_table, 0, 0, 0), 0x1122334455667788);
	result("a table of words", probe(p_short, 0, 0, 0), 0x1122334455667788);
	result("relative to pc", probe(p_relative, 0, 0, 0), 0xbb);
	result("jumps", probe(p_jump, 0, 0, 0), 1);
	return verdict();
}
