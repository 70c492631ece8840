/* SPDX-License-Identifier: MIT */
/*
 * V -> M: what a TLB miss of a guest comes to, one function a step. How translations are taken back
 * is forget.c's.
 */
#include "arch/mips/cp0.h"
#include "arch/mips/mips.h"
#include "kernel/abi/disco.h"
#include "kernel/mem/l2tlb.h"
#include "kernel/options.h"
#include "kernel/mem/pmap.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

#define LO_RIXI (ENTRYLO_RI | ENTRYLO_XI)
/* "physical" addresses a guest's EntryLo can name fit the PFN field: 44 bits */
#define LO_GPN(lo) (((lo)&ENTRYLO_PFN) >> ENTRYLO_PFN_SHIFT)

/* ---- a miss ---- */

/*
 * EntryLo of the page that a guest reads registers of a device from, never to be written or executed; 0: its
 * loads trap.
 */
static u64 device_entry(const struct vcpu *v, gpn_t gpn)
{
	mpn_t page = device_page(v->vm, gpn.v << PAGE_SHIFT);

	if (!mpn_valid(page))
		return 0;
	return arch_readonly_entry(arch_page_entry(page)) | ENTRYLO_XI;
}

u64 mmu_look(const struct vcpu *v, gpn_t gpn)
{
	if (gpn.v >= v->vm->pmap.npages)
		gpn = rewrite_memory(&v->vm->rewrite, gpn);
	if (gpn.v >= v->vm->pmap.npages)
		return device_entry(v, gpn);
	return pmap_look(v->vm, gpn, v->node->id);
}

/* What an access does with a page: the other page of a pair is filled in beside the one that missed. */
enum use { BESIDE, TO_READ, TO_WRITE, TO_FETCH };

/* Says in the reverse map that tag is about to map the page. */
static void note(struct vcpu *v, gpn_t gpn, u64 tag)
{
	struct pmap_view *view = &v->vm->pmap.view[v->node->id];

	for (u32 i = 0; i < ARCH_WINDOWS; i++) {
		if (tag == arch_window_tag(i, gpn)) {
			pmap_note_window(view, gpn, i);
			return;
		}
	}
	pmap_note(&view->entry[gpn.v], tag);
}

/*
 * As pmap_try_use. A page beside the one that missed is none if the view does not show it: the guest may
 * never touch it, and a page that no TLB has seen can be replaced without a shootdown.
 */
static u64 use_page(struct vcpu *v, gpn_t gpn, u64 tag, enum use use)
{
	struct pmap *p = &v->vm->pmap;
	u64 lo;

	if (gpn.v >= p->npages)
		return use == BESIDE || use == TO_READ ? device_entry(v, gpn) : 0;
	if (use == BESIDE)
		lo = pmap_shown(p, gpn, v->node->id);
	else
		lo = pmap_try_use(v->vm, gpn, v->node->id, use == TO_WRITE);
	if (lo & ENTRYLO_V)
		note(v, gpn, tag);
	return lo;
}

/*
 * The machine's EntryLo for guest page gpn, with at most the rights in guest_lo; 0 if there is no
 * such page, PMAP_LATER if it is not ready yet. tag: who is going to map it, for the reverse map.
 */
static u64 machine_lo(struct vcpu *v, gpn_t gpn, u64 guest_lo, u64 tag, enum use use)
{
	u64 lo;

	if (!(guest_lo & ENTRYLO_V))
		return 0;
	if (use == TO_WRITE && !(guest_lo & ENTRYLO_D))
		use = TO_READ;
	if (gpn.v >= v->vm->pmap.npages)
		gpn = rewrite_memory(&v->vm->rewrite, gpn);
	/* Before the page is noted: the notes are forgotten with what is there. */
	if (use == TO_WRITE && patched_is_copied(v, gpn.v))
		patched_written(v, gpn.v, false);
	lo = use_page(v, gpn, tag, use);
	if (!(lo & ENTRYLO_V))
		return lo;
	if (!(guest_lo & ENTRYLO_D) || patched_is_copied(v, gpn.v))
		lo &= ~(u64)ENTRYLO_D;
	return lo | (guest_lo & LO_RIXI);
}

static enum use use_of(const struct miss *m, unsigned half)
{
	if (half != !!(m->va & PAGE_SIZE) && !m->both)
		return BESIDE;
	return m->write ? TO_WRITE : m->fetch ? TO_FETCH : TO_READ;
}

