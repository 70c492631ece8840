/* SPDX-License-Identifier: MIT */
/*
 * Rule: Release 6 has no Random register: it reads 0, and Index reads back what was written.
 * MD00090 9.3, 9.4.
 *
 * Method: as said.
 */
#include "tests/guest/test.h"

int main(void)
{
	cp0_write_random(5);
	check_eq("Random", cp0_read_random(), 0);
	for (unsigned i = 0; i < tlb_entries(); i++) {
		cp0_write_index(i);
		if (cp0_read_index() != i)
			check_eq("Index", cp0_read_index(), i);
	}
	print("Random and Index\n");
	return verdict();
}
