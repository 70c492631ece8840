/* SPDX-License-Identifier: MIT */
/*
 * Rule: a program of C goes where it goes on the machine, however its addresses are hidden: a kernel that was linked for KSEG0
 * and runs rewritten, with and without relocations, finds the same (docs/guest-abi.md).
 *
 * Method: an interpreter jumps to labels from a table, by differences, unmasked and from 32 bits; a switch by the compiler's table;
 * functions are called by arithmetic on the first one's address, in halves, and on the bare machine in KSEG1 and XKPHYS; lists have links
 * that are complements and shifted; longjmp() leaves calls that are deep; code is written that has an address in halves, and a loop that
 * changes itself. Each as often as makes the monitor patch what it can, and the numbers that come out are printed.
 */
#include <setjmp.h>
#include <stdarg.h>

#include "tests/guest/test.h"

typedef u64 (*function)(u64 a, u64 b);

static u64 drawn = 88172645463325252;

static u64 draw(void)
{
	drawn ^= drawn << 13;
	drawn ^= drawn >> 7;
	return drawn ^= drawn << 17;
}

/* ---- labels ---- */
#define MASK 0x5555aaaa5555aaaa
enum ways { TABLE, APART, MASKED, SHORT, WAYS };
enum { PUSH, MULTIPLY, XOR, SWAP, COUNT, LOOP, END };

static u64 interpret(const u8 *p, enum ways way)
{
	static const void *const label[] = { &&push,  &&multiply, &&xor, &&swap,
					     &&count, &&loop,	  &&end };
	static const int apart[] = { 0,
				     &&multiply - &&push,
				     &&xor-&&push,
				     &&swap - &&push,
				     &&count - &&push,
				     &&loop - &&push,
				     &&end - &&push };
	u64 stack[8], top, masked[END + 1];
	u32 n = 0;

	for (u32 i = 0; i <= END; i++)
		masked[i] = (u64)label[i] ^ MASK;
next:
	switch (way) {
	case TABLE: goto *label[*p++];
	case APART: goto *(&&push + apart[*p++]);
	case MASKED: goto *(const void *)(masked[*p++] ^ MASK);
	default: goto *(const void *)(s64)(s32)(u64)label[*p++];
	}
push:
	stack[n++] = *p++;
	goto next;
multiply:
	n--;
	stack[n - 1] *= stack[n];
	goto next;
	xor : n--;
	stack[n - 1] ^= stack[n] << 7;
	goto next;
swap:
	top = stack[n - 1];
	stack[n - 1] = stack[n - 2];
	stack[n - 2] = top;
	goto next;
count:
	stack[n - 1]--;
	goto next;
loop:
	p = stack[n - 1] ? p - *p : p + 1;
	goto next;
end:
	return stack[0] * 1000003 + n;
}

static void labels(void)
{
	static const u8 program[] = { PUSH, 1, PUSH, 9,	   SWAP,  PUSH, 3,  MULTIPLY,
				      PUSH, 5, XOR,  SWAP, COUNT, LOOP, 10, END };

	for (u32 i = 0; i < 100; i++)
		check_eq("a label", interpret(program, i % WAYS), interpret(program, TABLE));
	print("labels: %lx\n", (unsigned long)interpret(program, TABLE));
}

__attribute__((noinline)) static const char *name_of(u32 n)
{
	switch (n) {
	case 0: return "zero";
	case 1: return "one";
	case 2: return "two";
	case 3: return "three";
	case 5: return "five";
	case 6: return "six";
	case 8: return "eight";
	case 11: return "eleven";
	}
	return "another";
}

/* ---- functions ---- */
#define APART_BYTES    128
#define IN_SEGMENT(at) ((at)&0x1fffffff) /* of KSEG0, or of csseg: the same place */
#define FUNCTION(name, value)                                                         \
	__attribute__((noinline, aligned(APART_BYTES))) static u64 name(u64 a, u64 b) \
	{                                                                             \
		return value;                                                         \
	}
FUNCTION(add, a + b)
FUNCTION(subtract, a - b)
FUNCTION(mix, a ^ (b << 3))
FUNCTION(multiply_add, a *b + 1)
static const function functions[] = { add, subtract, mix, multiply_add };
static const struct {
	s32 number;
	function volatile call;
} odd[] = { { 1, mix }, { 2, add } };

static u64 varied(u32 n, ...)
{
	va_list list, again;
	u64 sum = 0;

	va_start(list, n);
	va_copy(again, list);
	for (u32 i = 0; i < n; i++)
		sum = sum * 31 + va_arg(list, function)(i, va_arg(list, u64));
	for (u32 i = 0; i < n; i++)
		sum = sum * 31 + va_arg(again, function)(va_arg(again, u64), i);
	va_end(again);
	va_end(list);
	return sum;
}

