/* SPDX-License-Identifier: MIT */
/*
 * Rule: SDBBP does not enter Debug Mode from a guest (which would give it the machine): it raises
 * RI. Hazard 4 of the platform.
 *
 * Method: three positions, kernel and user mode, several codes; afterwards the guest is still not
 * privileged: KSEG0 is closed.
 */
#include "tests/guest/test.h"

PROBE3(p_sdbbp, "sdbbp");
PROBE3(p_sdbbp1, "sdbbp 1");

int main(void)
{
	need_monitor();
	EXPECT3(MODE_KERNEL, "kernel: sdbbp", p_sdbbp, 0, 0, .exc = EXC_RI);
	EXPECT3(MODE_USER, "user: sdbbp", p_sdbbp, 0, 0, .exc = EXC_RI);
	EXPECT3(MODE_KERNEL, "kernel: sdbbp 1", p_sdbbp1, 0, 0, .exc = EXC_RI);
	EXPECT3(MODE_USER, "user: sdbbp 1", p_sdbbp1, 0, 0, .exc = EXC_RI);
	EXPECT("KSEG0", load(MODE_KERNEL, 0xffffffff80000000), .exc = EXC_ADEL, .at = test_ld);
	return verdict();
}
