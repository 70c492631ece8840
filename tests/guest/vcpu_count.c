/* SPDX-License-Identifier: MIT */
/*
 * Rule: all VCPUs of a VM read the same Count, so that time never goes back between them. Hazard 6
 * of the platform (the machine's own Counts start apart), Linux's clock source.
 *
 * Method: two VCPUs hand a reading to each other 200 times; each reads Count again and must not be
 * behind.
 *
 * Needs: vcpus=2
 */
#include "tests/guest/test.h"

#define ROUNDS 200

static volatile u64 turn, reading;
static u64 back;

static bool hand_over(u64 id)
{
	u32 start = cp0_read_count();

	while ((turn & 1) != id) {
		if (cp0_read_count() - start > 1500000000u)
			return false;
		hypercall(DISCO_HC_YIELD, 0, 0);
	}
	back += turn > 1 && (s32)(cp0_read_count() - (u32)reading) < 0;
	reading = cp0_read_count();
	turn++;
	return true;
}

static void second(u64 arg)
{
	(void)arg;
	while (turn < ROUNDS && hand_over(1))
		;
}

int main(void)
{
	need_monitor();
	check_eq("start", (u64)guest_start_vcpu(1, second, 0), 0);
	while (turn < ROUNDS)
		if (!check(hand_over(0), "VCPU 1 is late"))
			break;
	check_eq("readings that were behind", back, 0);
	return verdict();
}