static void calls(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < 400; i++) {
		u64 a = draw(), b = draw(), at = (u64)functions[i % 4], apart = at - (u64)add;
		u64 value = functions[i % 4](a, b);

		check_eq("by arithmetic", ((function)((u64)add + apart))(a, b), value);
		check_eq("in halves", ((function)((at >> 12 << 12) | (at & 4095)))(a, b), value);
		check_eq("from 32 bits", ((function)(s64)(s32)at)(a, b), value);
		if (platform_is_native) {
			check_eq("in KSEG1",
				 ((function)(0xffffffffa0000000 | IN_SEGMENT(at)))(a, b), value);
			check_eq("in XKPHYS",
				 ((function)(0x9800000000000000 | IN_SEGMENT(at)))(a, b), value);
		}
		sum = sum * 7 + value + odd[i % 2].call(a, 5);
	}
	sum += varied(3, add, 5ul, mix, 6ul, subtract, 7ul);
	print("functions: %lx %s %s %s\n", (unsigned long)sum, name_of(3), name_of(11), name_of(7));
}

/* ---- links ---- */
struct link {
	u64 next; /* of one list its complement, of the other shifted */
	u64 value;
};

static void lists(void)
{
	static struct link links[2][200] __attribute__((aligned(16)));
	u64 first = ~0ul, second = 0, sum = 0;

	for (u32 i = 0; i < 200; i++) {
		links[0][i] = (struct link){ first, draw() };
		first = ~(u64)&links[0][i];
		links[1][i] = (struct link){ second, draw() };
		second = (u64)&links[1][i] >> 4 | BIT(63);
	}
	for (const struct link *l; (l = (const struct link *)~first); first = l->next)
		sum = sum * 3 + l->value;
	for (const struct link *l; second; second = l->next) {
		l = (const struct link *)(s64)(s32)(u32)(second << 4);
		sum = sum * 5 + l->value;
	}
	print("lists: %lx\n", (unsigned long)sum);
}

/* ---- jumps ---- */
static jmp_buf out;
static void (*volatile deeper)(u32 n);

__attribute__((noinline)) static void dive(u32 n)
{
	volatile u8 pad[64] = { (u8)n };

	if (!n)
		longjmp(out, 42);
	deeper(n - 1);
	pad[0]++;
}

static void jumps(void)
{
	volatile u32 sum = 0;

	deeper = dive;
	for (volatile u32 i = 0; i < 30; i++) {
		int came = setjmp(out);

		if (came)
			sum += came;
		else
			dive(i);
	}
	print("jumps: %u\n", sum);
}

/* ---- code that is written ---- */
#define LUI_V0	    0x3c020000u
#define LD_V0_V0    0xdc420000u
#define DADDIU_V0   0x64420000u
#define DADDU_A0    0x0044102du /* daddu v0, v0, a0 */
#define LUI_AT	    0x3c010000u
#define SD_A0_AT    0xfc240000u
#define JR_RA	    0x03e00009u
#define SYNCI_BYTES 16

static void clean(void *code, u32 bytes)
{
	for (u32 i = 0; i < bytes; i += SYNCI_BYTES)
		asm volatile("synci 0(%0)" : : "r"((char *)code + i) : "memory");
	asm volatile("sync\n\tehb" : : : "memory");
}

/* A function that loads a cell by its address in halves, adds, stores its argument there now and then. */
static void generated(void)
{
	static u64 cell;
	s64 at = (s64)&cell;
	u32 low = (u16)at, high = (u16)((at - (s16)at) >> 16);
	u64 sum = 0;

	for (u32 i = 0; i < 200; i++) {
		u32 *code = (u32 *)page_va(i / 50), n = 0;

		code[n++] = LUI_V0 | high;
		code[n++] = LD_V0_V0 | low;
		code[n++] = DADDIU_V0 | i;
		code[n++] = i % 3 ? DADDU_A0 : 0;
		code[n++] = i % 5 ? 0 : LUI_AT | high;
		code[n++] = i % 5 ? 0 : SD_A0_AT | low;
		code[n++] = JR_RA;
		code[n++] = 0;
		clean(code, n * sizeof(*code));
		cell = i * 1000;
		sum = sum * 3 + ((function)code)(i + 5, 0) + cell;
	}
	print("written: %lx\n", (unsigned long)sum);
}

/* Adds up what one of its own instructions loads, and makes that one more each time. */
static void itself(void)
{
	static const u32 loop[] = {
		0x24020000, /* li v0, 0 */
		0x24030000, /* li v1, 0: changed */
		0x8c850004, /* lw a1, 4(a0) */
		0x24a50001, /* addiu a1, a1, 1 */
		0xac850004, /* sw a1, 4(a0) */
		0x049f0004, /* synci 4(a0) */
		0x0000000f, /* sync */
		0x000000c0, /* ehb */
		0x00431021, /* addu v0, v0, v1 */
		0x2861000a, /* slti at, v1, 10 */
		0x1420fff6, /* bnez at, to what is changed */
		0x00000000, 0x03e00009, 0x00000000,
	};
	u32 *code = (u32 *)page_va(5);

	memcpy(code, loop, sizeof(loop));
	clean(code, sizeof(loop));
	print("changes itself: %lu\n", (unsigned long)((function)code)((u64)code, 0));
}

int main(void)
{
	labels();
	calls();
	lists();
	jumps();
	generated();
	itself();
	return verdict();
}
