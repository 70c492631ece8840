/* SPDX-License-Identifier: MIT */
/*
 * Rule: the Config registers describe a MIPS64 Release 6 processor with a TLB, whatever lies below:
 * what they promise is there, and what is not there is not promised. MD00090 9.34-9.39.
 *
 * Method: the fields that guests decide on; and the promises of KScratch, UserLocal, BadInstr,
 * TLBINV are tried by other tests.
 */
#include "tests/guest/test.h"

static void field(const char *what, u32 value, u32 wanted)
{
	print("%s = %u\n", what, value);
	check_eq(what, value, wanted);
}

int main(void)
{
	u32 c0 = cp0_read_config(), c1 = cp0_read_config1(), c3 = cp0_read_config3(),
	    c4 = cp0_read_config4(), c5 = cp0_read_config5();

	field("Config.M", c0 >> 31, 1);
	field("Config.BE", c0 >> 15 & 1, 0);
	field("Config.AT", c0 >> 13 & 3, 2); /* 64 bits, all segments */
	field("Config.AR", c0 >> 10 & 7, 2); /* Release 6 */
	/* VTLB, perhaps with FTLB */
	field("Config.MT", (c0 >> 7 & 7) == 1 || (c0 >> 7 & 7) == 4, 1);
	field("Config1.FP", c1 & 1, 1);
	field("Config1.C2", c1 >> 6 & 1, 0);
	check((c1 >> 25 & 63) >= 15, "Config1.MMUSize");
	field("Config3.ULRI", c3 >> 13 & 1, 1);
	field("Config3.RXI", c3 >> 12 & 1, 1);
	field("Config3.BI", c3 >> 26 & 1, 1);
	field("Config3.BP", c3 >> 27 & 1, 1);
	field("Config3.SC", c3 >> 25 & 1, 0);
	field("Config3.PW", c3 >> 24 & 1, 0);
	field("Config4.KScrExist", c4 >> 16 & 0xff, 0xfc);
	field("Config4.AE", c4 >> 28 & 1, 1); /* ten bits of ASID */
	check((c4 >> 29 & 3) >= 2, "Config4.IE");
	field("Config5.MI", c5 >> 17 & 1, 0);
	field("Config5.GI", c5 >> 15 & 3, 0);
	field("IntCtl.IPTI", (u32)cp0_read_intctl() >> 29, 7);
	field("EBase.CPUNum", cp0_read_ebase() & EBASE_CPUNUM, 0);
	if (!platform_is_native) { /* and what the monitor leaves out of its virtual processor */
		check_eq("Config1.MMUSize", c1 >> 25 & 63, 63);
		check_eq("Config1.IL, DL: no caches", c1 & (7u << 19 | 7u << 10), 0);
		check_eq("Config3.CMGCR", c3 >> 29 & 1, 0);
		check_eq("Config3.MSAP", c3 >> 28 & 1, 0);
		check_eq("Config4.IE", c4 >> 29 & 3, 2);
	}
	return verdict();
}
