/* SPDX-License-Identifier: MIT */
/*
 * Delivering exceptions and interrupts to guests: what the processor does to CP0 when it takes one
 * (MD00091, chapter 6), done to the virtual CP0. Ends with pc at the guest's vector.
 */
#include "arch/mips/mips.h"
#include "kernel/log.h"
#include "kernel/vm/vm.h"

enum verdict inject_code(struct vcpu *v, u8 code)
{
	v->arch.inject = (struct injection){ .code = code };
	return INJECT;
}

enum verdict inject_badvaddr(struct vcpu *v, u8 code)
{
	v->arch.inject = (struct injection){ .code = code, .badvaddr = true };
	return INJECT;
}

/* Context, XContext and EntryHi of a TLB exception. */
static void set_tlb_registers(struct vcpu *v, u64 va)
{
	u64 vpn2 = va >> 13;

	vcp0(v, Context) = (vcp0(v, Context) & ~0x7ffffful) | (vpn2 & 0x7ffff) << 4;
	vcp0(v, XContext) = (vcp0(v, XContext) & ~0ul << 41) | va >> 62 << 39 |
			    (vpn2 & (BIT(SEGBITS - 13) - 1)) << 4;
	vcp0(v, EntryHi) = (vcp0(v, EntryHi) & (ENTRYHI_ASID | ENTRYHI_EHINV)) |
			   (va & ENTRYHI_VPN2);
}

/* Exceptions that leave BadInstr and BadInstrP as they were, whatever raised them (MD00091). */
#define LEAVE_BAD_INSTRUCTION (BIT(EXC_INT) | BIT(EXC_IBE) | BIT(EXC_DBE) | BIT(EXC_TLBXI))

/*
 * Whether the machine wrote its own two when it took the trap. For the fetch of an instruction it
 * did not: they are then of an earlier exception, which may have been another VM's.
 */
static bool has_bad_instruction(const struct vcpu_arch *a)
{
	u32 code = (a->cause & CAUSE_CODE) >> CAUSE_CODE_SHIFT;

	if ((BIT(code) | BIT(a->inject.code)) & LEAVE_BAD_INSTRUCTION)
		return false;
	return (code != EXC_TLBL && code != EXC_ADEL) ||
	       a->badvaddr != a->pc + (a->cause & CAUSE_BD ? 4 : 0);
}

static void set_bad_instruction(struct vcpu *v)
{
	const struct vcpu_arch *a = &v->arch;

	if (!has_bad_instruction(a))
		return;
	vcp0(v, BadInstr) = (u64)(s64)(s32)a->badinstr;
	if (a->cause & CAUSE_BD)
		vcp0(v, BadInstrP) = (u64)(s64)(s32)a->badinstrp;
}

/*
 * A guest without vectors, or one whose vector faults on its own first fetch, will not make another
 * step: say so instead of spinning in the monitor for it.
 */
static enum verdict hopeless(struct vcpu *v, u64 vector)
{
	u64 status = vcp0(v, Status);
	bool fetch = v->arch.inject.code == EXC_IBE ||
		     (v->arch.inject.badvaddr && v->arch.badvaddr == vector);

	if (status & STATUS_BEV)
		ksnprintf(v->arch.why, sizeof(v->arch.why),
			  "exception %u at %lx with Status.BEV set: no vectors",
			  v->arch.inject.code, v->arch.pc);
	else if ((status & STATUS_EXL) && fetch &&
		 (v->arch.pc == vector || rewrite_shown_pc(&v->vm->rewrite, v->arch.pc) == vector))
		ksnprintf(v->arch.why, sizeof(v->arch.why),
			  "exception %u fetching its own vector %lx", v->arch.inject.code, vector);
	else
		return RESUME;
	return KILL_VM;
}

enum verdict inject(struct vcpu *v)
{
	const struct injection *in = &v->arch.inject;
	/* the special page shows the lines, too */
	u64 status = vcp0(v, Status), cause = vcp0_cause(v);
	u64 base = vcp0(v, EBase) & ~0xffful;
	u32 offset = VEC_GENERAL;
	enum verdict verdict;

	if (in->code == EXC_INT) {
		devices_delivered(v->vm, (cause & status & STATUS_IM) >> CAUSE_IP_SHIFT);
		if (cause & CAUSE_IV)
			offset = VEC_INT;
	} else if (!(status & STATUS_EXL)) { /* as the machine: like EPC */
		set_bad_instruction(v);
	}
	if (in->refill && !(status & STATUS_EXL))
		offset = vcpu_wide(v, v->arch.badvaddr) ? VEC_XTLB : VEC_TLB;
	verdict = hopeless(v, base + offset);
	if (verdict != RESUME)
		return verdict;

	if (!(status & STATUS_EXL)) {
		bool bd = v->arch.cause & CAUSE_BD && in->code != EXC_INT;

		/* a kernel that was linked for KSEG0 and not moved finds its own addresses */
		vcp0(v, EPC) = rewrite_shown_pc(&v->vm->rewrite, v->arch.pc);
		cause = bd ? cause | CAUSE_BD : cause & ~(u64)CAUSE_BD;
	}
	if (in->badvaddr)
		vcp0(v, BadVAddr) = v->arch.badvaddr;
	if (in->tlb)
		set_tlb_registers(v, v->arch.badvaddr);
	cause = (cause & ~(u64)CAUSE_CODE) | (u64)in->code << CAUSE_CODE_SHIFT;
	if (in->code == EXC_CPU) /* else CE keeps what it was */
		cause = (cause & ~(u64)CAUSE_CE) | (u64)in->ce << CAUSE_CE_SHIFT;
	vcp0(v, Cause) = (u64)(s64)(s32)cause;
	vcp0(v, Status) = status | STATUS_EXL;
	v->arch.pc = base + offset;
	if (v->vm->rewrite.on)
		native_enter(v);
	v->stats.injected++;
	return RESUME;
}

bool inject_interrupt(struct vcpu *v)
{
	u64 status = vcp0(v, Status);

	if ((status & (STATUS_IE | STATUS_EXL | STATUS_ERL)) != STATUS_IE || !vcp0_interrupts(v))
		return false;
	mmu_install_fresh(v); /* what the interrupt tells of, maybe */
	inject_code(v, EXC_INT);
	return true;
}
