/* SPDX-License-Identifier: MIT */
/* Moves to and from CP0 that become branches (kernel/reloc/cp0move.h): which ones, and the way out of their trampolines. */
#include "arch/mips/mips.h"
#include "kernel/reloc/cp0move.h"
#include "kernel/vm/vm.h"

/* It is the monitor's to do what is left of it. */
static void finish(struct vcpu *v, u32 insn, enum move_state state)
{
	if (state == MOVE_HALF)
		emul_move(v, insn);
	else if (state == MOVE_STORED)
		emul_set_gpr(v, move_reg(insn), vcp0(v, Status) | STATUS_IE);
}

void patched_leave_move(struct vcpu *v, const struct patch_site *s, u32 word, u32 code)
{
	const struct tramp *t = &s->tramp;
	enum move_state state = move_leave(t, word, &v->arch.gpr[t->base]);
	bool traps = code == EXC_CPU; /* the instruction itself, which is carried out */

	if (state == MOVE_UNUSED)
		return;
	v->arch.pc = DISCO_CSSEG_BASE + s->place;
	v->arch.cause &= ~CAUSE_BD;
	if (state != MOVE_BEFORE && !traps) {
		finish(v, t->insn, state);
		patched_leave_done(v, s);
	} else if (traps && t->slot == TRAMP_MOVE_SLOT) {
		v->arch.cause |= CAUSE_BD;
		v->arch.badinstrp = t->branch;
	}
}

/* MFC0 or DMFC0 of a register that the special page has as that gives it: of Cause, whose lower half is written alone, only 32 bits. */
static bool is_shown(u32 insn)
{
	u32 cp0 = move_cp0(insn), dmfc0 = insn >> 21 & 31;

	if (!vcp0_shows(cp0 / 8, cp0 % 8))
		return false;
	return dmfc0 ? cp0 != VCP0_Cause : cp0 != VCP0_EntryLo0 && cp0 != VCP0_EntryLo1;
}

/* The register that the trampoline works with. False: there is none, now or for this place. */
static bool find_register(struct vcpu *v, u64 gpa, struct tramp *t)
{
	struct patch *p = v->vm->patch;
	enum move_kind kind = move_kind(t->insn);
	u32 source = kind == MOVE_SET ? 0 : move_reg(t->insn);

	if (!move_wants_register(kind))
		return true;
	t->base = (u8)move_look(&p->seen[gpa / 4 % PATCH_SEEN], (u32)gpa, v->arch.gpr, source);
	t->known = (s32)v->arch.gpr[t->base];
	return t->base;
}

/* The place is patched, and its register holds another number than it did. */
static void try_again(struct vcpu *v, const struct patch_site *s, struct tramp *t)
{
	if (!move_wants_register(move_kind(t->insn)) || s->tramp.insn != t->insn ||
	    s->tramp.slot != t->slot || v->arch.gpr[s->tramp.base] == (u64)(s64)s->tramp.known)
		return;
	if (find_register(v, s->place, t))
		patch_build_again(v->vm->patch, s, t);
}

static bool may_be_patched(struct vcpu *v, const struct patch_place *at, u64 gpa)
{
	u32 before;

	if (gpa & 3 || (at->slot && (!move_lets_slot(at->insn, at->branch) ||
				     (gpa & PAGE_MASK) == PAGE_SIZE - 4)))
		return false;
	return patched_look_before(v, gpa, &before) == NO_BRANCH;
}

void patched_try_move(struct vcpu *v, const struct patch_place *at)
{
	u64 gpa = at->pc - DISCO_CSSEG_BASE;
	enum move_kind kind = move_kind(at->insn);
	struct tramp t = { .insn = at->insn,
			   .branch = at->slot ? at->branch : at->insn,
			   .slot = at->slot ? TRAMP_MOVE_SLOT : TRAMP_MOVE,
			   .base = (u8)move_reg(at->insn),
			   .wide = vcp0(v, Status) & STATUS_WIDE };
	const struct patch_site *s;

	if (kind == MOVE_NONE || (kind == MOVE_READ && !is_shown(at->insn)) ||
	    gpa >= (u64)v->vm->pmap.npages << PAGE_SHIFT || *patched_refusal(v, gpa) == gpa)
		return;
	s = patch_at(v->vm->patch, gpa);
	if (s) {
		try_again(v, s, &t);
		return;
	}
	if (!may_be_patched(v, at, gpa)) {
		*patched_refusal(v, gpa) = (u32)gpa;
		return;
	}
	if (find_register(v, gpa, &t) && patched_copy_page(v, gpa >> PAGE_SHIFT))
		patch_add(v->vm->patch, (u32)gpa, &t);
}
