/* SPDX-License-Identifier: MIT */
/*
 * Patched places (kernel/reloc/patch.h) and the processor: what csseg shows of their pages, the way out of a
 * trampoline at each entry to the monitor, and which accesses become one.
 */
#include <string.h>
#include "arch/mips/access.h"
#include "arch/mips/branch.h"
#include "arch/mips/cp0.h"
#include "arch/mips/mips.h"
#include "kernel/mem/l2tlb.h"
#include "kernel/mem/pmap.h"
#include "kernel/reloc/call.h"
#include "kernel/reloc/jump.h"
#include "kernel/reloc/pair.h"
#include "kernel/vm/vm.h"

/*
 * The page's translations on this node, where the VM's only VCPU is. That of csseg may be to the copy, of which the
 * pmap's reverse map knows nothing. To whatever machine page the others are: the page may be on its way elsewhere just now, and
 * then no view has it, though the L2TLB still does.
 */
static void forget(struct vcpu *v, u64 gpn)
{
	struct mmu_drop d = { .vm = v->vm, .page = { { gpn } }, .n = 1 };

	memset(&d.machine, 0xff, sizeof(d.machine));
	mmu_drop_pages(v->node, &d);
	l2tlb_drop(v->arch.l2tlb, (DISCO_CSSEG_BASE + (gpn << PAGE_SHIFT)) & ENTRYHI_VPN2);
	mmu_flush_node();
}

bool patched_shows(const struct vcpu *v, u64 va, u64 gpn)
{
	const struct patch *p = v->vm->patch;

	return p && va - DISCO_CSSEG_BASE < DISCO_CSSEG_WINDOW && patch_page(p, gpn);
}

u64 patched_entry(const struct vcpu *v, gpn_t gpn)
{
	const u8 *page = patch_page(v->vm->patch, gpn.v);

	return arch_readonly_entry(arch_page_entry(maddr_mpn(ptr_maddr(page)))) | ENTRYLO_RI;
}

void patched_written(struct vcpu *v, u64 gpn, bool for_ever)
{
	struct patch *p = v->vm->patch;

	if (p && patch_drop(p, gpn, for_ever))
		forget(v, gpn);
}

void patched_cleaned(struct vcpu *v, u64 va)
{
	u64 gpa;

	if (v->vm->patch && (native_address(v, va, &gpa) || mmu_window(v, va, &gpa)))
		patched_written(v, gpa >> PAGE_SHIFT, false);
}

/* ---- the way out ---- */

static bool is_memory_error(u32 code)
{
	return BIT(code) & (BIT(EXC_MOD) | BIT(EXC_TLBL) | BIT(EXC_TLBS) | BIT(EXC_ADEL) |
			    BIT(EXC_ADES) | BIT(EXC_TLBRI));
}

/* The window shows the VM's memory there: the access only misses. */
static bool misses(const struct vcpu *v)
{
	u64 gpa;

	return mmu_window(v, v->arch.badvaddr, &gpa) && gpa >> PAGE_SHIFT < v->vm->pmap.npages;
}

void patched_leave_done(struct vcpu *v, const struct patch_site *s)
{
	if (tramp_is_delay(s->tramp.slot)) {
		v->arch.cause |= CAUSE_BD;
		v->arch.badinstrp = s->tramp.branch;
		emul_advance(v); /* of a branch, which form_of knows */
	} else {
		v->arch.pc += s->tramp.slot && s->tramp.slot != TRAMP_MOVE ? 8 : 4;
	}
}

static bool leave_jump(const struct tramp *t, u64 place, u32 word, u64 gpr[32], u64 *pc)
{
	return tramp_is_call(t->slot) ? call_leave(t, place, word, gpr, pc)
				      : jump_leave(t, place, word, gpr, pc);
}