/* Both pages of the pair around a miss, which are those of guest_lo[]. False: they are not ready. */
static bool machine_pair(struct vcpu *v, const struct miss *m, const gpn_t gpn[2],
			 const u64 guest_lo[2], u64 lo[2])
{
	u64 vpn2 = m->va & ENTRYHI_VPN2, tag = is_supervisor(vpn2) ? vpn2 : vpn2 | v->arch.asid;

	for (unsigned i = 0; i < 2; i++) {
		if (patched_shows(v, m->va, gpn[i].v)) {
			lo[i] = patched_entry(v, gpn[i]);
			continue;
		}
		lo[i] = machine_lo(v, gpn[i], guest_lo[i], tag, use_of(m, i));
		if (lo[i] == PMAP_LATER)
			return false;
	}
	return true;
}

/* Puts the pair into the machine's TLB, and in the L2TLB where that can tell its address spaces
 * apart. */
static void mmu_install(struct vcpu *v, u64 vpn2, u64 lo0, u64 lo1, bool global)
{
	if (vpn2 == SPECIAL_VPN2) /* the monitor's pair, whatever the guest's entry says */
		return;
	lo0 = lo0 & ENTRYLO_V ? lo0 : ENTRYLO_NONE;
	lo1 = lo1 & ENTRYLO_V ? lo1 : ENTRYLO_NONE;
	if (!is_supervisor(vpn2) && global)
		v->arch.scattered = true;
	if (latency_on && latency_remote(v->node->id, (u64[]){ lo0, lo1 })) {
		l2tlb_drop(v->arch.l2tlb, is_supervisor(vpn2) ? vpn2 : vpn2 | v->arch.asid);
		tlb_write_brief(v, vpn2 | v->arch.asid, lo0, lo1);
		return;
	}
	if (!option_on(OPTION_L2TLB))
		;
	else if (!is_supervisor(vpn2))
		l2tlb_insert(v->arch.l2tlb, vpn2 | v->arch.asid, lo0, lo1);
	else if (global)
		l2tlb_insert(v->arch.l2tlb, vpn2, lo0, lo1);
	else /* an older global pair of these pages would be found first */
		l2tlb_drop(v->arch.l2tlb, vpn2);
	tlb_write(vpn2 | v->arch.asid, lo0, lo1, 0);
}

/* gpn, guest_lo: the pair's pages as the guest maps them. */
enum verdict mmu_fill(struct vcpu *v, const struct miss *m, const gpn_t gpn[2],
		      const u64 guest_lo[2], bool global)
{
	bool half = m->va & PAGE_SIZE;
	u64 lo[2];

	if (!machine_pair(v, m, gpn, guest_lo, lo) || !reading_holds(v->node, m->reading))
		return RESUME;		     /* to miss again */
	if (!(lo[half] & ENTRYLO_V)) {	     /* no memory there: a device, or the bus says no */
		if (m->fetch && (m->va & 3)) /* but the processor first */
			return inject_badvaddr(v, EXC_ADEL);
		if (m->fetch)
			return inject_code(v, EXC_IBE);
		return emul_access(v, m->va, gpn[half].v << PAGE_SHIFT | (m->va & PAGE_MASK),
				   m->write);
	}
	if (latency_on && gpn[half].v < v->vm->pmap.npages) /* registers are no memory */
		latency_refill(v->node, m->va, lo, m->write);
	mmu_install(v, m->va & ENTRYHI_VPN2, lo[0], lo[1], global);
	return RESUME;
}

/* Guest kernel segments that need no guest TLB entry (kernel/abi/disco.h). */
bool mmu_window(const struct vcpu *v, u64 va, u64 *gpa)
{
	if (va >= DISCO_CSSEG_BASE && va < DISCO_CSSEG_MAPPED) {
		*gpa = va - DISCO_CSSEG_BASE;
		return true;
	}
	*gpa = va - DISCO_XSSEG_BASE;
	return va >> 62 == 1 &&
	       (*gpa >> PAGE_SHIFT < v->vm->pmap.npages || device_at(v->vm, *gpa & ~PAGE_MASK));
}

/* The pair of large pages around a window address whose small page is mapped by lo; 0: there is none, as where
 * csseg may show other pages than xsseg does. */
static u64 large_pair(const struct vcpu *v, gpn_t gpn, u64 lo)
{
	if (!(lo & ENTRYLO_V) || v->vm->patch ||
	    (latency_on && latency_remote(v->node->id, (u64[]){ lo, lo })))
		return 0;
	return pmap_large(v->vm, gpn, v->node->id);
}

#define NEAR 8 /* pages: what a guest's kernel allocates together for buffers */

/* The pair of a window, if the view shows all of it, into the L2TLB before it is asked for. tag: its address. */
static void install_shown(struct vcpu *v, u64 tag, gpn_t even)
{
	struct pmap *p = &v->vm->pmap;
	struct pmap_entry *entry = pmap_entry(p, even, v->node->id);

	if (!entry[0].lo || !entry[1].lo || v->vm->patch || l2tlb_find(v->arch.l2tlb, tag))
		return;
	note(v, even, tag);
	note(v, (gpn_t){ even.v | 1 }, tag);
	l2tlb_insert(v->arch.l2tlb, tag, entry[0].lo, entry[1].lo);
}

