/* SPDX-License-Identifier: MIT */
/*
 * Rule: a VCPU of MMU_FLUSH's mask that does not run, because it waits in WAIT or for its processor, has nothing of what was
 * flushed when it runs again. kernel/abi/disco.h.
 *
 * Method: eight VCPUs, two to a node, share tables and address space. All but the first wait in WAIT. The first changes some
 * pages, flushes them page by page, as an address space or with all others, more than once, and only then interrupts the others,
 * which wake, two on each processor, and look at all pages.
 *
 * Needs: vcpus=8 nodes=4
 */
#include "tests/guest/smp.h"
#include "tests/guest/walk.h"

#define STEPS  300
#define PAIRS  6 /* that are changed, more than the monitor notes one by one */
#define ASID   5
#define TAG(i) (1000 + ((i)&1))

static table_t kernel_middle __attribute__((aligned(PAGE_SIZE))),
	kernel_last __attribute__((aligned(PAGE_SIZE)));
static volatile u64 ready, step, acks, stale, woken[SMP];

static u64 user_page(u64 pair) { return VA_USER + pair * 2 * PAGE_SIZE; }

static bool handler(struct frame *f)
{
	if (frame_exc(f) != EXC_INT)
		return false;
	if (f->cause & CAUSE_IP(0))
		hypercall(DISCO_HC_IPI_CLEAR, 0, 0);
	woken[guest_this_cpu()->id]++;
	return true;
}

static bool wait_for_step(u64 id, u64 n)
{
	u32 start = cp0_read_count();

	while (step < n) {
		cp0_write_status(ST_BASE | ST_IM(0) | ST_IM(7));
		timer_set(200000000u);
		if (step < n)
			cp0_wait();
		cp0_write_status(ST_BASE | ST_IE | ST_IM(0));
		if (smp_late || cp0_read_count() - start > SMP_LIMIT) {
			smp_late = 1;
			return false;
		}
	}
	return id < SMP;
}

static void look(u64 n)
{
	u64 wrong = *(volatile u64 *)VA_XSSEG != TAG(n);

	for (u64 i = 0; i < PAIRS; i++)
		wrong += *(volatile u64 *)user_page(i) != TAG(n);
	if (wrong)
		smp_add(&stale, wrong);
}

static void other(u64 id)
{
	if (walk_setup() || walk_switch(ASID, walk_root))
		smp_late = 1;
	look(0);
	smp_add(&ready, 1);
	for (u64 n = 1; n <= STEPS && wait_for_step(id, n); n++) {
		look(n);
		smp_add(&acks, 1);
	}
}

static void change(u64 n)
{
	u64 pages = n % 4 == 3 ? PAIRS : 1 + n % 4;

	for (u64 i = 0; i < PAIRS; i++)
		*walk_entry(walk_last, user_page(i)) =
			PTE(page_pa((unsigned)n & 1), PRESENT | READ_BITS);
	*walk_entry(kernel_last, VA_XSSEG) =
		PTE(page_pa((unsigned)n & 1), PRESENT | READ_BITS | GLOBAL);
	for (u64 i = 0; i < pages; i++)
		walk_flush(user_page(i), PAGE_SIZE, ASID);
	if (pages < PAIRS)
		walk_flush(user_page(pages), (PAIRS - pages) * 2 * PAGE_SIZE,
			   n & 4 ? DISCO_ALL_ASIDS : ASID);
	walk_flush(VA_XSSEG, PAGE_SIZE, DISCO_ALL_ASIDS);
	if (n % 5 == 0)
		walk_flush(0, 0, n & 1 ? DISCO_ALL_ASIDS : ASID);
}

int main(void)
{
	u64 interrupts = 0;

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
	for (u64 n = 1; n <= STEPS && !smp_late; n++) {
		change(n);
		step = n;
		hypercall(DISCO_HC_IPI, (1ul << SMP) - 2, 0);
		smp_wait(&acks, n * (SMP - 1));
	}
	check_eq("answers", acks, STEPS * (SMP - 1));
	check_eq("looks that saw what was before the flush", stale, 0);
	check_eq("late", smp_late, 0);
	for (unsigned id = 1; id < SMP; id++)
		interrupts += woken[id];
	check(interrupts > STEPS, "%lu interrupts", (unsigned long)interrupts);
	return verdict();
}
