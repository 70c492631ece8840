/* SPDX-License-Identifier: MIT */
/*
 * Rule: without shadow sets RDPGPR and WRPGPR move between registers of the one set; DVP and EVP
 * complete; MFHC0 and MTHC0 raise RI while PageGrain.ELPA is 0 (no register is wider than 64 bits);
 * SRSCtl says that there is one set. MD00087, MD00090 9.23.
 *
 * Method: each in kernel mode, result and absence of exceptions.
 */
#include "tests/guest/test.h"

PROBE(p_rdpgpr, "li $3, 0x1234\n\tli $2, 0\n\t.word 0x41431000"); /* rdpgpr v0, v1 */
PROBE(p_wrpgpr, "li $3, 0x1234\n\tli $2, 0\n\t.word 0x41c31000"); /* wrpgpr v0, v1 */
PROBE(p_dvp, ".word 0x41600024\n\t.word 0x41600004\n\tli $2, 7"); /* dvp $0; evp $0 */
PROBE1(p_mfhc0, ".word 0x40421000");				  /* mfhc0 v0, EntryLo0 */
PROBE1(p_mthc0, ".word 0x40c21000");				  /* mthc0 v0, EntryLo0 */

int main(void)
{
	expect_none("rdpgpr", probe(p_rdpgpr, 0, 0, 0));
	check_eq("rdpgpr", probe(p_rdpgpr, 0, 0, 0)->v0, 0x1234);
	expect_none("wrpgpr", probe(p_wrpgpr, 0, 0, 0));
	check_eq("wrpgpr", probe(p_wrpgpr, 0, 0, 0)->v0, 0x1234);
	expect_none("dvp, evp", probe(p_dvp, 0, 0, 0));
	EXPECT("mfhc0", probe(p_mfhc0, 0, 0, 0), .exc = EXC_RI, .at = p_mfhc0_at);
	EXPECT("mthc0", probe(p_mthc0, 0, 0, 0), .exc = EXC_RI, .at = p_mthc0_at);
	check_eq("SRSCtl.HSS", (u32)cp0_read_srsctl() >> 26 & 15, 0);
	return verdict();
}
