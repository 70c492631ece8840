/* SPDX-License-Identifier: MIT */
/*
 * Rule: VCPU_START starts a VCPU wherever it lives, with the registers of its start block and its
 * own number in VCPU_ID and EBase; of several that start the same VCPU at once one gets 0, the
 * others EBUSY. An IPI right after the start reaches it. kernel/abi/disco.h.
 *
 * Method: each of eight VCPUs says who it is. Then all of the others start the last one at the same
 * time, a hundred times, each time counting who was told that he did it.
 *
 * Needs: vcpus=8 nodes=8
 * Runs: rewritten
 */
#include "tests/guest/smp.h"

#define ROUNDS 100
#define RACERS (SMP - 1)

static volatile u64 ids[SMP], cpunums[SMP], present, ipis, round_no, won, busy, done, runs;

static void reports(u64 arg)
{
	ids[arg] = (u64)hypercall(DISCO_HC_VCPU_ID, 0, 0);
	cpunums[arg] = cp0_read_ebase() & EBASE_CPUNUM;
	for (u32 start = cp0_read_count(); !(cp0_read_cause() & CAUSE_IP(0));)
		if (cp0_read_count() - start > SMP_LIMIT)
			return;
		else
			hypercall(DISCO_HC_YIELD, 0, 0);
	smp_add(&ipis, 1);
	smp_add(&present, 1);
}

/* The one that all want: each run counts, and waits until all have tried. */
static void prize(u64 arg)
{
	(void)arg;
	smp_add(&runs, 1);
	smp_wait(&done, RACERS * runs);
}

/* It may still be on its way to VCPU_STOP from the round before. */
static void tries(u64 round)
{
	s64 result;

	do {
		result = guest_start_vcpu(RACERS, prize, 0);
		smp_add(result ? &busy : &won, 1);
		if (result && result != -DISCO_EBUSY)
			smp_late = 1;
	} while (result && won < round && !smp_late);
	smp_add(&done, 1);
}

static void races(u64 arg)
{
	(void)arg;
	for (u64 i = 1; i <= ROUNDS && smp_wait(&round_no, i); i++)
		tries(i);
}

static void meet(void)
{
	for (unsigned id = 1; id < SMP; id++) {
		check_eq("start", (u64)smp_start(id, reports, id), 0);
		check_eq("IPI", (u64)hypercall(DISCO_HC_IPI, 1ul << id, 0), 0);
	}
	check(smp_wait(&present, SMP - 1), "%lu VCPUs came", (unsigned long)present);
	for (unsigned id = 1; id < SMP; id++) {
		check_eq("VCPU_ID", ids[id], id);
		check_eq("CPUNum", cpunums[id], id);
	}
	check_eq("IPIs right after the start", ipis, SMP - 1);
}

int main(void)
{
	need_monitor();
	check_eq("start of VCPU 8", (u64)hypercall(DISCO_HC_VCPU_START, SMP, guest_pa(ids)),
		 (u64)-DISCO_EINVAL);
	check_eq("start of VCPU 2^32",
		 (u64)hypercall(DISCO_HC_VCPU_START, 1ul << 32, guest_pa(ids)), (u64)-DISCO_EINVAL);
	check_eq("bad block", (u64)hypercall(DISCO_HC_VCPU_START, 1, -8ul), (u64)-DISCO_EINVAL);
	meet();
	for (unsigned id = 1; id < RACERS; id++)
		check_eq("start of a racer", (u64)smp_start(id, races, id), 0);
	for (u64 i = 1; i <= ROUNDS && !smp_late; i++) {
		round_no = i;
		tries(i);
		smp_wait(&done, RACERS * i);
		smp_wait(&runs, i);
		if (!check(won == i && runs == i, "round %lu: %lu won, %lu ran", (unsigned long)i,
			   (unsigned long)won, (unsigned long)runs))
			break;
	}
	check(busy >= ROUNDS * (RACERS - 1) / 2, "EBUSY %lu times only", (unsigned long)busy);
	check_eq("late", smp_late, 0);
	return verdict();
}
