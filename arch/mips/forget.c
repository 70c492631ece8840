/* SPDX-License-Identifier: MIT */
/*
 * How translations are taken back: of a VCPU whose guest changed its TLB, its tables or its address
 * space, and of a guest page that the monitor moves. Misses, which make translations, are mmu.c's.
 */
#include "arch/mips/asid.h"
#include "arch/mips/cp0.h"
#include "arch/mips/mips.h"
#include "kernel/mem/l2tlb.h"
#include "kernel/mem/pmap.h"
#include "kernel/vm/vm.h"

static void restore_asid(const struct vcpu *v) { cp0_write64(CP0_ENTRYHI, v->arch.asid); }

/* After work on a VCPU that need not be the one that runs here. */
static void restore_current(void)
{
	const struct vcpu *v = node_self()->current;

	if (v)
		restore_asid(v);
}

/*
 * The special page of the VCPU that runs here: wired, and global, so that it is there in every
 * address space without a miss. Only guest kernels reach csseg, and only one VCPU runs on a
 * processor.
 */
void mmu_map_special(const struct vcpu *v)
{
	tlbinv(); /* TLBWI would drop the replaced entries too, but a page at a time */
	cp0_write64(CP0_ENTRYHI, SPECIAL_VPN2 | v->arch.asid);
	cp0_write64(CP0_ENTRYLO0, ENTRYLO_G);
	cp0_write64(CP0_ENTRYLO1, arch_page_entry(maddr_mpn(ptr_maddr(v->arch.cp0))) | ENTRYLO_G);
	cp0_write32(CP0_INDEX, 0);
	tlbwi();
	restore_asid(v);
}

/* TLBINVF takes the wired entry along. */
void mmu_flush_node(void)
{
	struct node *n = node_self();

	tlbinvf();
	if (n->current)
		mmu_map_special(n->current);
}

/*
 * Of the VCPU that runs only: the others get theirs when they are switched in. A new generation
 * would leave the one that runs with an ASID that is given again. begins: if the address space is new to the node, what QEMU keeps of others is
 * dropped for it.
 */
static void set_asid(struct vcpu *v, bool begins)
{
	u64 *slot = &v->arch.asid_map[vcp0(v, EntryHi) & ENTRYHI_ASID];
	struct node *n = v->node;
	bool flush;

	if (v != n->current)
		return;
	begins &= !asid_peek(&n->cpu.asids, *slot);
	v->arch.asid = asid_get(&n->cpu.asids, slot, &flush);
	if (flush)
		mmu_flush_node();
	if (v->arch.l2tlb_generation != n->cpu.asids.generation) {
		l2tlb_flush(v->arch.l2tlb);
		v->arch.l2tlb_generation = n->cpu.asids.generation;
	}
	restore_asid(v);
	tlb_renew(n, begins ? 0 : n->cpu.renew_after);
}

void mmu_set_asid(struct vcpu *v) { set_asid(v, true); }

/* All ASIDs of the VCPU become unused: what the TLB holds under them can never match again. */
void mmu_flush_vcpu(struct vcpu *v)
{
	for (unsigned i = 0; i < ASID_COUNT; i++)
		v->arch.asid_map[i] = 0;
	v->arch.scattered = false;
	l2tlb_flush(v->arch.l2tlb);
	mmu_set_asid(v);
}

/*
 * What QEMU keeps stays until it is time: a kernel that drops an address space that runs goes on in it (fork, with the parent's), and needs its own
 * pages again at once.
 */
void mmu_drop_asid(struct vcpu *v, u32 guest_asid)
{
	v->arch.asid_map[guest_asid] = 0;
	if ((vcp0(v, EntryHi) & ENTRYHI_ASID) == guest_asid)
		set_asid(v, false);
}

/* Non-global: only the guest ASID's own machine ASID can hold it. */
static void forget_page(struct vcpu *v, u64 vpn2, u32 guest_asid)
{
	u32 asid = asid_peek(&v->node->cpu.asids, v->arch.asid_map[guest_asid]);

	if (!asid || vpn2 == SPECIAL_VPN2) /* the wired entry would be what is found */
		return;
	if (!is_supervisor(vpn2))
		l2tlb_drop(v->arch.l2tlb, vpn2 | asid);
	tlb_drop(vpn2 | asid);
}

/* Global: any of the VCPU's ASIDs can. In the supervisor segments the L2TLB has one copy; elsewhere
 * it has one for each ASID. */
static void forget_global(struct vcpu *v, u64 vpn2)
{
	if (!is_supervisor(vpn2)) {
		mmu_flush_vcpu(v);
		return;
	}
	l2tlb_drop(v->arch.l2tlb, vpn2);
	mmu_flush_node();
}

void mmu_forget(struct vcpu *v, u64 hi, u64 mask, bool global)
{
	u64 vpn2 = hi & ENTRYHI_VPN2;
	u64 pairs = (mask >> 13) + 1;

	if (pairs > 1) { /* rare: test guests, and windows that guests map by hand */
		mmu_flush_vcpu(v);
		return;
	}
	if (global)
		forget_global(v, vpn2);
	else
		forget_page(v, vpn2, hi & ENTRYHI_ASID);
	restore_current();
}

