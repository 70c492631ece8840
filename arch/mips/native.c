/* SPDX-License-Identifier: MIT */
/*
 * Address errors of kernels that were linked for KSEG0 (kernel/reloc/reloc.h): fetches, loads and stores in the
 * unmapped segments, and loads and stores in the kernel's mapped ones, which their supervisor mode does not reach. All
 * is decided before anything changes.
 */
#include "arch/mips/access.h"
#include "arch/mips/cp0.h"
#include "arch/mips/mips.h"
#include "kernel/vm/vm.h"

#define XKPHYS_REGION 2			   /* bits 63..62 */
#define XKPHYS_ZERO   0x07ff000000000000ul /* between the cache attribute and 48 bits of address */

/* The "physical" address behind one of the unmapped segments. */
static bool is_direct(const struct vcpu *v, u64 va, u64 *gpa)
{
	*gpa = window_of_direct(va);
	if (*gpa == NO_WINDOW) {
		if (va >> 62 != XKPHYS_REGION || (va & XKPHYS_ZERO) ||
		    !(vcp0(v, Status) & STATUS_KX))
			return false;
		*gpa = va & (BIT(SEGBITS) - 1);
	}
	*gpa = window_unalias(*gpa);
	return true;
}

/* xkseg and kseg3, which go through the guest's TLB. */
static bool is_mapped(const struct vcpu *v, u64 va)
{
	if (va >= NATIVE_KSEG3)
		return true;
	return va >= NATIVE_XKSEG && va < NATIVE_XKSEG + BIT(SEGBITS) &&
	       (vcp0(v, Status) & STATUS_KX);
}

/* The "physical" address behind one of these; false: *verdict is the exception that the guest's TLB asks for. */
static bool translate(struct vcpu *v, const struct miss *m, u64 *gpa, enum verdict *verdict)
{
	struct vtlb_entry *e = vtlb_find(v, m->va, vcp0(v, EntryHi) & ENTRYHI_ASID);
	u64 half, lo;
	u32 denied;

	if (!e) {
		*verdict = inject_tlb(v, m->write ? EXC_TLBS : EXC_TLBL, true);
		return false;
	}
	half = (e->mask + 0x2000) >> 1;
	lo = e->lo[!!(m->va & half)];
	denied = mmu_denied(v, lo, m);
	if (denied) {
		*verdict = inject_tlb(v, denied, false);
		return false;
	}
	*gpa = (((lo & ENTRYLO_PFN) >> ENTRYLO_PFN_SHIFT << PAGE_SHIFT) & ~(half - 1)) |
	       (m->va & (half - 1));
	*gpa = window_unalias(*gpa);
	return true;
}

bool native_address(const struct vcpu *v, u64 va, u64 *gpa) { return is_direct(v, va, gpa); }

static bool is_memory(const struct vcpu *v, u64 gpa, u32 bytes)
{
	u64 end = (u64)v->vm->pmap.npages << PAGE_SHIFT;

	return gpa < end && bytes <= end - gpa;
}

void native_enter(struct vcpu *v)
{
	u64 gpa;

	if (vcpu_kernel_mode(v) && !(v->arch.pc & 3) && is_direct(v, v->arch.pc, &gpa) &&
	    gpa < DISCO_CSSEG_WINDOW)
		v->arch.pc = DISCO_CSSEG_BASE + gpa;
}

static enum verdict resolve_fetch(struct vcpu *v, u64 gpa)
{
	u64 from = v->arch.pc;

	if (gpa >= DISCO_CSSEG_WINDOW)
		return inject_code(v, EXC_IBE);
	v->stats.rewrite.fetches++;
	v->arch.pc = DISCO_CSSEG_BASE + gpa;
	patched_try_branch(v, from);
	return RESUME;
}

/* ---- what access.c does not know: LL, SC and the FPU's ---- */

enum unit { INTEGER, FPU, LINKED };

