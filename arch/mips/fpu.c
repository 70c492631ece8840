/* SPDX-License-Identifier: MIT */
/*
 * Lazy FPU: a VCPU's registers are loaded when it first uses them after another VCPU did. Save and
 * load are in entry.S.
 */
#include "arch/mips/cp0.h"
#include "arch/mips/mips.h"

static void with_fpu(void (*fn)(struct fpu_state *), struct fpu_state *s)
{
	cp0_write32(CP0_STATUS, MONITOR_STATUS | STATUS_CU1);
	fn(s);
	cp0_write32(CP0_STATUS, MONITOR_STATUS);
}

static void load(struct fpu_state *s) { fpu_load(s); }

/* The owner's registers into its struct. */
static void fpu_release(struct vcpu *v)
{
	with_fpu(fpu_save, &v->arch.fpu);
	v->node->cpu.fpu_owner = NULL;
}

void fpu_acquire(struct vcpu *v)
{
	struct node *n = v->node;

	if (n->cpu.fpu_owner == v)
		return;
	if (n->cpu.fpu_owner)
		fpu_release(n->cpu.fpu_owner);
	with_fpu(load, &v->arch.fpu);
	n->cpu.fpu_owner = v;
}

void fpu_leave(struct vcpu *v)
{
	if (v->node->cpu.fpu_owner == v)
		fpu_release(v);
}

void fpu_forget(struct vcpu *v)
{
	if (v->node->cpu.fpu_owner == v)
		v->node->cpu.fpu_owner = NULL;
}

u64 fpu_register(struct vcpu *v, unsigned n)
{
	if (v->node->cpu.fpu_owner == v) {
		with_fpu(fpu_save, &v->arch.fpu);
	}
	return v->arch.fpu.reg[n & 31];
}

void fpu_set_register(struct vcpu *v, unsigned n, u64 value)
{
	if (v->node->cpu.fpu_owner == v)
		fpu_release(v);
	v->arch.fpu.reg[n & 31] = value;
}