/* Of a guest whose tables are walked, one address space or (global) the supervisor's, by pairs. */
void mmu_forget_range(struct vcpu *v, u64 first, u64 pairs, u32 guest_asid, bool global)
{
	u32 asid = asid_peek(&v->node->cpu.asids, v->arch.asid_map[guest_asid]);

	if (!asid && !global)
		return;
	for (u64 i = 0; i < pairs; i++) {
		u64 vpn2 = (first + (i << 13)) & ENTRYHI_VPN2;

		if (global || !is_supervisor(vpn2))
			l2tlb_drop(v->arch.l2tlb, global ? vpn2 : vpn2 | asid);
	}
	if (global)
		mmu_flush_node();
	else
		tlb_drop_range(first, pairs, asid);
	restore_current();
}

/*
 * An entry that TLBWR replaced may have left more translations than the one at hi: the other pieces
 * of a large page, a global user page under other ASIDs.
 */
void mmu_forget_replaced(struct vcpu *v, u64 hi)
{
	if (v->arch.scattered)
		mmu_flush_vcpu(v);
	else
		mmu_forget(v, hi, 0, hi >> 62 != 0);
}

/* The L2TLB entry of a tag, in each VCPU of the VM that lives here. */
static void drop_tag(const struct node *n, const struct vm *vm, u64 tag)
{
	for (u32 i = 0; i < n->nvcpus; i++)
		if (n->vcpus[i]->vm == vm)
			l2tlb_drop(n->vcpus[i]->arch.l2tlb, tag);
}

/* Those that map one of the pages, in these parts of each L2TLB. */
static void drop_parts(const struct node *n, const struct vm *vm, const struct page_filter *machine,
		       u64 parts)
{
	for (u32 i = 0; i < n->nvcpus; i++)
		if (n->vcpus[i]->vm == vm)
			l2tlb_drop_machine(n->vcpus[i]->arch.l2tlb, machine, parts);
}

/* machine: as in struct mmu_drop, and pointer leads into one of these pages. */
static bool is_named(const struct page_filter *machine, u64 pointer)
{
	return pointer && page_filter_has(machine, maddr_mpn(ptr_maddr((void *)pointer)));
}

/* Roots in machine memory may have moved: walk.c finds them again. A reservation of LL is for the
 * page as it was. */
static void forget_pointers(const struct node *n, const struct vm *vm,
			    const struct page_filter *machine)
{
	for (u32 i = 0; i < n->nvcpus; i++) {
		struct vcpu_arch *a = &n->vcpus[i]->arch;

		if (n->vcpus[i]->vm != vm)
			continue;
		if (is_named(machine, a->walk_root[0]) || is_named(machine, a->walk_root[1]))
			a->walk_root[0] = a->walk_root[1] = 0;
		a->clear_ll = 1;
	}
}

/*
 * Whether this node's TLB may hold a large pair around the page. If so all of them are forgotten by the
 * flush that follows, and only those of the piece that the refill handler may still make are held.
 */
static bool is_held(struct pmap_view *view, gpn_t gpn)
{
	u64 piece = gpn.v / PIECE_PAGES;
	const u64 *word = &view->large[piece * PIECE_PAIRS];
	u64 held = 0;

	if (!(view->held[piece] & BIT(gpn.v % PIECE_PAGES >> LARGE_SHIFT)))
		return false;
	for (u32 i = 0; i < PIECE_PAIRS; i++)
		if (__atomic_load_n(&word[i], __ATOMIC_RELAXED))
			held |= BIT(i);
	view->held[piece] = held;
	return true;
}

/* The L2TLBs' translations of the page by the windows. False: there were none, and none in the machine's TLB. */
static bool drop_windows(const struct node *n, struct vm *vm, gpn_t gpn)
{
	struct pmap_view *view = &vm->pmap.view[n->id];
	u32 windows = pmap_windows(view, gpn);

	if (!windows)
		return false;
	for (u32 i = 0; i < ARCH_WINDOWS; i++)
		if (windows & BIT(i))
			drop_tag(n, vm, arch_window_tag(i, gpn));
	pmap_forget_windows(view, gpn);
	return true;
}

/* Window pages may be in the machine's TLB under any ASID of the VCPU. */
void mmu_drop_pages(struct node *n, const void *what)
{
	const struct mmu_drop *d = what;
	bool flush = false;
	u64 parts = 0;
	struct page_filter machine = d->machine;

	if (!d->vm->pmap.view[n->id].entry) /* lost since; no VCPU of the VM is here */
		return;
	for (u32 i = 0; i < d->n; i++) {
		struct pmap_entry *e = pmap_entry(&d->vm->pmap, d->page[i], n->id);
		u64 tag = e->back;

		e->back = 0;
		if (is_held(&d->vm->pmap.view[n->id], d->page[i]))
			flush = true;
		if (drop_windows(n, d->vm, d->page[i]))
			flush = true;
		if (e->lo) /* stays, and may be a copy that the batch does not know */
			page_filter_add(&machine, arch_entry_page(e->lo));
		if (pmap_is_many(tag)) {
			parts |= tag;
		} else if (tag) {
			drop_tag(n, d->vm, tag);
			if (is_supervisor(tag))
				flush = true;
			else
				tlb_drop(tag);
		}
	}
	if (parts)
		drop_parts(n, d->vm, &machine, parts);
	if (flush || parts)
		mmu_flush_node();
	forget_pointers(n, d->vm, &machine);
	restore_current();
}
