/* SPDX-License-Identifier: MIT */
/*
 * What VCPUs cost each other, for `make bench-scaling`: VCPUs 0 and 1 are on one node, each other has a node of its own. VCPU 0 measures, the others do what
 * their mode says. Prints a line for each cost, in Count ticks of 6 ns for a thousand times.
 */
#include <stddef.h>

#include "guests/lib/check.h"
#include "guests/lib/cp0.h"
#include "guests/lib/guest.h"
#include "guests/lib/hypercall.h"
#include "kernel/abi/disco.h"

const char guest_name[] = "vcpu_costs";

#define VCPUS	10
#define FIRST	2 /* with a node of its own */
#define TIMES	1000
#define PAGE	4096ul
#define FLUSHED 0x20000000ul /* an address */

enum mode { SLEEPS, SPINS, YIELDS, ANSWERS };

/* A line of the cache each, so that nobody but who is meant misses. */
static struct {
	volatile u64 mode, got;
	u64 unused[14];
} of[VCPUS] __attribute__((aligned(128)));

static bool handler(struct frame *f)
{
	if (frame_exc(f) != EXC_INT)
		return false;
	hypercall(DISCO_HC_IPI_CLEAR, 0, 0);
	of[guest_this_cpu()->id].got++;
	return true;
}

static void open_lines(void) { cp0_write_status(ST_BASE | ST_IE | ST_IM(0)); }

/* In WAIT, until more interrupts came than so many. */
static void sleep_until(u64 id, u64 seen)
{
	while (of[id].got == seen) {
		cp0_write_status(ST_BASE | ST_IM(0));
		if (of[id].got == seen)
			cp0_wait();
		open_lines();
	}
}

static void interrupt(u64 id) { hypercall(DISCO_HC_IPI, 1ul << id, 0); }

static void other(u64 id)
{
	u64 seen = 0;

	open_lines();
	for (;;) {
		switch (of[id].mode) {
		case SLEEPS: sleep_until(id, seen); break;
		case YIELDS: hypercall(DISCO_HC_YIELD, 0, 0); break;
		case ANSWERS:
			sleep_until(id, seen++);
			if (of[id].mode == ANSWERS)
				interrupt(0);
			continue;
		default: break;
		}
		seen = of[id].got;
	}
}

/* The VCPU has taken it up, however it waited. */
static void set_mode(u64 id, enum mode mode)
{
	u64 seen = of[id].got;

	of[id].mode = mode;
	interrupt(id);
	while (of[id].got == seen)
		hypercall(DISCO_HC_YIELD, 0, 0);
	for (unsigned i = 0; i < 20; i++)
		hypercall(DISCO_HC_YIELD, 0, 0);
}

static void say(const char *what, u32 ticks, unsigned parts)
{
	print("vcpu_costs: %s %lu ticks of %u\n", what, (unsigned long)ticks, parts * TIMES);
}

/* Each gives the other the processor. */
static void switches(void)
{
	u32 start;

	set_mode(1, YIELDS);
	start = cp0_read_count();
	for (unsigned i = 0; i < TIMES; i++)
		hypercall(DISCO_HC_YIELD, 0, 0);
	say("switch", cp0_read_count() - start, 2);
	set_mode(1, SLEEPS);
}

/* Both sleep in turn: from one's call to the other's next instruction behind its handler. */
static void wake_ups(const char *what, u64 id)
{
	u32 start;

	set_mode(id, ANSWERS);
	start = cp0_read_count();
	for (unsigned i = 0; i < TIMES; i++) {
		u64 seen = of[0].got;

		interrupt(id);
		sleep_until(0, seen);
	}
	say(what, cp0_read_count() - start, 2);
	set_mode(id, SLEEPS);
}

/* To one that runs, until its handler has counted it, which this one sees. */
static void interrupts(void)
{
	u32 start;

	set_mode(FIRST, SPINS);
	start = cp0_read_count();
	for (unsigned i = 0; i < TIMES; i++) {
		u64 seen = of[FIRST].got;

		interrupt(FIRST);
		while (of[FIRST].got == seen)
			;
	}
	say("ipi_two_nodes", cp0_read_count() - start, 1);
	set_mode(FIRST, SLEEPS);
}

static void flushes(const char *what, unsigned count, enum mode mode)
{
	u64 mask = 0;
	u32 start;

	for (unsigned id = FIRST; id < FIRST + count; id++) {
		set_mode(id, mode);
		mask |= 1ul << id;
	}
	start = cp0_read_count();
	for (unsigned i = 0; i < TIMES; i++)
		hypercall4(DISCO_HC_MMU_FLUSH, FLUSHED, PAGE, mask, 0);
	say(what, cp0_read_count() - start, 1);
	for (unsigned id = FIRST; id < FIRST + count; id++)
		set_mode(id, SLEEPS);
}

int main(void)
{
	trap_hook = handler;
	open_lines();
	for (unsigned id = 1; id < VCPUS; id++)
		guest_start_vcpu(id, other, id);
	for (unsigned i = 0; i < 1000; i++)
		hypercall(DISCO_HC_YIELD, 0, 0);
	switches();
	wake_ups("ipi_one_node", 1);
	wake_ups("wakeup", FIRST);
	interrupts();
	flushes("flush.1", 1, SPINS);
	flushes("flush.2", 2, SPINS);
	flushes("flush.4", 4, SPINS);
	flushes("flush.8", 8, SPINS);
	flushes("flush.8_asleep", 8, SLEEPS);
	flushes("flush.none", 0, SLEEPS);
	return 0;
}