void mmu_install_fresh(struct vcpu *v)
{
	struct pmap *p = &v->vm->pmap;
	u64 tag, gpa;

	while ((tag = fresh_take(p->view[v->node->id].fresh)))
		if (!latency_on && option_on(OPTION_L2TLB) && is_supervisor(tag) &&
		    mmu_window(v, tag, &gpa) && gpa >> PAGE_SHIFT < p->npages)
			install_shown(v, tag, gpa_gpn((gpa_t){ gpa }));
}

/*
 * Small pages of a window: the pairs beside the one that missed, as far as the view shows them, go into the L2TLB
 * with it. Pages that come from a disk or from another VM are small ones, and are used one behind the other.
 */
static void install_near(struct vcpu *v, u64 va, gpn_t even)
{
	u64 first = even.v & ~(NEAR - 1ul), base = (va & ENTRYHI_VPN2) - (even.v << PAGE_SHIFT);

	if (first + NEAR > v->vm->pmap.npages)
		return;
	for (gpn_t gpn = { first }; gpn.v < first + NEAR; gpn.v += 2)
		if (gpn.v != even.v)
			install_shown(v, base + (gpn.v << PAGE_SHIFT), gpn);
}

/* What else is going to be missed on, as far as can be told. */
static void install_ahead(struct vcpu *v, u64 va, gpn_t even)
{
	if (latency_on || !option_on(OPTION_L2TLB))
		return;
	mmu_install_fresh(v);
	install_near(v, va, even);
}

/* vectors.S finds large pages itself the next time; the L2TLB is for small ones. */
static enum verdict miss_window(struct vcpu *v, const struct miss *m, u64 gpa)
{
	static const u64 rw[2] = { ENTRYLO_V | ENTRYLO_D, ENTRYLO_V | ENTRYLO_D };
	gpn_t gpn = gpa_gpn((gpa_t){ gpa }), even = { gpn.v & ~1ul };
	u64 lo = pmap_try_use(v->vm, gpn, v->node->id, m->write), pair;
	u32 mask;

	if (lo == PMAP_LATER)
		return RESUME; /* to miss again */
	pair = large_pair(v, gpn, lo);
	if (!pair || (m->write && !arch_entry_writable(pair))) {
		install_ahead(v, m->va, even);
		return mmu_fill(v, m, (gpn_t[]){ even, { even.v | 1 } }, rw, true);
	}
	mask = arch_large_mask(pair);
	lo = arch_large_lo(pair);
	tlb_write((m->va & ENTRYHI_VPN2 & ~(u64)mask) | v->arch.asid, lo,
		  lo + ((mask + 0x2000) >> 7), mask);
	cp0_write64(CP0_ENTRYHI, v->arch.asid);
	return RESUME;
}

enum verdict inject_tlb(struct vcpu *v, u32 code, bool refill)
{
	v->arch.inject =
		(struct injection){ .code = code, .refill = refill, .badvaddr = true, .tlb = true };
	return INJECT;
}

/* The exception that the guest's own entry asks for, or EXC_INT (0) if it allows the access. */
u32 mmu_denied(struct vcpu *v, u64 lo, const struct miss *m)
{
	bool iec = vcp0(v, PageGrain) & PAGEGRAIN_IEC;

	if (!(lo & ENTRYLO_V))
		return m->write ? EXC_TLBS : EXC_TLBL;
	if (m->fetch && (lo & ENTRYLO_XI))
		return iec ? EXC_TLBXI : EXC_TLBL;
	if (!m->fetch && !m->write && (lo & ENTRYLO_RI))
		return iec ? EXC_TLBRI : EXC_TLBL;
	if (m->write && !(lo & ENTRYLO_D))
		return EXC_MOD;
	return 0;
}

static enum verdict miss_mapped(struct vcpu *v, const struct miss *m)
{
	struct vtlb_entry *e = vtlb_find(v, m->va, vcp0(v, EntryHi) & ENTRYHI_ASID);
	u64 half, first, lo;
	u32 denied;

