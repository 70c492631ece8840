/* SPDX-License-Identifier: MIT */
/*
 * Rule: code that one VCPU changes runs as changed on another, as soon as it is told; and LL and SC of both make atomic updates, also
 * of a kernel that was linked for KSEG0, where both are carried out by the monitor (docs/guest-abi.md).
 *
 * Method: VCPU 0 changes a function, a word at a time, and waits until VCPU 1, which calls it all the time through a pointer, has
 * found each value. VCPU 1 finds no other than was stored, and none twice. Both count all they do in one word.
 *
 * Needs: vcpus=2 nodes=2
 * Runs: rewritten
 */
#include "tests/guest/smp.h"

#define CHANGES	 100
#define JR_RA	 0x03e00009u /* jr ra */
#define LI_V0(n) (0x24020000u | (u32)(n))

static volatile u64 seen, count, wrong, over, calls_made;

static void clean(volatile void *code)
{
	asm volatile("synci 0(%0)\n\tsync\n\tehb" : : "r"(code) : "memory");
}

static void caller(u64 id)
{
	volatile u32 *code = (volatile u32 *)page_va(0);
	u64 (*call)(void) = (u64(*)(void))(u64)code;
	u64 last = 0;

	(void)id;
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		u64 n;

		clean(code);
		n = call();
		wrong += n < last || n > CHANGES;
		last = n;
		calls_made++;
		smp_add(&count, 1);
		__atomic_store_n(&seen, n, __ATOMIC_RELEASE);
		hypercall(DISCO_HC_YIELD, 0, 0);
	}
	__atomic_store_n(&over, 2, __ATOMIC_RELEASE);
}

int main(void)
{
	volatile u32 *code = (volatile u32 *)page_va(0);

	need_monitor();
	code[0] = JR_RA;
	code[1] = LI_V0(0);
	clean(code);
	check_eq("start", (u64)smp_start(1, caller, 1), 0);
	for (u64 n = 1; n <= CHANGES; n++) {
		code[1] = LI_V0(n);
		clean(code);
		smp_add(&count, 1);
		if (!check(smp_wait(&seen, n), "change %lu was not seen", (unsigned long)n))
			break;
	}
	__atomic_store_n(&over, 1, __ATOMIC_RELEASE);
	check(smp_wait(&over, 2), "VCPU 1 did not come to its end");
	check_eq("values that were not stored", wrong, 0);
	check(calls_made >= CHANGES, "%lu calls", (unsigned long)calls_made);
	check_eq("counted", count, CHANGES + calls_made);
	return verdict();
}