u32 patched_leave(struct vcpu *v, u32 code)
{
	const struct patch_site *s;
	struct tramp_state state;
	u32 word;

	v->vm->patch->misses = false;
	if (!vcpu_kernel_mode(v)) /* a program's jump there is an address error of its own */
		return code;
	s = patch_find(v->vm->patch, v->arch.pc - DISCO_CSSEG_BASE, &word);
	if (!s)
		return code;
	if (tramp_is_move(s->tramp.slot)) {
		patched_leave_move(v, s, word, code);
		return code;
	}
	if (tramp_is_call(s->tramp.slot) || tramp_is_jump(s->tramp.slot)) {
		if (leave_jump(&s->tramp, DISCO_CSSEG_BASE + s->place, word, v->arch.gpr,
			       &v->arch.pc))
			v->arch.cause &= ~CAUSE_BD;
		return code;
	}
	state = tramp_leave(&s->tramp, word, &v->arch.gpr[s->tramp.base]);
	if (!state.valid)
		return code;
	v->arch.pc = DISCO_CSSEG_BASE + s->place;
	v->arch.cause &= ~CAUSE_BD;
	if (state.done)
		patched_leave_done(v, s);
	if (!state.access)
		return code;
	v->arch.badinstr = s->tramp.insn;
	if (s->tramp.slot) {
		v->arch.cause |= CAUSE_BD;
		v->arch.badinstrp = s->tramp.branch;
	}
	if (state.direct || !is_memory_error(code))
		return code;
	v->vm->patch->misses = code != EXC_ADEL && code != EXC_ADES && misses(v);
	if (v->vm->patch->misses)
		return code;
	/* As if the place had not been patched. */
	v->arch.badvaddr = v->arch.gpr[s->tramp.base] + (u64)tramp_offset(&s->tramp);
	if (s->tramp.linked) /* its SC would not find where it was linked */
		patched_written(v, s->place >> PAGE_SHIFT, false);
	code = code == EXC_ADES || code == EXC_TLBS || code == EXC_MOD ? EXC_ADES : EXC_ADEL;
	v->arch.cause = (v->arch.cause & ~(u32)CAUSE_CODE) | code << CAUSE_CODE_SHIFT;
	return code;
}

/* ---- what becomes one ---- */

enum before patched_look_before(struct vcpu *v, u64 gpa, u32 *word)
{
	struct branch b;

	if (!(gpa & PAGE_MASK) || vm_copy_in(v->vm, word, (gpa_t){ gpa - 4 }, 4))
		return MAYBE;
	if ((*word >> 26 == 0x36 || *word >> 26 == 0x3e) && !(*word >> 21 & 31))
		return NO_BRANCH; /* JIC, JIALC */
	return branch_decode(*word, 0, v->arch.gpr, &b) ? NO_BRANCH : A_BRANCH;
}

/* The page as the guest stored it; NULL: it has no memory. */
static const u32 *code_page(struct vcpu *v, u64 gpn)
{
	u64 lo = 0;

	if (gpn < v->vm->pmap.npages)
		lo = pmap_look(v->vm, (gpn_t){ gpn }, v->node->id);
	return lo ? mpn_ptr(arch_entry_page(lo)) : NULL;
}

bool patched_copy_page(struct vcpu *v, u64 gpn)
{
	u8 *page = patch_page(v->vm->patch, gpn);

	if (page)
		return true;
	page = patch_copy_page(v->vm->patch, gpn);
	if (!page)
		return false;
	if (vm_copy_in(v->vm, page, (gpa_t){ gpn << PAGE_SHIFT }, PAGE_SIZE)) {
		patch_drop(v->vm->patch, gpn, false);
		return false;
	}
	forget(v, gpn);
	return true;
}

/* The branch and the access in its slot, at gpa. */
static enum patch_why try_slot(struct vcpu *v, u64 gpa, struct tramp t, u32 branch, u32 loads,
			       u32 stores)
{
	u32 word;

	if (!tramp_slot_of(branch, t.base, loads, stores, &t.slot) ||
	    (gpa & PAGE_MASK) == PAGE_SIZE - 4 || patched_look_before(v, gpa, &word) != NO_BRANCH)
		return PATCH_SLOT;
	t.branch = branch;
	return patched_copy_page(v, gpa >> PAGE_SHIFT) ? patch_add(v->vm->patch, gpa, &t)
						       : PATCH_FULL;
}

