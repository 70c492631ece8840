/* SPDX-License-Identifier: MIT */
/*
 * Every entry to the monitor: ExcCode -> handler -> verdict, and back into a guest. The handlers
 * are elsewhere; this file is the way through.
 */
#include "arch/mips/cp0.h"
#include "arch/mips/mips.h"
#include "kernel/lock.h"
#include "kernel/panic.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/vm.h"

typedef enum verdict (*trap_fn)(struct vcpu *v, u32 code);

/* The guest's own business. */
static enum verdict trap_reflect(struct vcpu *v, u32 code) { return inject_code(v, code); }

/*
 * QEMU sets BadVAddr of a misaligned fetch when it translates the code there, not when it runs the
 * translation again.
 */
static enum verdict trap_address(struct vcpu *v, u32 code)
{
	enum verdict verdict;

	if (v->vm->rewrite.on && native_resolve(v, &verdict))
		return verdict;
	if (v->arch.pc & 3)
		v->arch.badvaddr = v->arch.pc;
	return inject_badvaddr(v, code);
}

static enum verdict trap_interrupt(struct vcpu *v, u32 code)
{
	(void)code;
	v->stats.interrupts++;
	irq_handle(v->node, v->arch.cause);
	return RESUME;
}

static enum verdict trap_reserved(struct vcpu *v, u32 code)
{
	(void)code;
	return emul_reserved(v);
}

/* CU0 of the machine is never set, CU1 only while the VCPU's FPU registers are loaded. */
static enum verdict trap_coprocessor(struct vcpu *v, u32 code)
{
	u32 ce = v->arch.cause >> CAUSE_CE_SHIFT & 3;

	if (ce == 0 && vcpu_kernel_mode(v)) /* Release 6: CU0 does not open CP0 to user mode */
		return emul_coprocessor0(v);
	if (ce == 1 && (vcp0(v, Status) & STATUS_CU1)) {
		fpu_acquire(v);
		return RESUME;
	}
	v->arch.inject = (struct injection){ .code = code, .ce = ce };
	return INJECT;
}

static enum verdict trap_fatal(struct vcpu *v, u32 code)
{
	panic("machine exception %u while VCPU %s/%u ran at %lx", code, v->vm->name, v->id,
	      v->arch.pc);
}

/* The rest is reflected. */
static const trap_fn traps[EXC_CODES] = {
	[EXC_INT] = trap_interrupt,   [EXC_MOD] = mmu_fault,	 [EXC_TLBL] = mmu_fault,
	[EXC_TLBS] = mmu_fault,	      [EXC_TLBRI] = mmu_fault,	 [EXC_TLBXI] = mmu_fault,
	[EXC_ADEL] = trap_address,    [EXC_ADES] = trap_address, [EXC_RI] = trap_reserved,
	[EXC_CPU] = trap_coprocessor, [EXC_MCHECK] = trap_fatal,
};

/* The machine's Status for guest entry: the guest's own word never reaches the register. */
static void set_status(struct vcpu *v)
{
	u64 guest = vcp0(v, Status);
	u64 status = STATUS_WIDE | STATUS_FR | STATUS_EXL | STATUS_IE | MACHINE_IM;

	if (vcpu_kernel_mode(v))
		status |= STATUS_KSU_S;
	else
		status = (status & (guest | ~(u64)STATUS_UX)) | STATUS_KSU_U;
	if ((guest & STATUS_CU1) && v->node->cpu.fpu_owner == v)
		status |= STATUS_CU1;
	v->arch.status = status;
}

/*
 * An ERET to an odd address puts QEMU's processor into a MIPS16 mode that it does not have, and its
 * translator aborts the whole machine. So the address error that the fetch would raise is raised
 * here; the refill handler leaves odd addresses to us, too.
 */
static bool inject_odd_pc(struct vcpu *v)
{
	if (!(v->arch.pc & 1))
		return false;
	v->arch.cause = EXC_ADEL << CAUSE_CODE_SHIFT; /* BD = 0; inject.c asks for the code */
	v->arch.badvaddr = v->arch.pc;
	inject_badvaddr(v, EXC_ADEL);
	return true;
}

/* What fast.S has done since the last entry. */
static void count_fast(struct vcpu *v)
{
	u32 returns = v->arch.cp0->returns;

	if (returns)
		v->stats.exits[EXC_CPU] += returns - 1;
	if (v->arch.switches > 1) {
		u32 switches = v->arch.switches - 1;

		v->stats.exits[EXC_CPU] += switches;
		v->stats.privileged += switches;
		v->stats.hypercalls += switches;
		v->stats.calls[DISCO_HC_MMU_SWITCH] += switches;
		v->arch.switches = 1;
	}
}

/*
 * Says in the special page whether an interrupt waits, and whether fast.S may return to user mode
 * by itself: not then, and not if the guest has 64-bit addressing off.
 */
static void permit_returns(struct vcpu *v)
{
	struct vcp0 *page = v->arch.cp0;
	u64 cause = vcp0_cause(v);

	if (v->vm->patch) /* whose kernel reads it there in place of MFC0; to others the page shows what was delivered */
		vcp0(v, Cause) = cause;
	page->pending = (cause & vcp0(v, Status) & STATUS_IM) != 0;
	page->returns = !page->pending && (vcp0(v, Status) & STATUS_UX);
}

_Noreturn void arch_run(struct vcpu *v)
{
	if ((inject_odd_pc(v) || inject_interrupt(v)) && inject(v) == KILL_VM) {
		vm_kill(v->vm, v->arch.why);
		sched_switch(v->node);
	}
	permit_returns(v);
	if (!vcpu_kernel_mode(v)) /* a store to the special page counts from here on */
		cp0_write64(CP0_USERLOCAL, vcp0(v, UserLocal));
	set_status(v);
	lock_assert_none(v->node);
	guest_enter(v);
}

_Noreturn void trap_from_guest(struct vcpu *v);
_Noreturn void trap_from_guest(struct vcpu *v)
{
	u32 code = (v->arch.cause & CAUSE_CODE) >> CAUSE_CODE_SHIFT;
	enum verdict verdict;

	if (v->vm->patch)
		code = patched_leave(v, code);
	count_fast(v);
	v->stats.exits[code]++;
	verdict = traps[code] ? TEXT_HERE(traps[code])(v, code) : trap_reflect(v, code);
	if (verdict == INJECT)
		verdict = inject(v);
	if (verdict == KILL_VM)
		vm_kill(v->vm, v->arch.why);
	if (verdict == RESUME && !v->node->need_resched)
		arch_run(v);
	sched_switch(v->node);
}