static bool decode_fpu(u32 w, struct access *a)
{
	u32 op = w >> 26; /* LWC1 0x31, LDC1 0x35, SWC1 0x39, SDC1 0x3d */

	if ((op & 0x33) != 0x31)
		return false;
	*a = (struct access){ .base = w >> 21 & 31,
			      .offset = (s16)w,
			      .reg = w >> 16 & 31,
			      .bytes = op & 4 ? 8 : 4,
			      .store = op & 8 };
	return true;
}

static bool decode_linked(u32 w, struct access *a)
{
	u32 funct = w & 0x3f; /* SC 0x26, SCD 0x27, LL 0x36, LLD 0x37; bit 6: pairs of words */

	if (w >> 26 != 0x1f || (funct & 0x2e) != 0x26 || (w & 0x40))
		return false;
	*a = (struct access){ .base = w >> 21 & 31,
			      .offset = (s16)(w & 0xff80) >> 7,
			      .reg = w >> 16 & 31,
			      .bytes = funct & 1 ? 8 : 4,
			      .store = !(funct & 0x10),
			      .sign = true };
	return true;
}

static bool decode(u32 w, struct access *a, enum unit *unit)
{
	if (!access_decode(w, a))
		*unit = INTEGER;
	else if (decode_fpu(w, a))
		*unit = FPU;
	else if (decode_linked(w, a))
		*unit = LINKED;
	else
		return false;
	return true;
}

/* ---- LL and SC ---- */

/* The SC of an LL that nothing has broken, or it had not trapped: the word is what was loaded, or it fails. */
static bool store_conditional(struct vcpu *v, u64 gpa, const struct access *a, u64 value)
{
	gpn_t gpn = gpa_gpn((gpa_t){ gpa });
	u64 lo = pmap_use_to_write(v->vm, gpn, v->node->id), was = v->arch.ll_value;
	u32 was32 = was;
	u8 *at;

	if (!lo)
		return false;
	at = (u8 *)mpn_ptr(arch_entry_page(lo)) + (gpa & PAGE_MASK);
	if (a->bytes == 8)
		return __atomic_compare_exchange_n((u64 *)at, &was, value, false, __ATOMIC_SEQ_CST,
						   __ATOMIC_RELAXED);
	return __atomic_compare_exchange_n((u32 *)at, &was32, (u32)value, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_RELAXED);
}

/* As ll_at, of an address that the monitor does not reach: it is mapped for that. */
static void link(struct vcpu *v, u64 va, u64 gpa)
{
	u64 lo;

	if (!is_mapped(v, va)) {
		ll_at(va);
		return;
	}
	lo = pmap_look(v->vm, gpa_gpn((gpa_t){ gpa }), v->node->id);
	if (!lo)
		return; /* the SC fails, and both come again */
	tlb_write((va & ENTRYHI_VPN2) | v->arch.asid, lo, lo, 0);
	ll_at(va);
	tlb_drop((va & ENTRYHI_VPN2) | v->arch.asid);
	cp0_write64(CP0_ENTRYHI, v->arch.asid);
}

/* ---- loads and stores ---- */

static enum verdict do_load(struct vcpu *v, u64 va, u64 gpa, const struct access *a, enum unit unit)
{
	u64 raw = 0;
	enum verdict verdict;

	if (vm_copy_in(v->vm, &raw, (gpa_t){ gpa }, a->bytes))
		return inject_code(v, EXC_DBE);
	verdict = emul_advance(v);
	if (verdict != RESUME)
		return verdict;
	if (unit == FPU) {
		u64 upper = a->bytes == 4 ? fpu_register(v, a->reg) & ~0xfffffffful : 0;

		fpu_set_register(v, a->reg, upper | raw);
		return RESUME;
	}
	emul_set_gpr(v, a->reg, access_loaded(a, raw));
	if (unit == LINKED) {
		v->arch.ll_value = raw;
		link(v, va, gpa);
	}
	return RESUME;
}