/*
 * A place behind a branch that was reached by another way. It may be patched where the branch is, since then nothing
 * comes to its slot from there.
 */
static enum patch_why try_both(struct vcpu *v, u64 gpa, const struct tramp *t, u32 branch,
			       u32 loads, u32 stores)
{
	enum patch_why why = PATCH_AGAIN;

	if (!patch_is_patched(v->vm->patch, gpa - 4))
		why = try_slot(v, gpa - 4, *t, branch, loads, stores);
	if (why != PATCH_NOW && !patch_is_patched(v->vm->patch, gpa - 4))
		return why;
	return patch_add(v->vm->patch, gpa, t);
}

/* The cache attribute of XKPHYS that goes with an address. */
static u8 attribute_of(const struct vcpu *v, u64 va)
{
	return va >> 62 == 2 ? va >> 59 & 7 : vcp0(v, Config) & 7;
}

static bool is_of_lui(struct vcpu *v, u64 gpa, u32 base)
{
	const u32 *page = code_page(v, gpa >> PAGE_SHIFT);

	return page && tramp_is_of_lui(page, (gpa & PAGE_MASK) / 4, base);
}

static enum patch_why try(struct vcpu *v, const struct patch_place *at, const struct access *a,
			  bool integer)
{
	u64 gpa = at->pc - DISCO_CSSEG_BASE;
	struct tramp t = { .insn = at->insn,
			   .base = a->base,
			   .reload = integer && !a->store && a->reg == a->base,
			   .linked = pair_is_ll(at->insn),
			   .attribute = attribute_of(v, at->va),
			   .kseg0 = is_of_lui(v, gpa, a->base) };
	u32 reg = integer ? a->reg : 0, loads = a->store ? 0 : reg, stores = a->store ? reg : 0;
	u32 before;

	if (!a->base || stores == a->base || (t.linked && t.reload))
		return PATCH_BASE;
	if (gpa >= (u64)v->vm->pmap.npages << PAGE_SHIFT)
		return PATCH_SLOT;
	if (at->slot)
		return try_slot(v, gpa, t, at->branch, loads, stores);
	switch (patched_look_before(v, gpa, &before)) {
	case A_BRANCH: return try_both(v, gpa, &t, before, loads, stores);
	case MAYBE: return PATCH_SLOT;
	default: break;
	}
	return patched_copy_page(v, gpa >> PAGE_SHIFT) ? patch_add(v->vm->patch, gpa, &t)
						       : PATCH_FULL;
}

/* The jump that the program comes to from there. */
static void note_jump(struct vcpu *v, u64 gpa)
{
	const u32 *page = code_page(v, gpa >> PAGE_SHIFT);
	u32 word = page ? jump_behind(page, (gpa & PAGE_MASK) / 4) : 0;

	if (word && patch_page(v->vm->patch, gpa >> PAGE_SHIFT))
		patch_note_jump(v->vm->patch, (gpa & ~PAGE_MASK) + word * 4,
				(u8)jump_target(page[word]));
}

void patched_try(struct vcpu *v, const struct patch_place *at, const struct access *a, bool integer)
{
	enum patch_why why;

	if (!v->vm->patch)
		return;
	why = try(v, at, a, integer);
	v->vm->patch->why[why]++;
	if (why == PATCH_NOW)
		note_jump(v, at->pc - DISCO_CSSEG_BASE);
}

/* ---- calls ---- */

u32 *patched_refusal(const struct vcpu *v, u64 gpa)
{
	return &v->vm->patch->refused[gpa / 4 % PATCH_REFUSED];
}