	if (!e)
		return inject_tlb(v, m->write ? EXC_TLBS : EXC_TLBL, true);
	half = (e->mask + 0x2000) >> 1; /* size of each of the pair's pages */
	lo = e->lo[!!(m->va & half)];
	denied = mmu_denied(v, lo, m);
	if (denied)
		return inject_tlb(v, denied, false);
	if (half == PAGE_SIZE)
		return mmu_fill(v, m, (gpn_t[]){ { LO_GPN(e->lo[0]) }, { LO_GPN(e->lo[1]) } },
				e->lo, e->lo[0] & ENTRYLO_G);
	/* a large page: the 4 KB pair around the address */
	v->arch.scattered = true;
	first = LO_GPN(lo) & ~((half - 1) >> PAGE_SHIFT);
	first += (m->va & (half - 1)) >> PAGE_SHIFT & ~1ul;
	return mmu_fill(v, m, (gpn_t[]){ { first }, { first + 1 } }, (u64[]){ lo, lo },
			lo & ENTRYLO_G);
}

/* The first address of an entry; EntryHi has no bits 61..48 of it. */
static u64 entry_va(const struct vtlb_entry *e)
{
	u64 vpn2 = e->hi & ENTRYHI_VPN2;

	return vpn2 >> 62 == 3 ? vpn2 | (BIT(62) - BIT(SEGBITS)) : vpn2;
}

void mmu_replace(struct vcpu *v, const struct vtlb_entry *e)
{
	u32 asid = vcp0(v, EntryHi) & ENTRYHI_ASID;
	bool global = e->lo[0] & ENTRYLO_G;
	struct miss m = { .va = e->hi & ENTRYHI_VPN2,
			  .both = true,
			  .reading = reading_begin(v->node) };
	u64 lo[2], gpa;
	bool ready;

	if (global || e->mask || (e->hi & ENTRYHI_ASID) != asid)
		mmu_forget(v, e->hi, e->mask, global);
	if (v->arch.walker.on || e->mask || (!global && (e->hi & ENTRYHI_ASID) != asid))
		return;
	if (is_supervisor(e->hi) && mmu_window(v, entry_va(e), &gpa))
		return; /* as KSEG0, whose place it has: no entry reaches into it */
	ready = machine_pair(v, &m, (gpn_t[]){ { LO_GPN(e->lo[0]) }, { LO_GPN(e->lo[1]) } }, e->lo,
			     lo);
	if (ready && latency_on)
		latency_hide(v->node->id, lo);
	if (!ready || !reading_holds(v->node, m.reading)) /* the guest will miss on the page */
		mmu_forget(v, e->hi, 0, global);
	else
		mmu_install(v, m.va, lo[0], lo[1], global);
}

/* A window address in a page with registers: blocks of them lie one behind the other. */
static bool is_register(const struct vcpu *v, u64 va)
{
	const u64 first = DISCO_XSSEG_BASE + DISCO_DEVICE_BASE;

	return va - first < (u64)v->vm->nregister_blocks * DISCO_DEVICE_BYTES && vcpu_wide(v, va);
}

static enum verdict fault(struct vcpu *v, u32 code, bool write)
{
	u64 va = v->arch.badvaddr, slot = v->arch.pc + (v->arch.cause & CAUSE_BD ? 4 : 0), gpa;
	struct miss m = {
		.va = va,
		.write = write,
		/* a TLBRI, TLBS or Mod at its own address is a load or a store of its own code; pc has left a
		 * trampoline that was missed on */
		.fetch = code == EXC_TLBXI ||
			 (code == EXC_TLBL && (va == slot || patched_is_tramp(v, va))),
		.reading = reading_begin(v->node),
	};

	if (va >= DISCO_SPECIAL_PAGE - PAGE_SIZE ||
	    (va != (u64)(s64)(s32)va && !vcpu_wide(v, va) && !patched_misses(v)))
		return inject_badvaddr(v, m.write ? EXC_ADES : EXC_ADEL);
	if (is_supervisor(va) && mmu_window(v, va, &gpa)) {
		if (!m.fetch && patched_shows(v, va, gpa >> PAGE_SHIFT))
			return native_hidden(v, va, gpa, write);
		if (code == EXC_MOD) /* pages of several sizes may say so */
			mmu_flush_node();
		return miss_window(v, &m, gpa);
	}
	if (v->arch.walker.on)
		return walk(v, &m, code);
	return miss_mapped(v, &m);
}

enum verdict mmu_fault(struct vcpu *v, u32 code)
{
	u64 va = v->arch.badvaddr;
	bool write = code == EXC_TLBS || code == EXC_MOD;

	if (write && is_register(v, va)) /* the short way: drivers notify and acknowledge so */
		return emul_access(v, va, va - DISCO_XSSEG_BASE, true);
	return fault(v, code, write);
}

_Static_assert(sizeof(struct vcp0) == PAGE_SIZE &&
		       offsetof(struct vcp0, pending) == DISCO_SP_PENDING &&
		       offsetof(struct vcp0, steal) == DISCO_SP_STEAL,
	       "the special page's layout is the guest ABI's");
