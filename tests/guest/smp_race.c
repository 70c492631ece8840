/* SPDX-License-Identifier: MIT */
/*
 * Rule: whatever the VCPUs of a VM ask for at the same time - starts and stops of each other,
 * interrupts, flushes, with good and bad arguments - each call does all that it says or fails: as
 * many VCPUs come as there were starts with result 0. kernel/abi/disco.h.
 *
 * Method: eight VCPUs do so by a generator of random numbers; all but the first stop now and then
 * and are started again by whoever comes first.
 *
 * Needs: vcpus=8 nodes=8
 */
#include "tests/guest/smp.h"
#include "tests/guest/walk.h"

#define STEPS 6000 /* of VCPU 0; the others go on until it is done */

static volatile u64 started, came, left, over, wrong;

static u64 next(u64 *seed)
{
	*seed = *seed * 6364136223846793005ul + 1442695040888963407ul;
	return *seed >> 33;
}

static void wanders(u64 seed);

static void starts(u64 id, u64 seed)
{
	s64 result;

	if (over)
		return;
	smp_add(&started, 1); /* before it can leave: all_left() */
	result = guest_start_vcpu((unsigned)id, wanders, seed);
	if (result)
		smp_add(&started, -1ul);
	if (result && result != -DISCO_EBUSY)
		smp_add(&wrong, 1);
}

static void expects(s64 result, s64 wanted)
{
	if (result != wanted)
		smp_add(&wrong, 1);
}

static void step(u64 *seed)
{
	u64 r = next(seed), a = next(seed), id = 1 + a % (SMP - 1);

	switch (r % 10) {
	case 0: starts(id, a); break;
	case 1: hypercall(DISCO_HC_YIELD, 0, 0); break;
	case 2: hypercall(DISCO_HC_YIELD_TO, id, 0); break;
	case 3: expects(hypercall(DISCO_HC_IPI, a % (1 << SMP), a & 1), 0); break;
	case 4: expects(hypercall4(DISCO_HC_MMU_FLUSH, a << 13, a % 65536, a, a % 1024), 0); break;
	case 5: expects(hypercall4(DISCO_HC_MMU_FLUSH, 0, 0, ~0ul, DISCO_ALL_ASIDS), 0); break;
	case 6:
		expects(hypercall(DISCO_HC_VCPU_START, SMP + a, guest_pa(seed)), -DISCO_EINVAL);
		break;
	case 7: expects(hypercall(DISCO_HC_VCPU_START, id, ~a), -DISCO_EINVAL); break;
	case 8: expects(hypercall(DISCO_HC_IPI, 1ul << SMP << a % 32, 0), -DISCO_EINVAL); break;
	case 9:
		expects(hypercall4(DISCO_HC_MMU_FLUSH, a, a, a, 1024 + a % 1024), -DISCO_EINVAL);
		break;
	}
}

static void wanders(u64 seed)
{
	u64 steps = seed % 200;

	smp_add(&came, 1);
	for (u64 i = 0; i < steps && !over; i++)
		step(&seed);
	smp_add(&left, 1);
}

/* Who is in the middle of a start has counted whom it starts, and has not left itself: `left` is looked at first. */
static bool all_left(void)
{
	u64 gone = __atomic_load_n(&left, __ATOMIC_SEQ_CST);

	return gone == __atomic_load_n(&started, __ATOMIC_SEQ_CST);
}

int main(void)
{
	u64 seed;
	u32 begin;

	need_monitor();
	seed = guest_seed(20261122);
	for (u64 i = 0; i < STEPS; i++)
		step(&seed);
	over = 1;
	for (begin = cp0_read_count(); !all_left() && cp0_read_count() - begin < SMP_LIMIT;)
		;
	print("%s\n", started > 100 ? "hundreds of starts" : "too few starts");
	check(started > 100, "%lu starts", (unsigned long)started);
	check_eq("VCPUs that came", came, started);
	check_eq("VCPUs that left", left, started);
	check_eq("wrong results", wrong, 0);
	/* nothing is broken: all can be started once more */
	over = 0;
	for (unsigned id = 1; id < SMP; id++)
		check_eq("start", (u64)smp_start(id, wanders, 0), 0);
	check(smp_wait(&left, started + SMP - 1), "%lu left", (unsigned long)left);
	return verdict();
}