/* The words of what may be a call to `from` that has its link `length` bytes behind it; false: it is none. */
static bool read_call(struct vcpu *v, u64 from, u64 gpa, u32 length, u32 words[2])
{
	if (gpa >= (u64)v->vm->pmap.npages << PAGE_SHIFT || (gpa & 3) ||
	    (gpa & PAGE_MASK) > PAGE_SIZE - length || *patched_refusal(v, gpa) == gpa ||
	    vm_copy_in(v->vm, words, (gpa_t){ gpa }, length))
		return false;
	return call_target(words[0]) && v->arch.gpr[call_target(words[0])] == from;
}

/* The call that left its link, if it may be patched. */
static void try_call(struct vcpu *v, u64 from)
{
	static const u32 lengths[] = { 8, 4 }; /* JALR and its slot; JIALC */

	for (u32 i = 0; i < ARRAY_SIZE(lengths); i++) {
		u64 gpa = v->arch.gpr[31] - lengths[i] - DISCO_CSSEG_BASE;
		u32 words[2] = { 0 }, before;
		struct tramp t;

		if (!read_call(v, from, gpa, lengths[i], words))
			continue;
		if (!call_make(words[0], words[1], &t) ||
		    (t.slot == TRAMP_CALL_COMPACT) != (lengths[i] == 4) ||
		    patched_look_before(v, gpa, &before) != NO_BRANCH ||
		    (patched_copy_page(v, gpa >> PAGE_SHIFT) &&
		     patch_add(v->vm->patch, gpa, &t) != PATCH_NOW))
			*patched_refusal(v, gpa) =
				gpa; /* a page without a copy may have one later */
	}
}

/* A noted jump that leads to `from` is none any more: it is patched, or stays as it is. */
static void try_jump(struct vcpu *v, u64 from)
{
	struct patch *p = v->vm->patch;

	for (u32 i = 0; i < p->njumps;) {
		u64 gpa = p->jump[i];
		const u32 *word;
		struct tramp t;
		u32 before;

		if (v->arch.gpr[p->jump_reg[i]] != from) {
			i++;
			continue;
		}
		word = (const u32 *)(patch_page(p, gpa >> PAGE_SHIFT) + (gpa & PAGE_MASK));
		patch_forget_jump(p, i);
		if (jump_make(word[0], word[1], &t) &&
		    patched_look_before(v, gpa, &before) == NO_BRANCH)
			patch_add(p, gpa, &t);
	}
}

void patched_try_branch(struct vcpu *v, u64 from)
{
	if (!v->vm->patch || from - NATIVE_KSEG0 >= DISCO_CSSEG_WINDOW)
		return;
	try_call(v, from);
	try_jump(v, from);
}

/* ---- LL and SC ---- */

static u64 word_of(const struct patch_place *at)
{
	return at->pc - DISCO_CSSEG_BASE + (at->slot ? 4 : 0);
}

/* An LL that is no part of a pair is not looked at each time. */
static bool find_pair(struct vcpu *v, u64 gpa, struct pair *pair)
{
	u32 *refused = &v->vm->patch->refused[gpa / 4 % PATCH_REFUSED];
	u64 gpn = gpa >> PAGE_SHIFT;
	struct reading r = reading_begin(v->node);
	const u32 *code[3] = { code_page(v, gpn - 1), code_page(v, gpn), code_page(v, gpn + 1) };

	if (!code[1] || *refused == gpa || !reading_holds(v->node, r)) /* one of them moved */
		return false;
	if (pair_find(code, gpn, (gpa & PAGE_MASK) / 4, pair))
		return true;
	*refused = gpa;
	return false;
}

static enum patch_why add_sc(struct vcpu *v, u64 gpa, u8 attribute)
{
	const struct patch_site *s = patch_at(v->vm->patch, gpa);
	struct tramp t = { .linked = true, .attribute = attribute };

