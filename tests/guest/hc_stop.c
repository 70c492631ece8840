/* SPDX-License-Identifier: MIT */
/*
 * Rule: a VM whose last VCPU stops is over, as if it had powered off with code 0.
 * kernel/abi/disco.h.
 *
 * Method: VCPU_STOP on the only VCPU, after the verdict.
 */
#include "tests/guest/test.h"

int main(void)
{
	need_monitor();
	check(true, "the rest is the monitor's");
	verdict();
	hypercall(DISCO_HC_VCPU_STOP, 0, 0);
	print("VCPU_STOP came back\n");
	return 1;
}
