/* SPDX-License-Identifier: MIT */
/*
 * Monitor calls: a function for each row of calls.def. A function checks every argument, which come
 * from a guest and may be anything, before it changes anything.
 *
 * To add a call: its number in kernel/abi/disco.h, its row in calls.def, its function here, and its
 * row in docs/guest-abi.md; tests/check/test_abi.py compares them.
 */
#include "drivers/dev.h"
#include "kernel/abi/disco.h"
#include "kernel/errno.h"
#include "kernel/mem/pass.h"
#include "kernel/options.h"
#include "kernel/vm/hypercall.h"
#include "kernel/sched/hasten.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/vm.h"
#include "kernel/wallclock.h"

#define REG_V0 2
#define REG_A0 4

/* The call's argument number i, counted from 0: a0 to a3. */
static u64 argument(const struct vcpu *v, unsigned i) { return v->arch.gpr[REG_A0 + i]; }

static enum verdict result(struct vcpu *v, s64 val)
{
	v->arch.gpr[REG_V0] = (u64)val;
	return RESUME;
}

static enum verdict call_version(struct vcpu *v) { return result(v, DISCO_ABI_VERSION); }

static enum verdict call_console_write(struct vcpu *v)
{
	u64 gpa = argument(v, 0), len = argument(v, 1);
	char buf[VCONS_WRITE];
	u64 done;

	len = MIN(len, sizeof(buf));
	if (!len)
		return result(v, 0);
	if (vm_copy_in(v->vm, buf, (gpa_t){ gpa }, len))
		return result(v, -DISCO_EFAULT);
	done = vcons_write(v->vm->cons, buf, len);
	return result(v, done ? (s64)done : -DISCO_EAGAIN);
}

static enum verdict call_console_putc(struct vcpu *v)
{
	char ch = argument(v, 0);

	return result(v, vcons_write(v->vm->cons, &ch, 1) ? 0 : -DISCO_EAGAIN);
}

static enum verdict call_console_getc(struct vcpu *v)
{
	int c = vcons_read(v->vm->cons);

	return result(v, c < 0 ? -DISCO_EAGAIN : c);
}

static enum verdict call_set_timer(struct vcpu *v)
{
	arch_vcpu_set_timer(v, argument(v, 0));
	return result(v, 0);
}

static enum verdict call_vcpu_start(struct vcpu *v)
{
	u64 id = argument(v, 0), gpa = argument(v, 1);
	u64 block[DISCO_START_BYTES / 8];
	struct vcpu_boot boot;

	if (id >= v->vm->nvcpus || vm_copy_in(v->vm, block, (gpa_t){ gpa }, sizeof(block)))
		return result(v, -DISCO_EINVAL);
	boot = (struct vcpu_boot){ .pc = block[DISCO_START_PC / 8],
				   .a0 = block[DISCO_START_ARG / 8],
				   .gp = block[DISCO_START_GP / 8],
				   .sp = block[DISCO_START_SP / 8] };
	return result(v, vcpu_start(v->vm->vcpus[id], &boot) ? -DISCO_EBUSY : 0);
}

static enum verdict call_vcpu_stop(struct vcpu *v)
{
	if (!vm_stop_vcpu(v)) /* the last: the VM is over */
		vm_poweroff(v->vm, 0);
	return RESCHEDULE;
}

static enum verdict call_ipi(struct vcpu *v)
{
	u64 mask = argument(v, 0), line = argument(v, 1);

	if (line > DISCO_IRQ_IPI1 || mask >> v->vm->nvcpus)
		return result(v, -DISCO_EINVAL);
	for (u32 i = 0; i < v->vm->nvcpus; i++)
		if (mask & BIT(i))
			vcpu_post_irq(v->vm->vcpus[i], line);
	return result(v, 0);
}

static enum verdict call_ipi_clear(struct vcpu *v)
{
	u64 line = argument(v, 0);

	if (line > DISCO_IRQ_IPI1)
		return result(v, -DISCO_EINVAL);
	vcpu_clear_irq(v, line);
	return result(v, 0);
}

/*
 * The others of its node go first. What is waited for may be another node's doing: let its processor run, too.
 */
