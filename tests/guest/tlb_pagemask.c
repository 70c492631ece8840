/* SPDX-License-Identifier: MIT */
/*
 * Rule: PageMask takes sizes of 4 KB times a power of four (4K, 16K, ... 256M); anything else, 8K
 * for example, reads back as 0, that is 4K. MD00090 9.6; hazard 10 of the platform.
 *
 * Method: every size of a power of two is written and read back.
 */
#include "tests/guest/test.h"

int main(void)
{
	for (unsigned shift = 12; shift <= 28; shift++) {
		u32 mask = PM_SIZE(1ul << shift), wanted = shift % 2 ? 0 : mask;

		cp0_write_pagemask(mask);
		print("size 2^%u: PageMask reads %08x\n", shift, cp0_read_pagemask());
		check_eq("PageMask", cp0_read_pagemask(), wanted);
	}
	cp0_write_pagemask(0);
	return verdict();
}
