/* SPDX-License-Identifier: MIT */
/*
 * Monitor calls. Each checks its arguments, then acts; a call never fails half way. Arguments are a
 * guest's: hostile.
 */
#include "drivers/dev.h"
#include "kernel/abi/disco.h"
#include "kernel/vm/hypercall.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/vm.h"

#define REG_V0 2
#define REG_A0 4
#define REG_A1 5
#define REG_A2 6
#define REG_A3 7

#define WRITE_MAX 4096

typedef enum verdict (*call_fn)(struct vcpu *v, u64 a0, u64 a1);

static enum verdict result(struct vcpu *v, s64 val)
{
	v->arch.gpr[REG_V0] = (u64)val;
	return RESUME;
}

static enum verdict call_version(struct vcpu *v, u64 a0, u64 a1)
{
	(void)a0, (void)a1;
	return result(v, DISCO_ABI_VERSION);
}

static enum verdict call_console_write(struct vcpu *v, u64 gpa, u64 len)
{
	char buf[256];
	u64 done, part;

	len = MIN(len, (u64)WRITE_MAX);
	for (done = 0; done < len; done += part) {
		part = MIN(len - done, sizeof(buf));
		if (vm_copy_in(v->vm, buf, (gpa_t){ gpa + done }, part))
			return result(v, done ? (s64)done : -DISCO_EFAULT);
		vcons_write(v->vm->cons, buf, part);
	}
	return result(v, done);
}

static enum verdict call_console_putc(struct vcpu *v, u64 c, u64 a1)
{
	char ch = c;

	(void)a1;
	vcons_write(v->vm->cons, &ch, 1);
	return result(v, 0);
}

static enum verdict call_console_getc(struct vcpu *v, u64 a0, u64 a1)
{
	int c = vcons_read(v->vm->cons);

	(void)a0, (void)a1;
	return result(v, c < 0 ? -DISCO_EAGAIN : c);
}

static enum verdict call_set_timer(struct vcpu *v, u64 compare, u64 a1)
{
	(void)a1;
	arch_vcpu_set_timer(v, compare);
	return result(v, 0);
}

static enum verdict call_vcpu_start(struct vcpu *v, u64 id, u64 gpa)
{
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

static enum verdict call_vcpu_stop(struct vcpu *v, u64 a0, u64 a1)
{
	(void)a0, (void)a1;
	if (!vm_stop_vcpu(v)) /* the last: the VM is over */
		vm_poweroff(v->vm, 0);
	return RESCHEDULE;
}

static enum verdict call_ipi(struct vcpu *v, u64 mask, u64 line)
{
	if (line > DISCO_IRQ_IPI1 || mask >> v->vm->nvcpus)
		return result(v, -DISCO_EINVAL);
	for (u32 i = 0; i < v->vm->nvcpus; i++)
		if (mask & BIT(i))
			vcpu_post_irq(v->vm->vcpus[i], line);
	return result(v, 0);
}

static enum verdict call_ipi_clear(struct vcpu *v, u64 line, u64 a1)
{
	(void)a1;
	if (line > DISCO_IRQ_IPI1)
		return result(v, -DISCO_EINVAL);
	vcpu_clear_irq(v, line);
	return result(v, 0);
}

/*
 * The end of the slice. What is waited for may be another node's doing: let its processor run, too.
 */
static enum verdict give_way(struct vcpu *v)
{
	if (v->vm->node_mask != BIT(v->node->id))
		arch_yield();
	result(v, 0);
	return RESCHEDULE;
}

static enum verdict call_yield(struct vcpu *v, u64 a0, u64 a1)
{
	(void)a0, (void)a1;
	return give_way(v);
}

static enum verdict call_poweroff(struct vcpu *v, u64 code, u64 a1)
{
	(void)a1;
	vm_poweroff(v->vm, code);
	return RESCHEDULE;
}

static enum verdict call_reset(struct vcpu *v, u64 a0, u64 a1)
{
	(void)a0, (void)a1;
	vm_reset(v->vm);
	return RESCHEDULE;
}

static enum verdict call_vcpu_id(struct vcpu *v, u64 a0, u64 a1)
{
	(void)a0, (void)a1;
	return result(v, v->id);
}

static enum verdict call_stat(struct vcpu *v, u64 which, u64 a1)
{
	(void)a1;
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

static enum verdict call_mmu_setup(struct vcpu *v, u64 block, u64 a1)
{
	(void)a1;
	return result(v, mmu_call_setup(v, block));
}

static enum verdict call_mmu_switch(struct vcpu *v, u64 entryhi, u64 root)
{
	return result(v, mmu_call_switch(v, entryhi, root));
}

static enum verdict call_mmu_flush(struct vcpu *v, u64 va, u64 bytes)
{
	return result(v, mmu_call_flush(v, va, bytes, v->arch.gpr[REG_A2], v->arch.gpr[REG_A3]));
}

static enum verdict call_yield_to(struct vcpu *v, u64 id, u64 a1)
{
	(void)a1;
	if (id >= v->vm->nvcpus)
		return result(v, -DISCO_EINVAL);
	sched_prefer(v->vm->vcpus[id]);
	return give_way(v);
}

static const call_fn calls[DISCO_HC_COUNT_] = {
	[DISCO_HC_VERSION] = call_version,	     [DISCO_HC_CONSOLE_WRITE] = call_console_write,
	[DISCO_HC_CONSOLE_PUTC] = call_console_putc, [DISCO_HC_CONSOLE_GETC] = call_console_getc,
	[DISCO_HC_SET_TIMER] = call_set_timer,	     [DISCO_HC_VCPU_START] = call_vcpu_start,
	[DISCO_HC_VCPU_STOP] = call_vcpu_stop,	     [DISCO_HC_IPI] = call_ipi,
	[DISCO_HC_IPI_CLEAR] = call_ipi_clear,	     [DISCO_HC_YIELD] = call_yield,
	[DISCO_HC_POWEROFF] = call_poweroff,	     [DISCO_HC_RESET] = call_reset,
	[DISCO_HC_VCPU_ID] = call_vcpu_id,	     [DISCO_HC_STAT] = call_stat,
	[DISCO_HC_MMU_SETUP] = call_mmu_setup,	     [DISCO_HC_MMU_SWITCH] = call_mmu_switch,
	[DISCO_HC_MMU_FLUSH] = call_mmu_flush,	     [DISCO_HC_YIELD_TO] = call_yield_to,
};

enum verdict hypercall(struct vcpu *v)
{
	u64 number = v->arch.gpr[REG_V0];

	if (number >= DISCO_HC_COUNT_)
		return result(v, -DISCO_ENOSYS);
	return TEXT_HERE(calls[number])(v, v->arch.gpr[REG_A0], v->arch.gpr[REG_A1]);
}