	if (s)
		return s->tramp.attribute == attribute ? PATCH_NOW : PATCH_AGAIN;
	if (vm_copy_in(v->vm, &t.insn, (gpa_t){ gpa }, 4))
		return PATCH_FULL;
	t.base = t.insn >> 21 & 31;
	return patch_add(v->vm->patch, gpa, &t);
}

/* The LL with all its SCs, or nothing of them: then what was done is undone with their page. */
static enum patch_why add_pair(struct vcpu *v, const struct patch_place *ll, const struct access *a,
			       const struct pair *pair)
{
	u64 page = word_of(ll) & ~PAGE_MASK;
	enum patch_why why = try(v, ll, a, true);

	for (u32 i = 0; why == PATCH_NOW && i < pair->nscs; i++) {
		why = add_sc(v, page + pair->sc[i] * 4, attribute_of(v, ll->va));
		if (why != PATCH_NOW)
			patched_written(v, page >> PAGE_SHIFT, false);
	}
	return why;
}

static bool any_patched(const struct vcpu *v, u64 page, const struct pair *pair)
{
	for (u32 i = 0; i < pair->nscs; i++)
		if (patch_is_patched(v->vm->patch, page + pair->sc[i] * 4))
			return true;
	return false;
}

static bool is_among(u64 gpa, u64 page, const struct pair *pair)
{
	for (u32 i = 0; i < pair->nscs; i++)
		if (gpa == page + pair->sc[i] * 4)
			return true;
	return false;
}

static enum patch_why try_sc(struct vcpu *v, u64 gpa)
{
	const struct patch_place ll = v->vm->patch->ll;
	struct access a = { .base = ll.insn >> 21 & 31, .reg = ll.insn >> 16 & 31 };
	struct pair pair;

	if (!ll.pc || !find_pair(v, word_of(&ll), &pair) ||
	    !is_among(gpa, word_of(&ll) & ~PAGE_MASK, &pair))
		return PATCH_LINKED;
	return add_pair(v, &ll, &a, &pair);
}

/* One with an SC that is patched already, and would fail. */
static enum patch_why try_ll(struct vcpu *v, const struct patch_place *at, const struct access *a)
{
	struct pair pair;

	if (!patched_is_copied(v, word_of(at) >> PAGE_SHIFT) || !find_pair(v, word_of(at), &pair) ||
	    !any_patched(v, word_of(at) & ~PAGE_MASK, &pair))
		return PATCH_LINKED;
	return add_pair(v, at, a, &pair);
}

static void no_more_pairs(struct vcpu *v)
{
	u32 from = 0;
	u64 gpn;

	v->vm->patch->no_pairs = true;
	while (patch_next_linked(v->vm->patch, &from, &gpn))
		patched_written(v, gpn, true);
}

/* An LL again and again, as if its SC failed. */
static bool is_alone(struct patch *p, const struct patch_place *ll)
{
	u32 now = cp0_read32(CP0_COUNT);

	if (p->ll.pc != ll->pc || now - p->alone_since > PATCH_ALONE_TICKS)
		p->alone = 0;
	if (!p->alone++)
		p->alone_since = now;
	return p->alone == PATCH_ALONE;
}

static enum patch_why try_linked(struct vcpu *v, const struct patch_place *at,
				 const struct access *a)
{
	struct patch *p = v->vm->patch;

	if (a->store) {
		p->alone = 0;
		return p->no_pairs ? PATCH_LINKED : try_sc(v, word_of(at));
	}
	if (!p->no_pairs && is_alone(p, at))
		no_more_pairs(v);
	p->ll = *at;
	return p->no_pairs ? PATCH_LINKED : try_ll(v, at, a);
}

void patched_try_linked(struct vcpu *v, const struct patch_place *at, const struct access *a)
{
	if (v->vm->patch)
		v->vm->patch->why[try_linked(v, at, a)]++;
}

void patched_stays(struct vcpu *v, enum patch_why why)
{
	if (v->vm->patch)
		v->vm->patch->why[why]++;
}
