/* SPDX-License-Identifier: MIT */
/*
 * Rule: when MMU_FLUSH returns, no VCPU of its mask, on whatever node, has what it names any more:
 * neither the page that an entry named nor rights that it gave. kernel/abi/disco.h.
 *
 * Method: eight VCPUs share tables and address space. The first changes an entry and flushes by a
 * page, an address space or all, time and again: the others look at once; then look all the time,
 * between two readings of a count that says whether it was changing; then store all the time, while
 * the page is read-only now and then: nothing may arrive in it after the flush.
 *
 * Needs: vcpus=8 nodes=8
 */
#include "tests/guest/smp.h"
#include "tests/guest/walk.h"

#define STEPS	 200
#define CHANGES	 1000
#define PROTECTS 100
#define BURST	 50 /* accesses between two YIELDs */
#define ASID	 5
#define TAG(i)	 (1000 + ((i)&1))

static table_t kernel_middle __attribute__((aligned(PAGE_SIZE))),
	kernel_last __attribute__((aligned(PAGE_SIZE)));
static volatile u64 ready, turn, epoch, acks, looks, stale, protecting, faults[SMP], stores[SMP];

static u64 seen_user(void) { return *(volatile u64 *)VA_USER; }
static u64 seen_kernel(void) { return *(volatile u64 *)VA_XSSEG; }

static bool handler(struct frame *f)
{
	if ((frame_exc(f) != EXC_MOD && frame_exc(f) != EXC_TLBS) ||
	    (f->badvaddr & -PAGE_SIZE) != VA_USER)
		return false;
	faults[guest_this_cpu()->id]++;
	frame_skip(f);
	return true;
}

static void look_in_turn(void)
{
	for (u64 i = 1; i <= STEPS && smp_wait(&turn, i); i++) {
		if (seen_user() != TAG(i) || seen_kernel() != TAG(i))
			smp_add(&stale, 1);
		smp_add(&acks, 1);
	}
}

static void look_always(void)
{
	u64 before, user, kernel;

	while (epoch < 2 * CHANGES && !smp_late) {
		for (unsigned i = 0; i < BURST; i++) {
			before = epoch;
			user = seen_user();
			kernel = seen_kernel();
			if ((before & 1) || epoch != before)
				continue;
			smp_add(&looks, 1);
			if (user != TAG(before / 2) || kernel != TAG(before / 2))
				smp_add(&stale, 1);
		}
		hypercall(DISCO_HC_YIELD, 0, 0);
	}
	smp_add(&acks, 1);
}

static void store_always(u64 id)
{
	smp_wait(&protecting, 1);
	for (u64 n = 1; protecting && !smp_late;) {
		for (unsigned i = 0; i < BURST; i++)
			asm volatile(
				".set push\n\t.set noreorder\n\tnop\n\tsd %0, 0(%1)\n\tnop\n\t.set pop"
				:
				: "r"(n++), "r"(VA_USER + 8 * id)
				: "memory");
		stores[id] = n;
		hypercall(DISCO_HC_YIELD, 0, 0);
	}
	smp_add(&acks, 1);
}

static void other(u64 id)
{
	if (walk_setup() || walk_switch(ASID, walk_root))
		smp_late = 1;
	seen_user();
	smp_add(&ready, 1);
	look_in_turn();
	look_always();
	store_always(id);
}

/* Page i & 1 from now on. The kernel's entry is global; a flush of it must name all ASIDs. */
static void change(u64 i)
{
	u64 pa = page_pa((unsigned)i & 1);

	*walk_entry(walk_last, VA_USER) = PTE(pa, PRESENT | READ_BITS);
	*walk_entry(kernel_last, VA_XSSEG) = PTE(pa, PRESENT | READ_BITS | GLOBAL);
	switch (i % 4) {
	case 0: walk_flush(VA_USER, PAGE_SIZE, ASID); break;
	case 1: walk_flush(0, 0, ASID); break;
	case 2: walk_flush(VA_USER, 8, DISCO_ALL_ASIDS); break;
	case 3: walk_flush(0, 0, DISCO_ALL_ASIDS); return;
	}
	walk_flush(VA_XSSEG, PAGE_SIZE, DISCO_ALL_ASIDS);
}

static bool page_is_still(unsigned n)
{
	u64 before[SMP];

	for (unsigned id = 0; id < SMP; id++)
		before[id] = page_va(n)[id];
	for (unsigned i = 0; i < 4; i++)
		hypercall(DISCO_HC_YIELD, 0, 0);
	for (unsigned id = 0; id < SMP; id++)
		if (page_va(n)[id] != before[id])
			return false;
	return true;
}

static void protect(void)
{
	volatile u64 *entry = walk_entry(walk_last, VA_USER);
	u64 leaks = 0;

	*entry = PTE(page_pa(2), PRESENT | WRITE);
	walk_flush(VA_USER, PAGE_SIZE, ASID);
	protecting = 1;
	for (u64 i = 0; i < PROTECTS; i++) {
		hypercall(DISCO_HC_YIELD, 0, 0);
		*entry = PTE(page_pa(2), PRESENT | READ_BITS);
		walk_flush(VA_USER, i & 1 ? PAGE_SIZE : 0, ASID);
		leaks += !page_is_still(2);
		*entry = PTE(page_pa(2), PRESENT | WRITE | READ_BITS);
	}
	protecting = 0;
	smp_wait(&acks, (STEPS + 2) * (SMP - 1));
	check_eq("stores that a flush had forbidden", leaks, 0);
	for (unsigned id = 1; id < SMP; id++)
		check(faults[id] && page_va(2)[id] && stores[id] > faults[id],
		      "VCPU %u: %lu stores, %lu faults", id, (unsigned long)stores[id],
		      (unsigned long)faults[id]);
}

int main(void)
{
	need_monitor();
	trap_hook = handler;
	page_va(0)[0] = TAG(0);
	page_va(1)[0] = TAG(1);
	walk_on();
	walk_link(walk_root, kernel_middle, VA_XSSEG, kernel_last);
	walk_switch(ASID, walk_root);
	change(0);
	smp_start_all(other);
	smp_wait(&ready, SMP - 1);
	for (u64 i = 1; i <= STEPS && !smp_late; i++) {
		change(i);
		turn = i;
		smp_wait(&acks, i * (SMP - 1));
	}
	check_eq("answers", acks, STEPS * (SMP - 1));
	check_eq("looks that saw what was before the flush", stale, 0);
	for (u64 i = 1; i <= CHANGES && !smp_late; i++) {
		epoch++;
		change(i);
		epoch++;
		if (i % 8 == 0 && i < CHANGES) /* some look now */
			smp_wait(&looks, looks + SMP);
	}
	smp_wait(&acks, (STEPS + 1) * (SMP - 1));
	check(looks >= CHANGES, "%lu looks", (unsigned long)looks);
	check_eq("looks that saw what was before", stale, 0);
	protect();
	check_eq("late", smp_late, 0);
	return verdict();
}
