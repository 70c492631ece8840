/* SPDX-License-Identifier: MIT */
/*
 * Rule: LL and SC make atomic updates between VCPUs, whether they run on one processor by turns or
 * on two, and whatever is emulated between them.
 *
 * Method: two VCPUs add to one counter, a privileged instruction between LL and SC every other
 * time; no addition is lost.
 *
 * Needs: vcpus=2
 */
#include "tests/guest/test.h"

PROBE(p_add,
      "1:\tlld $2, 0($4)\n\tdaddiu $2, $2, 1\n\tscd $2, 0($4)\n\tbeqz $2, 1b\n\tnop\n\tdaddiu $5, $5, -1\n\tbnez $5, 1b\n\tnop");
PROBE(p_add_slow,
      "1:\tlld $2, 0($4)\n\tmfc0 $3, $12\n\tdaddiu $2, $2, 1\n\tscd $2, 0($4)\n\tbeqz $2, 1b\n\tnop\n\tdaddiu $5, $5, -1\n\t"
      "bnez $5, 1b\n\tnop");

#define FAST 200000ul
#define SLOW 2000ul

static volatile u64 counter, done;

static void adder(u64 rounds)
{
	for (u64 i = 0; i < rounds; i++) {
		probe(p_add, (u64)&counter, FAST, 0);
		probe(p_add_slow, (u64)&counter, SLOW, 0);
	}
	done++;
}

static void second(u64 rounds) { adder(rounds); }

int main(void)
{
	u32 start = cp0_read_count();

	need_monitor();
	check_eq("start", (u64)guest_start_vcpu(1, second, 5), 0);
	adder(5);
	while (done < 2 && cp0_read_count() - start < 2000000000u)
		hypercall(DISCO_HC_YIELD, 0, 0);
	check_eq("VCPUs that came to an end", done, 2);
	check_eq("counter", counter, 2 * 5 * (FAST + SLOW));
	return verdict();
}
