/* SPDX-License-Identifier: MIT */
/*
 * Rule: ERET, ERETNC and WAIT in a delay slot or a forbidden slot raise RI in kernel mode
 * (Release 6); the other privileged instructions execute there. MD00087.
 *
 * Method: each in both slots.
 */
#include "tests/guest/test.h"

PROBE3(p_eret, "eret");
PROBE3(p_eretnc, ".word 0x42000058");
PROBE3(p_wait, "wait");
PROBE3(p_tlbp, "tlbp");
PROBE3(p_tlbr, "tlbr");
PROBE3(p_di, "di");
PROBE3(p_mtc0, "mtc0 $0, $11");
PROBE3(p_cache, "cache 0x15, 0($4)");

#define REFUSED(insn)                                                                             \
	do {                                                                                      \
		EXPECT(#insn " in a delay slot", probe(p_##insn##_d, 0, 0, 0), .exc = EXC_RI,     \
		       .at = p_##insn##_d_at, .bd = true);                                        \
		EXPECT(#insn " in a forbidden slot", probe(p_##insn##_f, 0, 0, 0), .exc = EXC_RI, \
		       .at = p_##insn##_f_at, .bd = true);                                        \
	} while (0)
#define WORKS(insn)                                                                                \
	do {                                                                                       \
		expect_none(#insn " in a delay slot", probe(p_##insn##_d, (u64)page_va(0), 0, 0)); \
		expect_none(#insn " in a forbidden slot",                                          \
			    probe(p_##insn##_f, (u64)page_va(0), 0, 0));                           \
	} while (0)

int main(void)
{
	cp0_write_kscratch2(0);
	REFUSED(eret);
	REFUSED(eretnc);
	REFUSED(wait);
	WORKS(tlbp);
	WORKS(tlbr);
	WORKS(di);
	WORKS(mtc0);
	WORKS(cache);
	return verdict();
}
