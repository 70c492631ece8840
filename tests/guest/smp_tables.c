/* SPDX-License-Identifier: MIT */
/*
 * Rule: when MMU_FLUSH returns, a page table that was taken out before is the guest's own again: no
 * walk writes it, or follows it. A page that is mapped at all times, by one table or another, never
 * faults. kernel/abi/disco.h.
 *
 * Method: the first VCPU puts new tables in the place of old ones, flushes, and fills the old ones
 * with entries that no walk has touched, or with nothing; the others use the pages all the time.
 *
 * Needs: vcpus=8 nodes=8
 */
#include "tests/guest/smp.h"
#include "tests/guest/walk.h"

#define USERS  3
#define TABLES 24
#define FIRST  64 /* page of the first table */
#define ROUNDS 600
#define ASID   1

static volatile u64 over, done, uses, faults;

static volatile u64 *table(unsigned i) { return page_va(FIRST + i); }
static u64 place(unsigned i) { return VA_USER + i * (2ul << 20); }

static bool handler(struct frame *f)
{
	if (frame_exc(f) != EXC_TLBL && frame_exc(f) != EXC_TLBS && frame_exc(f) != EXC_MOD)
		return false;
	smp_add(&faults, 1);
	return true; /* again */
}

static void user(u64 id)
{
	u64 r = id * 7919;

	walk_setup();
	walk_switch(ASID, walk_root);
	while (!over && !smp_late) {
		volatile u64 *at;

		r = r * 6364136223846793005ul + 1442695040888963407ul;
		at = (volatile u64 *)place((r >> 33) % TABLES);
		if (r >> 60 & 1)
			at[id] = r;
		else
			(void)*at;
		uses++;
		if ((r >> 40) % 16 == 0)
			hypercall(DISCO_HC_YIELD, 0, 0);
	}
	smp_add(&done, 1);
}

static void flush(u64 round)
{
	switch (round % 3) {
	case 0: walk_flush(0, 0, DISCO_ALL_ASIDS); break;
	case 1: walk_flush(0, 0, ASID); break;
	default:
		for (unsigned i = 0; i < TABLES; i++)
			walk_flush(place(i), PAGE_SIZE, ASID);
	}
}

/* The tables of the other half take over; what is in the old ones afterwards is ours alone. */
static u64 exchange(u64 round, u64 fresh)
{
	unsigned now = round & 1 ? TABLES : 0, old = TABLES - now;
	u64 left = round & 2 ? fresh : 0, wrong = 0;

	for (unsigned i = 0; i < TABLES; i++)
		*table(now + i) = fresh;
	for (unsigned i = 0; i < TABLES; i++)
		walk_middle[place(i) >> 21 & 511] = walk_pointer(table(now + i));
	flush(round);
	for (unsigned i = 0; i < TABLES; i++)
		*table(old + i) = left;
	hypercall(DISCO_HC_YIELD, 0, 0);
	hypercall(DISCO_HC_YIELD, 0, 0);
	for (unsigned i = 0; i < TABLES; i++)
		wrong += *table(old + i) != left;
	return wrong;
}

int main(void)
{
	u64 fresh = PTE(page_pa(8), PRESENT | WRITE), wrong = 0;

	need_monitor();
	trap_hook = handler;
	walk_tables();
	walk_describe(walk_pointer(walk_root));
	for (unsigned i = 0; i < TABLES; i++) {
		*table(i) = fresh;
		walk_middle[place(i) >> 21 & 511] = walk_pointer(table(i));
	}
	for (unsigned id = 1; id <= USERS; id++)
		check_eq("start", (u64)smp_start(id, user, id), 0);
	smp_wait(&uses, USERS);
	for (u64 round = 1; round <= ROUNDS && !smp_late; round++)
		wrong += exchange(round, fresh);
	over = 1;
	smp_wait(&done, USERS);
	check(uses > ROUNDS, "%lu uses", (unsigned long)uses);
	check_eq("words written in tables that were flushed", wrong, 0);
	check_eq("faults on pages that are always mapped", faults, 0);
	check_eq("late", smp_late, 0);
	return verdict();
}
