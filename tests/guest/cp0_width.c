/* SPDX-License-Identifier: MIT */
/*
 * Rule: MFC0 gives the low 32 bits of a register, sign-extended; MTC0 to a 64-bit register of
 * Release 6 sign-extends the word it writes; DMFC0 and DMTC0 move 64 bits. MD00087.
 *
 * Method: EPC, KScratch and BadVAddr's neighbours with values whose halves have different signs.
 */
#include "tests/guest/test.h"

#define PLUS  0x8000000012345678ul
#define MINUS 0x00000000f2345678ul

#define REG(name, n, sel)                                                                        \
	do {                                                                                     \
		u64 v_;                                                                          \
		cp0_write_##name(PLUS);                                                          \
		asm volatile("mfc0 %0, $" #n ", " #sel : "=r"(v_));                              \
		check_eq(#name " mfc0", v_, 0x12345678);                                         \
		check_eq(#name " dmfc0", cp0_read_##name(), PLUS);                               \
		cp0_write_##name(MINUS);                                                         \
		asm volatile("mfc0 %0, $" #n ", " #sel : "=r"(v_));                              \
		check_eq(#name " mfc0", v_, 0xfffffffff2345678);                                 \
		check_eq(#name " dmfc0", cp0_read_##name(), MINUS);                              \
		asm volatile("mtc0 %0, $" #n ", " #sel "\n\tehb" : : "r"(0xfffffffff2345678ul)); \
		check_eq(#name " mtc0, negative", cp0_read_##name(), 0xfffffffff2345678);        \
		asm volatile("mtc0 %0, $" #n ", " #sel "\n\tehb" : : "r"(0x12345678ul));         \
		check_eq(#name " mtc0, positive", cp0_read_##name(), 0x12345678);                \
		print(#name "\n");                                                               \
	} while (0)

int main(void)
{
	u64 v;

	REG(epc, 14, 0);
	REG(errorepc, 30, 0);
	REG(kscratch2, 31, 3);
	REG(userlocal, 4, 2);
	/* a 32-bit register by dmfc0: its word, sign-extended or not, never more */
	cp0_write_compare(0x12345678);
	asm volatile("dmfc0 %0, $11" : "=r"(v));
	check_eq("compare dmfc0", v, 0x12345678);
	/* $0 as destination and source */
	asm volatile("mfc0 $0, $12\n\tmove %0, $0" : "=r"(v));
	check_eq("mfc0 $0", v, 0);
	asm volatile("dmtc0 $0, $31, 3\n\tehb");
	check_eq("dmtc0 $0", cp0_read_kscratch2(), 0);
	return verdict();
}
