/* SPDX-License-Identifier: MIT */
/*
 * Rule: DI and EI clear and set Status.IE alone and return the whole Status from before in rt; with
 * rt = 0 they return nothing. MD00087.
 *
 * Method: both from both states, in a plain position and in a delay slot.
 */
#include "tests/guest/test.h"

PROBE(p_di_slot, "beq $0, $0, 1f\n\tdi $2\n1:\tehb");
PROBE(p_ei_slot, "beq $0, $0, 1f\n\tei $2\n1:\tehb");
PROBE(p_di_0, "di\n\tehb\n\tmfc0 $2, $12");
PROBE(p_ei_0, "ei\n\tehb\n\tmfc0 $2, $12");

int main(void)
{
	u32 base = cp0_read_status();

	check_eq("ei returns", cp0_ei(), base);
	check_eq("Status", cp0_read_status(), base | ST_IE);
	check_eq("ei again", cp0_ei(), base | ST_IE);
	check_eq("di returns", cp0_di(), base | ST_IE);
	check_eq("Status", cp0_read_status(), base);
	check_eq("di again", cp0_di(), base);
	check_eq("ei in a slot", (u32)probe(p_ei_slot, 0, 0, 0)->v0, base);
	check_eq("Status", cp0_read_status(), base | ST_IE);
	check_eq("di in a slot", (u32)probe(p_di_slot, 0, 0, 0)->v0, base | ST_IE);
	check_eq("Status", cp0_read_status(), base);
	check_eq("ei $0", (u32)probe(p_ei_0, 0, 0, 0)->v0, base | ST_IE);
	check_eq("di $0", (u32)probe(p_di_0, 0, 0, 0)->v0, base);
	print("IE only\n");
	return verdict();
}
