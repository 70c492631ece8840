/* SPDX-License-Identifier: MIT */
/*
 * The Coherent Processing System of the I6500: how many processors there are, starting them, their
 * GIC interrupts and the global clock. Register facts: docs/machine.md. Addresses are physical,
 * reached through KSEG1.
 */
#include "arch/mips/cp0.h"
#include "arch/mips/mips.h"
#include "kernel/node.h"

#define KSEG1(pa) (0xffffffffa0000000ul | (pa))
#define GCR	  0x1fbf8000ul
#define GIC	  0x1bdc0000ul
#define CPC	  0x1bde0000ul

#define GCR_REV		  0x0030
#define GCR_GIC_BASE	  0x0080
#define GCR_CPC_BASE	  0x0088
#define GCR_CL_CONFIG	  0x2010
#define GCR_CL_OTHER	  0x2018 /* 3 bits only: reaches VPs 0..7 */
#define GCR_CO_RESET_BASE 0x4020
#define CPC_VP_RUN	  0x2028 /* bit mask over all VPs */

#define GIC_COUNTER    0x0010 /* 10 ns a tick */
#define GIC_WEDGE      0x0280
#define GIC_WEDGE_SET  0x80000000u
#define GIC_SMASK      0x0380
#define GIC_MAP_PIN    0x0500
#define GIC_PIN	       0x80000000u
#define GIC_MAP_VP     0x2000
#define GIC_VP_RMASK   0x800c /* local interrupts of the processor that writes: off */
#define GIC_VP_ALL     0x7fu
#define GIC_VP_COMPARE 0x80a0	   /* of the counter, for the processor that writes */
#define BOARD_SOURCE   3	   /* the shared interrupt that the Malta's 8259 is wired to */
#define IPI_SOURCE(vp) (64 + (vp)) /* the shared interrupts used as IPIs */

static u32 read32(u64 pa) { return *(volatile u32 *)KSEG1(pa); }

static void write32(u64 pa, u32 val) { *(volatile u32 *)KSEG1(pa) = val; }

static u64 read64(u64 pa) { return *(volatile u64 *)KSEG1(pa); }

static void write64(u64 pa, u64 val) { *(volatile u64 *)KSEG1(pa) = val; }

unsigned arch_processors(void)
{
	if (!read64(GCR + GCR_REV)) /* a Malta with one processor has no CPS */
		return 1;
	return (read64(GCR + GCR_CL_CONFIG) & 0x3ff) + 1;
}

/* VPs 8..15 cannot be given a reset base: they come through the boot ROM into the ELF entry, which
 * is boot_entry too. */
void arch_start_node(unsigned id)
{
	extern char boot_entry[];

	if (id < 8) {
		write64(GCR + GCR_CL_OTHER, id);
		write64(GCR + GCR_CO_RESET_BASE, (u32)KSEG1((u64)boot_entry & 0x1fffffff));
		write64(GCR + GCR_CL_OTHER, 0);
	}
	write64(CPC + CPC_VP_RUN, 1ul << id);
}

/* ---- GIC ---- */

void gic_init(void)
{
	write64(GCR + GCR_GIC_BASE, GIC | 1);
	write64(GCR + GCR_CPC_BASE, CPC | 1);
}

/*
 * The GIC's timer of this processor, unused and masked, a whole turn of the counter (43 s) away. To
 * be called more often than that: QEMU 7.2 expires the timer again and again while counter and
 * compare are equal, and with time taken from instructions (-icount) they stay equal for ever.
 */
void gic_timer_put_off(void) { write32(GIC + GIC_VP_COMPARE, read32(GIC + GIC_COUNTER) - 1); }

/* A shared interrupt, level-triggered, to Cause.IP number irq of one node. */
static void route(unsigned source, unsigned node, unsigned irq)
{
	write32(GIC + GIC_MAP_PIN + 4 * source, GIC_PIN | (irq - 2));
	write32(GIC + GIC_MAP_VP + 32 * source, 1u << node);
	write32(GIC + GIC_SMASK + 4 * (source / 32), 1u << source % 32);
}

void gic_node_init(unsigned node)
{
	/* on after reset, on the IPIs' pin */
	write32(GIC + GIC_VP_RMASK, GIC_VP_ALL);
	gic_timer_put_off();
	route(IPI_SOURCE(node), node, IRQ_IPI);
}

void gic_route_board(void) { route(BOARD_SOURCE, node_self()->id, IRQ_BOARD); }

void arch_send_ipi(unsigned node) { write32(GIC + GIC_WEDGE, GIC_WEDGE_SET | IPI_SOURCE(node)); }

void gic_ipi_clear(unsigned node) { write32(GIC + GIC_WEDGE, IPI_SOURCE(node)); }

u32 gic_counter(void) { return read32(GIC + GIC_COUNTER); }
