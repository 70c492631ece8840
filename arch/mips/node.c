/* SPDX-License-Identifier: MIT */
/* This processor as the monitor runs it: CP0 set-up, machine interrupts, idling and yielding. */
#include "arch/mips/cp0.h"
#include "arch/mips/mips.h"
#include "kernel/mem/l2tlb.h"
#include "kernel/options.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/tick.h"
#include "kernel/sched/turn.h"
#include "kernel/mem/shootdown.h"

struct l2tlb no_l2tlb;

/* off=fast: the vector's two branches become NOPs. Before any guest runs, and the machine's caches
 * are coherent. */
void arch_configure(void)
{
	extern u32 vector_fast_eret[], vector_fast_syscall[];

	if (option_on(OPTION_FAST))
		return;
	*vector_fast_eret = *vector_fast_syscall = 0;
	__asm__ volatile("sync\n\tsynci 0(%0)\n\tsynci 0(%1)" ::"r"(vector_fast_eret),
			 "r"(vector_fast_syscall)
			 : "memory");
}

void arch_early_init(void)
{
	l2tlb_flush(&no_l2tlb);
	gic_init();
}

#define COUNT_TRIES 1000
#define COUNT_CLOSE 100 /* of the GIC's ticks: 1 us */

/*
 * All nodes count from the same zero: Count (6 ns) is set from the GIC's counter (10 ns), which all
 * share. Guests read it without a trap, so it is never offset. Again if the host took its time in
 * between: what one VCPU hands to one on another node must not have a Count that is still to come.
 */
static void count_init(void)
{
	u32 before, tries = 0;

	do {
		before = gic_counter();
		cp0_write32(CP0_COUNT, (u64)before * 5 / 3);
	} while (gic_counter() - before > COUNT_CLOSE && ++tries < COUNT_TRIES);
}

void arch_node_init(struct node *n)
{
	cp0_write32(CP0_STATUS, MONITOR_STATUS);
	cp0_kscratch_write(KS_NODE, (u64)n);
	cp0_kscratch_write(KS_VCPU, 0);
	cp0_kscratch_write(KS_L2TLB, (u64)&no_l2tlb); /* until it has a VCPU */
	text_enter(n);
	cp0_write32(CP0_CAUSE, CAUSE_IV);
	/* SDBBP: RI, not Debug Mode */
	cp0_write32(CP0_CONFIG(5), cp0_read32(CP0_CONFIG(5)) | CONFIG5_SBRI);
	cp0_write32(CP0_PAGEGRAIN, PAGEGRAIN_RIE | PAGEGRAIN_XIE | PAGEGRAIN_IEC);
	cp0_write32(CP0_PAGEMASK, 0);
	cp0_write32(CP0_WIRED, 1); /* entry 0: mmu_map_special */
	cp0_write32(CP0_HWRENA, 0);
	mmu_flush_node(); /* entries survive a CPC reset */
	asid_pool_init(&n->cpu.asids);
	n->cpu.renew_after = tlb_renew_after();
	count_init();
	n->cpu.count_last = cp0_read32(CP0_COUNT);
	gic_node_init(n->id);
}

#define RENEW_TICK_MS \
	25 /* in every third tick that interrupts a guest, if no address space was switched */
#define GIC_PUT_OFF_TICKS 256 /* 2.6 s; 26 s while the node rests */

static void (*board_handler)(void); /* fixed after boot */

void arch_board_interrupt(void (*handler)(void))
{
	board_handler = handler;
	gic_route_board();
}

static void timer_handle(struct node *n)
{
	if (vtimer_tick_due(n)) {
		tick(n);
		if (n->current && vcpu_state(n->current) == VCPU_RUNNING)
			tlb_renew(n, RENEW_TICK_MS * COUNT_MS);
		if (n->stats.ticks % GIC_PUT_OFF_TICKS == 0)
			gic_timer_put_off();
	}
	turn_check(n);
	vtimer_expire(n);
}

void irq_handle(struct node *n, u32 cause)
{
	sched_interrupted(n);
	if (cause & BIT(IRQ_IPI) << CAUSE_IP_SHIFT) {
		gic_ipi_clear(n->id);
		n->stats.ipis++;
		node_read_mail(n);
	}
	if (cause & BIT(IRQ_BOARD) << CAUSE_IP_SHIFT) {
		board_handler();
		sched_waive(n);
	}
	if ((cause & CAUSE_TI) || count64() >= n->cpu.compare) /* or it was lost: tick.c */
		timer_handle(n);
	sched_resume(n);
}

void arch_irq_poll(struct node *n)
{
	u32 cause = cp0_read32(CP0_CAUSE);

	if (cause & MACHINE_IM)
		irq_handle(n, cause);
}

void arch_idle(void)
{
	cp0_write32(CP0_STATUS, MONITOR_STATUS | MACHINE_IM);
	/* with IE = 0, WAIT ends when an interrupt is pending, and takes none */
	__asm__ volatile("wait" ::: "memory");
	cp0_write32(CP0_STATUS, MONITOR_STATUS);
}

_Noreturn void arch_idle_forever(void)
{
	cp0_write32(CP0_STATUS, MONITOR_STATUS);
	for (;;)
		__asm__ volatile("wait" ::: "memory");
}

/* A WAIT that ends at once, by a software interrupt of its own, makes QEMU run the next processor. */
void arch_yield(void)
{
	cp0_write32(CP0_STATUS, MONITOR_STATUS | 1u << STATUS_IM_SHIFT);
	cp0_write32(CP0_CAUSE, CAUSE_IV | 1u << CAUSE_IP_SHIFT);
	__asm__ volatile("wait" ::: "memory");
	cp0_write32(CP0_CAUSE, CAUSE_IV);
	cp0_write32(CP0_STATUS, MONITOR_STATUS);
}
