/* SPDX-License-Identifier: MIT */
/*
 * Rule: in user mode with Status.CU0 = 0 every CP0 instruction, and CACHE, raises CpU (ExcCode 11)
 * with CE = 0, whatever register or function it names. MD00090 3.2, 6.2.29.
 *
 * Method: one of each from user mode; three of them in all positions. A reserved CO function
 * counts: the check for access comes first.
 */
#include "tests/guest/test.h"

PROBE3(p_mfc0, "mfc0 $2, $12");
PROBE3(p_mtc0, "mtc0 $0, $12");
PROBE3(p_tlbwr, "tlbwr");
PROBE1(p_dmfc0, "dmfc0 $2, $8");
PROBE1(p_dmtc0, "dmtc0 $0, $14");
PROBE1(p_mfhc0, ".word 0x40421000");
PROBE1(p_mthc0, ".word 0x40c21000");
PROBE1(p_di, "di");
PROBE1(p_ei, "ei");
PROBE1(p_eret, "eret");
PROBE1(p_eretnc, ".word 0x42000058");
PROBE1(p_deret, "deret");
PROBE1(p_wait, "wait");
PROBE1(p_tlbp, "tlbp");
PROBE1(p_tlbr, "tlbr");
PROBE1(p_tlbwi, "tlbwi");
PROBE1(p_tlbinv, ".word 0x42000003");
PROBE1(p_tlbinvf, ".word 0x42000004");
PROBE1(p_cache, "cache 0x15, 0($4)");
PROBE1(p_rdpgpr, ".word 0x41431000");
PROBE1(p_wrpgpr, ".word 0x41c31000");
PROBE1(p_dvp, ".word 0x41620024");
PROBE1(p_evp, ".word 0x41620004");
PROBE1(p_hypcall, ".word 0x42000028");
PROBE1(p_reserved_co, ".word 0x42000010");
PROBE1(p_reserved_reg, "mfc0 $2, $22");
PROBE1(p_prid, "mfc0 $2, $15");
PROBE1(p_config, "mfc0 $2, $16");
PROBE1(p_count, "mfc0 $2, $9");
PROBE1(p_kscratch, "dmfc0 $2, $31, 2");

#define ONE(insn) \
	EXPECT(#insn, probe_user(p_##insn, USER_DATA, 0, 0), .exc = EXC_CPU, .at = p_##insn##_at)

int main(void)
{
	EXPECT3(MODE_USER, "mfc0", p_mfc0, 0, 0, .exc = EXC_CPU);
	EXPECT3(MODE_USER, "mtc0", p_mtc0, 0, 0, .exc = EXC_CPU);
	EXPECT3(MODE_USER, "tlbwr", p_tlbwr, 0, 0, .exc = EXC_CPU);
	ONE(dmfc0);
	ONE(dmtc0);
	ONE(mfhc0);
	ONE(mthc0);
	ONE(di);
	ONE(ei);
	ONE(eret);
	ONE(eretnc);
	ONE(deret);
	ONE(wait);
	ONE(tlbp);
	ONE(tlbr);
	ONE(tlbwi);
	ONE(tlbinv);
	ONE(tlbinvf);
	ONE(cache);
	ONE(rdpgpr);
	ONE(wrpgpr);
	ONE(dvp);
	ONE(evp);
	ONE(hypcall);
	ONE(reserved_co);
	ONE(reserved_reg);
	ONE(prid);
	ONE(config);
	ONE(count);
	ONE(kscratch);
	return verdict();
}
