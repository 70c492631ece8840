/* SPDX-License-Identifier: MIT */
/*
 * Rule: FCSR is a VCPU's own even between its FPE and the handler that clears FCSR.Cause, when
 * loading it again would itself raise FPE (MD00083 5.6.5, CTC1): no other VCPU and not the monitor
 * notices.
 *
 * Method: an FPE, time slices of a neighbour that uses the FPU, then the same FCSR.
 *
 * Runs: with neighbour
 */
#include "tests/guest/pair.h"

#define CFC1	 ".word 0x4442f800" /* cfc1 v0, fcsr */
#define CTC1	 ".word 0x44c4f800" /* ctc1 a0, fcsr */
#define ENABLE_Z (1u << 10)
#define CAUSE_Z	 (1u << 15)

extern char p_write_at[];
PROBE(p_read, CFC1);
PROBE(p_write, AT(p_write) CTC1);

int main(void)
{
	need_monitor();
	cp0_write_status(ST_BASE | ST_CU1 | ST_FR);
	for (int i = 0; i < 20; i++) {
		EXPECT("ctc1 of Cause and Enable", probe(p_write, CAUSE_Z | ENABLE_Z, 0, 0),
		       .exc = EXC_FPE, .at = p_write_at);
		probe(pair_spin, 0, SPIN_LOOPS, 0);
		hypercall(DISCO_HC_YIELD, 0, 0);
		check_eq("FCSR", probe(p_read, 0, 0, 0)->v0 & 0x1ffff, CAUSE_Z | ENABLE_Z);
		expect_none("clearing it", probe(p_write, 0, 0, 0));
	}
	return verdict();
}