static enum verdict do_store(struct vcpu *v, u64 gpa, const struct access *a, enum unit unit)
{
	u64 value = unit == FPU ? fpu_register(v, a->reg) : v->arch.gpr[a->reg];
	enum verdict verdict;

	if (unit != LINKED && vm_copy_out(v->vm, (gpa_t){ gpa }, &value, a->bytes))
		return inject_code(v, EXC_DBE);
	verdict = emul_advance(v);
	if (verdict == RESUME && unit == LINKED)
		emul_set_gpr(v, a->reg, store_conditional(v, gpa, a, value));
	patched_written(v, gpa >> PAGE_SHIFT, false);
	patched_written(v, (gpa + a->bytes - 1) >> PAGE_SHIFT, false);
	return verdict;
}

/* False: an address error it is. */
static bool resolve_access(struct vcpu *v, u64 va, enum verdict *verdict)
{
	const struct patch_place place = { .pc = v->arch.pc,
					   .va = va,
					   .insn = v->arch.badinstr,
					   .branch = v->arch.badinstrp,
					   .slot = v->arch.cause & CAUSE_BD };
	bool direct = false;
	struct access a;
	enum unit unit;
	u64 gpa;

	if (!decode(place.insn, &a, &unit) || v->arch.gpr[a.base] + (u64)(s64)a.offset != va)
		return false;
	if (unit == LINKED && (va & (a.bytes - 1)))
		return false;
	if (is_mapped(v, va)) {
		const struct miss m = { .va = va, .write = a.store };

		if (!translate(v, &m, &gpa, verdict))
			return true;
		if (a.bytes > PAGE_SIZE - (va & PAGE_MASK)) /* of two pages */
			return false;
	} else if (!is_direct(v, va, &gpa)) {
		return false;
	} else if (unit == LINKED && (va & (DISCO_CSSEG_WINDOW - 1)) != gpa) {
		return false; /* where ll_at finds RAM */
	} else {
		direct = true;
	}
	if (!is_memory(v, gpa, a.bytes)) {
		*verdict = emul_access(v, va, gpa, a.store);
		return true;
	}
	v->stats.rewrite.emulated++;
	if (a.store)
		*verdict = do_store(v, gpa, &a, unit);
	else
		*verdict = do_load(v, va, gpa, &a, unit);
	if (!direct)
		patched_stays(v, PATCH_MAPPED);
	else if (*verdict == RESUME && unit == LINKED)
		patched_try_linked(v, &place, &a);
	else if (*verdict == RESUME)
		patched_try(v, &place, &a, unit == INTEGER);
	return true;
}

enum verdict native_hidden(struct vcpu *v, u64 va, u64 gpa, bool store)
{
	struct access a;
	enum unit unit;

	if (!is_memory(v, gpa, 1))
		return inject_code(v, EXC_DBE);
	if (!store && decode(v->arch.badinstr, &a, &unit) && unit != LINKED && !a.store &&
	    v->arch.gpr[a.base] + (u64)(s64)a.offset == va && is_memory(v, gpa, a.bytes)) {
		v->stats.rewrite.emulated++;
		patched_stays(v, PATCH_CODE);
		return do_load(v, va, gpa, &a, unit);
	}
	patched_written(v, gpa >> PAGE_SHIFT, !store);
	return RESUME; /* to do it again, on the page */
}

bool native_resolve(struct vcpu *v, enum verdict *verdict)
{
	u32 begun = cp0_read32(CP0_COUNT);
	bool resolved = false;
	u64 gpa;

	if (!vcpu_kernel_mode(v) || (v->arch.pc & 3))
		return false;
	if (is_direct(v, v->arch.pc, &gpa)) {
		*verdict = resolve_fetch(v, gpa);
		resolved = true;
	} else {
		resolved = resolve_access(v, v->arch.badvaddr, verdict);
	}
	v->stats.rewrite.ticks += (u32)(cp0_read32(CP0_COUNT) - begun);
	return resolved;
}
