/* SPDX-License-Identifier: MIT */
/*
 * Rule: each CP0 register keeps the bits that the architecture says are writable and reads the
 * others as fixed. MD00090 9.
 *
 * Method: all ones and all zeros written to each register, read back, and masked to the fields that
 * every implementation of Release 6 with our options has.
 */
#include "tests/guest/test.h"

#define ONE(name, mask, wanted)                                                         \
	do {                                                                            \
		u64 old_ = cp0_read_##name();                                           \
		cp0_write_##name(-1);                                                   \
		check_eq(#name " all ones", (u64)cp0_read_##name() & (mask), (wanted)); \
		cp0_write_##name(0);                                                    \
		check_eq(#name " zero", (u64)cp0_read_##name() & (wanted), 0);          \
		cp0_write_##name(old_);                                                 \
		print(#name "\n");                                                      \
	} while (0)

int main(void)
{
	u32 prid = cp0_read_prid(), config1 = cp0_read_config1();

	ONE(entryhi, ~0ull, 0xc000ffffffffe7ff);
	ONE(entrylo0, 0xc00000003fffffff, 0xc00000003fffffff);
	ONE(entrylo1, 0xc00000003fffffff, 0xc00000003fffffff);
	ONE(epc, ~0ull, ~0ull);
	ONE(errorepc, ~0ull, ~0ull);
	ONE(userlocal, ~0ull, ~0ull);
	ONE(kscratch2, ~0ull, ~0ull);
	ONE(kscratch3, ~0ull, ~0ull);
	ONE(kscratch4, ~0ull, ~0ull);
	ONE(kscratch5, ~0ull, ~0ull);
	ONE(kscratch6, ~0ull, ~0ull);
	ONE(compare, 0xffffffff, 0xffffffff);
	ONE(hwrena, 0x2000000f, 0x2000000f);
	cp0_write_pagegrain(0xc8000000);
	/* may be fixed */
	check_eq("pagegrain RIE, XIE, IEC", cp0_read_pagegrain() & 0xc8000000, 0xc8000000);
	/* Context: PTEBase is written, BadVPN2 is not */
	cp0_write_context(-1ul);
	check_eq("context PTEBase", cp0_read_context() >> 23, -1ul >> 23);
	cp0_write_xcontext(-1ul);
	check_eq("xcontext PTEBase", cp0_read_xcontext() >> 41, -1ul >> 41);
	/* Cause: IP0, IP1 and IV are software's; the rest is not */
	cp0_write_cause(-1 & ~CAUSE_IP(0) & ~CAUSE_IP(1) & ~(1 << 27));
	check_eq("cause", cp0_read_cause() & (0x7c | CAUSE_IP(0) | CAUSE_IP(1) | CAUSE_IV),
		 CAUSE_IV | (cp0_read_cause() & 0x7c));
	cp0_write_cause(CAUSE_IP(0) | CAUSE_IP(1));
	check_eq("cause IP", cp0_read_cause() & (CAUSE_IP(0) | CAUSE_IP(1)),
		 CAUSE_IP(0) | CAUSE_IP(1));
	cp0_write_cause(0);
	check_eq("cause zero", cp0_read_cause() & (CAUSE_IP(0) | CAUSE_IP(1) | CAUSE_IV), 0);
	/* read-only registers */
	asm volatile("mtc0 $0, $15\n\tmtc0 $0, $16, 1\n\tdmtc0 $0, $8\n\tehb");
	check_eq("prid", cp0_read_prid(), prid);
	check_eq("config1", cp0_read_config1(), config1);
	return verdict();
}