static enum verdict give_way(struct vcpu *v)
{
	if (!nodemask_is(v->vm->node_mask, v->node->id)) {
		hasten_one(v);
		arch_yield();
	}
	sched_give_way(v);
	result(v, 0);
	return RESCHEDULE;
}

static enum verdict call_yield(struct vcpu *v) { return give_way(v); }

static enum verdict call_poweroff(struct vcpu *v)
{
	vm_poweroff(v->vm, argument(v, 0));
	return RESCHEDULE;
}

static enum verdict call_reset(struct vcpu *v)
{
	vm_reset(v->vm);
	return RESCHEDULE;
}

static enum verdict call_vcpu_id(struct vcpu *v) { return result(v, v->id); }

static enum verdict call_stat(struct vcpu *v)
{
	u64 which = argument(v, 0);

	switch (which) {
	case DISCO_STAT_EXITS: return result(v, vcpu_exits(v));
	case DISCO_STAT_TLB: return result(v, vcpu_tlb_exits(v));
	case DISCO_STAT_PRIV: return result(v, v->stats.privileged);
	case DISCO_STAT_HYPCALL: return result(v, v->stats.hypercalls);
	case DISCO_STAT_IRQ: return result(v, v->stats.interrupts);
	case DISCO_STAT_CHARGED: return result(v, v->stats.charged);
	case DISCO_STAT_CHARGED_NS: return result(v, v->stats.charged_ns);
	default: return result(v, -DISCO_EINVAL);
	}
}

static enum verdict call_mmu_setup(struct vcpu *v)
{
	return result(v, mmu_call_setup(v, argument(v, 0)));
}

static enum verdict call_mmu_switch(struct vcpu *v)
{
	return result(v, mmu_call_switch(v, argument(v, 0), argument(v, 1)));
}

static enum verdict call_mmu_flush(struct vcpu *v)
{
	return result(v, mmu_call_flush(v, argument(v, 0), argument(v, 1), argument(v, 2),
					argument(v, 3)));
}

static enum verdict call_yield_to(struct vcpu *v)
{
	u64 id = argument(v, 0);

	if (id >= v->vm->nvcpus)
		return result(v, -DISCO_EINVAL);
	sched_prefer(v->vm->vcpus[id]);
	return give_way(v);
}

static enum verdict call_console_size(struct vcpu *v) { return result(v, vcons_size(v->vm->cons)); }

/* Without what its clock stood still for: a guest whose time stops is to see nothing of that. */
static enum verdict call_time(struct vcpu *v)
{
	return result(v, wallclock_ns() - v->arch.lag * COUNT_NS);
}

/* A page that is to equal another: a copy, but for what it costs. */
static enum verdict call_remap(struct vcpu *v)
{
	u64 target = argument(v, 0), source = argument(v, 1);

	if (!option_on(OPTION_REMAP))
		return result(v, -DISCO_ENOSYS);
	if ((target | source) & PAGE_MASK)
		return result(v, -DISCO_EINVAL);
	switch (pass_page(v->vm, gpa_gpn((gpa_t){ source }), v->vm, gpa_gpn((gpa_t){ target }))) {
	case 0: break;
	case -EFAULT: return result(v, -DISCO_EFAULT);
	default: return result(v, -DISCO_EAGAIN);
	}
	/* the page is read soon, and with its neighbour in the view one miss is enough for both */
	pmap_use(v->vm, gpa_gpn((gpa_t){ target }), v->node->id);
	return result(v, 0);
}

static const struct call {
	const char *name;
	enum verdict (*function)(struct vcpu *v);
} calls[DISCO_HC_COUNT_] = {
#define CALL(name, arguments, function) [DISCO_HC_##name] = { #name, function },
#include "kernel/vm/calls.def"
#undef CALL
};

const char *hypercall_name(unsigned number)
{
	return number < ARRAY_SIZE(calls) ? calls[number].name : NULL;
}

enum verdict hypercall(struct vcpu *v)
{
	u64 number = v->arch.gpr[REG_V0];

	if (number >= ARRAY_SIZE(calls))
		return result(v, -DISCO_ENOSYS);
	v->stats.calls[number]++;
	return TEXT_HERE(calls[number].function)(v);
}
