/* SPDX-License-Identifier: MIT */
/* The processor half of a VCPU's life: reset, switching in and out, printing. */
#include <string.h>
#include "arch/mips/cp0.h"
#include "arch/mips/mips.h"
#include "kernel/mem/l2tlb.h"
#include "kernel/log.h"
#include "kernel/options.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

/* The VM's pages as its node sees them. */
static void set_view(struct vcpu *v)
{
	const struct pmap *p = &v->vm->pmap;
	struct vcpu_arch *a = &v->arch;

	a->pmap_entry = p->view[v->node->id].entry;
	a->pmap_pages = p->npages;
	a->pmap_large = p->view[v->node->id].large;
	a->pmap_nlarge = latency_on ? 0 : pmap_nlarge(p->npages);
}

void arch_vcpu_reset(struct vcpu *v, const struct vcpu_boot *boot)
{
	struct vcpu_arch *a = &v->arch;

	memset(a, 0, offsetof(struct vcpu_arch, irq_lines));
	memset(a->cp0, 0, sizeof(*a->cp0));
	a->gpr[4] = boot->a0;
	a->gpr[5] = boot->a1;
	a->gpr[28] = boot->gp;
	a->gpr[29] = boot->sp;
	a->pc = boot->pc;
	set_view(v);
	vcp0_reset(v);
	vtlb_reset(v);
	for (unsigned i = 0; i < ASID_COUNT; i++)
		a->asid_map[i] = 0;
	l2tlb_flush(a->l2tlb);
}

void arch_vcpu_set_paths(struct vcpu *v)
{
	v->arch.pmap_nlarge = latency_on ? 0 : pmap_nlarge(v->vm->pmap.npages);
	v->arch.walk_root[0] = v->arch.walk_root[1] = 0; /* walk.c sets them anew */
	v->arch.switches = 0;
	mmu_flush_vcpu(v);
}

void arch_vcpu_switch_in(struct vcpu *v)
{
	cp0_kscratch_write(KS_VCPU, (u64)v);
	cp0_kscratch_write(KS_L2TLB, (u64)v->arch.l2tlb);
	cp0_write32(CP0_HWRENA, vcpu_hwrena(v));
	cp0_write64(CP0_USERLOCAL, vcp0(v, UserLocal));
	mmu_set_asid(v);
	mmu_map_special(v);
	v->arch.clear_ll = 1; /* a reservation does not survive another VCPU's run */
}

void arch_vcpu_switch_out(struct vcpu *v)
{
	/* registers are saved at every exit, the FPU's when another wants it */
	check_translations(v);
	if (!option_on(OPTION_ASID))
		mmu_flush_vcpu(v);
}

void arch_vcpu_leave(struct vcpu *v, struct l2tlb *l2tlb, u64 *asid_map)
{
	struct vcpu_arch *a = &v->arch;

	fpu_leave(v);
	if (!v->node->current) /* else it is of another VCPU, which may go on without arch_vcpu_switch_in */
		cp0_kscratch_write(KS_L2TLB, (u64)&no_l2tlb);
	a->l2tlb = l2tlb;
	a->asid_map = asid_map;
	a->scattered = false;
	/* walk.c sets these anew: arch_vcpu_set_paths finds no VCPU that is between two nodes */
	a->walk_root[0] = a->walk_root[1] = 0;
	a->switches = 0;
}

void arch_vcpu_arrive(struct vcpu *v)
{
	set_view(v);
	v->arch.l2tlb_generation = v->node->cpu.asids.generation;
}

void arch_vcpu_stolen(struct vcpu *v, u64 ticks) { v->arch.cp0->steal += ticks; }

void arch_vcpu_retire(struct vcpu *v)
{
	fpu_forget(v);
	v->arch.timer_armed = false;
	for (unsigned i = 0; i < ASID_COUNT; i++)
		v->arch.asid_map[i] = 0;
	l2tlb_flush(v->arch.l2tlb);
}

bool arch_vcpu_hears(const struct vcpu *v, unsigned line)
{
	return vcp0(v, Status) & STATUS_IM & BIT(CAUSE_IP_SHIFT + line);
}

bool arch_vcpu_wakes(const struct vcpu *v) { return vcp0_interrupts(v); }

bool arch_vcpu_user(const struct vcpu *v) { return !vcpu_kernel_mode(v); }

void arch_vcpu_print(const struct vcpu *v)
{
	static const char *const name[32] = { "zero", "at", "v0", "v1", "a0", "a1", "a2", "a3",
					      "a4",   "a5", "a6", "a7", "t0", "t1", "t2", "t3",
					      "s0",   "s1", "s2", "s3", "s4", "s5", "s6", "s7",
					      "t8",   "t9", "k0", "k1", "gp", "sp", "fp", "ra" };

	for (unsigned i = 0; i < 32; i++)
		kprintf("%4s %016lx%s", name[i], v->arch.gpr[i], i % 4 == 3 ? "\n" : "");
	kprintf("  pc %016lx  (%s mode)\n", v->arch.pc, arch_vcpu_user(v) ? "user" : "kernel");
	unsigned column = 0;
	for (unsigned i = 0; i < 256; i++) {
		const char *reg = vcp0_name(i / 8, i % 8);

		if (reg)
			kprintf("%9s %016lx%s", reg,
				i / 8 == 13 ? vcp0_cause(v) : v->arch.cp0->reg[i / 8][i % 8],
				++column % 4 ? "" : "\n");
	}
	kprintf("\n");
}

static void print_half(const char *space, u64 lo)
{
	kprintf("  %s %9lx %s%s", space, (lo & ENTRYLO_PFN) << 6, lo & ENTRYLO_V ? "V" : "-",
		lo & ENTRYLO_D ? "D" : "-");
}

static unsigned print_vtlb(const struct vcpu *v)
{
	unsigned valid = 0;

	for (unsigned i = 0; i < VTLB_ENTRIES; i++) {
		const struct vtlb_entry *e = &v->arch.vtlb[i];

		if (e->hi & ENTRYHI_EHINV)
			continue;
		valid++;
		kprintf("%2u  va %016lx asid %3lx %s mask %8lx", i, e->hi & ENTRYHI_VPN2,
			e->hi & ENTRYHI_ASID, e->lo[0] & ENTRYLO_G ? "G" : "-", e->mask);
		print_half("pa", e->lo[0]);
		print_half("pa", e->lo[1]);
		kprintf("\n");
	}
	return valid;
}

/* A guest whose tables the monitor walks has no TLB of its own to show: the current address space
 * in the L2TLB. */
static void print_l2tlb(const struct vcpu *v)
{
	unsigned shown = 0;

	for (unsigned i = 0; i < L2TLB_ENTRIES && shown < VTLB_ENTRIES; i++) {
		const struct l2tlb_entry *e = &v->arch.l2tlb->entry[i];

		if (e->tag == L2TLB_NOTHING || (e->tag & ENTRYHI_ASID) != v->arch.asid)
			continue;
		shown++;
		kprintf("L2  va %016lx asid %3lx", e->tag & ENTRYHI_VPN2, e->tag & ENTRYHI_ASID);
		print_half("machine", l2tlb_lo(e, 0));
		print_half("machine", l2tlb_lo(e, 1));
		kprintf("\n");
	}
}

void arch_vcpu_print_tlb(const struct vcpu *v)
{
	unsigned valid = print_vtlb(v);

	if (v->arch.walker.on)
		print_l2tlb(v);
	kprintf("%u of %u entries valid; L2TLB holds %u of %u pairs\n", valid, VTLB_ENTRIES,
		l2tlb_used(v->arch.l2tlb), L2TLB_ENTRIES);
}
