/* SPDX-License-Identifier: MIT */
/*
 * Rule: an MSA instruction on a processor where MSA is absent or disabled does not execute: it
 * raises MSADis (ExcCode 21) or RI. MD00866 3.2. (The bare machine has MSA, switched off; the
 * virtual one hides it.)
 *
 * Method: addv.b in kernel and user mode, EPC checked, the code printed only as "refused".
 */
#include "tests/guest/test.h"

PROBE1(p_msa, ".word 0x7800000e");

int main(void)
{
	for (int mode = MODE_KERNEL; mode <= MODE_USER; mode++) {
		const struct trap *t = probe_in(mode, p_msa, 0, 0, 0);

		check(t->taken && (t->exc == EXC_MSADIS || t->exc == EXC_RI), "mode %d: %s", mode,
		      trap_name(t->exc));
		check(t->f.epc == (u64)p_msa_at, "mode %d: EPC", mode);
		print("mode %d: refused\n", mode);
	}
	return verdict();
}
