/* SPDX-License-Identifier: MIT */
/*
 * Rule: a VCPU that stopped and is started again is as at its first start: of the life before it has no interrupt, no
 * timer, no translation and no steal time, whatever it left and whatever others sent while it was off. What is sent
 * after the start reaches it. kernel/abi/disco.h.
 *
 * Method: VCPU 0 starts the others in turn, `lives=` times. Each leaves with a line up, a timer about to fall due, and a
 * page mapped, by the walker in two lives and by its TLB in two; while it is off the tables get another page, which no
 * flush tells, and it is interrupted. In its next life it looks at these, and waits in WAIT, without a timer, for the one
 * interrupt that is for this life. All the time each interrupts and flushes any of the others, those that are off, too.
 *
 * Needs: vcpus=8 nodes=8
 */
#include "tests/guest/smp.h"
#include "tests/guest/walk.h"

#define LIVES	 400
#define STORM	 0 /* the lines */
#define FOR_LIFE 1
#define OPEN	 (ST_BASE | ST_IM(STORM) | ST_IM(FOR_LIFE) | ST_IM(7))

enum wrong { LINE_LEFT, TIMER_LEFT, STEAL_LEFT, MAPPED, OTHER_PAGE, REFUSED, WRONGS };
static const char *const wrong_names[WRONGS] = { "lines left",	    "timers left",
						 "steal time left", "translations left",
						 "wrong pages",	    "calls refused" };

static volatile u64 wrong[WRONGS], over[SMP], got[SMP], storms;
static volatile u32 born[SMP];

static u64 va_of(u64 id) { return VA_USER + id * 2 * PAGE_SIZE; }
static u64 page_of(u64 id, u64 life) { return page_pa((unsigned)(2 * id + (life & 1))); }
static u64 tag_of(u64 id, u64 life) { return 1000 * id + (life & 1); }
static bool by_walker(u64 life) { return life >> 1 & 1; }
/* The interrupt follows the start at once; else when the VCPU has looked whether there is an old one. */
static bool at_once(u64 life) { return life >> 2 & 1; }

static bool handler(struct frame *f)
{
	u64 id = guest_this_cpu()->id;

	if (frame_exc(f) != EXC_INT)
		return false;
	if (f->cause & CAUSE_IP(STORM)) {
		hypercall(DISCO_HC_IPI_CLEAR, STORM, 0);
		smp_add(&storms, 1);
	}
	if (f->cause & CAUSE_IP(FOR_LIFE)) {
		hypercall(DISCO_HC_IPI_CLEAR, FOR_LIFE, 0);
		smp_add(&got[id], 1);
	}
	if (f->cause & CAUSE_IP(7)) {
		timer_set(1u << 31);
		smp_add(&wrong[TIMER_LEFT], 1);
	}
	return true;
}

static void look_at_the_past(u64 id, u64 life)
{
	u32 cause = cp0_read_cause();
	u64 steal = *(volatile u64 *)(DISCO_SPECIAL_PAGE + DISCO_SP_STEAL);
	const struct trap *t;

	if ((cause & CAUSE_IP(FOR_LIFE)) && !at_once(life))
		smp_add(&wrong[LINE_LEFT], 1);
	if (cause & (CAUSE_IP(7) | CAUSE_TI))
		smp_add(&wrong[TIMER_LEFT], 1);
	if (steal > (u64)(u32)(cp0_read_count() - born[id]))
		smp_add(&wrong[STEAL_LEFT], 1);
	t = load(MODE_KERNEL, va_of(id));
	if (!t->taken || t->exc != EXC_TLBL || t->f.vector != 0x80)
		smp_add(&wrong[MAPPED], 1);
}

static void map(u64 id, u64 life)
{
	u64 lo = page_of(id, life) >> 6 | 3 << 3 | 6 | 1;

	if (!by_walker(life))
		tlb_map_at(TLB_FREE, va_of(id), 0, lo, lo);
	else if (walk_setup() || walk_switch(0, walk_root))
		smp_add(&wrong[REFUSED], 1);
	if (*(volatile u64 *)va_of(id) != tag_of(id, life))
		smp_add(&wrong[OTHER_PAGE], 1);
}

static void disturb_others(u64 seed)
{
	u64 mask = seed >> 8 & ((1 << SMP) - 1);

	if (hypercall(DISCO_HC_IPI, mask, STORM) ||
	    hypercall4(DISCO_HC_MMU_FLUSH, VA_USER, PAGE_SIZE * (seed & 31), mask, 0))
		smp_add(&wrong[REFUSED], 1);
}

static void lives(u64 arg)
{
	u64 id = guest_this_cpu()->id, life = arg;

	look_at_the_past(id, life);
	map(id, life);
	disturb_others(id * 0x9e3779b97f4a7c15 + life * 0x632be59bd9b4e019);
	while (got[id] < life) {
		if (!at_once(life))
			__atomic_store_n(&over[id], 2 * life - 1, __ATOMIC_SEQ_CST);
		cp0_write_status(OPEN);
		if (got[id] < life)
			cp0_wait();
		cp0_write_status(OPEN | ST_IE);
	}
	cp0_write_status(ST_BASE);
	if (*(volatile u64 *)va_of(id) != tag_of(id, life))
		smp_add(&wrong[OTHER_PAGE], 1);
	hypercall(DISCO_HC_IPI, 1ul << id, FOR_LIFE);
	timer_set((u32)(1000 + life * 997 % 20000));
	__atomic_store_n(&over[id], 2 * life, __ATOMIC_SEQ_CST);
}

/* Its next life, when the one before is over, as far as the VCPU itself can tell. */
static void give_life(u64 id, u64 life)
{
	if (!smp_wait(&over[id], 2 * (life - 1)))
		return;
	*walk_entry(walk_last, va_of(id)) = PTE(page_of(id, life), PRESENT | READ_BITS);
	hypercall(DISCO_HC_IPI, 1ul << id, FOR_LIFE);
	born[id] = cp0_read_count();
	check_eq("start", (u64)smp_start((unsigned)id, lives, life), 0);
	if (at_once(life) || smp_wait(&over[id], 2 * life - 1))
		hypercall(DISCO_HC_IPI, 1ul << id, FOR_LIFE);
}

int main(void)
{
	u64 wanted = guest_number("lives=", LIVES), life = 0, all = 0;

	need_monitor();
	for (u64 id = 1; id < SMP; id++)
		for (u64 i = 0; i < 2; i++)
			*(volatile u64 *)guest_va(page_of(id, i)) = tag_of(id, i);
	walk_tables();
	walk_describe(walk_pointer(walk_root));
	trap_hook = handler;
	cp0_write_status(OPEN | ST_IE);
	for (life = 1; all < wanted && !smp_late; life++)
		for (u64 id = 1; id < SMP; id++, all++)
			give_life(id, life);
	for (u64 id = 1; id < SMP; id++)
		check(smp_wait(&over[id], 2 * (life - 1)), "VCPU %lu is in its life %lu of %lu",
		      (unsigned long)id, (unsigned long)over[id] / 2, (unsigned long)life - 1);
	for (unsigned i = 0; i < WRONGS; i++)
		check_eq(wrong_names[i], wrong[i], 0);
	check(storms > life, "%lu interrupts of the storm", (unsigned long)storms);
	print("%lu lives\n", (unsigned long)all);
	return verdict();
}
