/* SPDX-License-Identifier: MIT */
/*
 * The monitor's page walker: TLB misses served from the guest's own page tables, and accessed and
 * dirty bits kept for it (kernel/abi/disco.h, DISCO_MMU_...). Tables are guest memory: every
 * pointer is checked, and an entry is changed only if it is still what was decided on.
 */
#include "arch/mips/mips.h"
#include "kernel/abi/disco.h"
#include "kernel/mem/l2tlb.h"
#include "kernel/options.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

#define LEVELS 3
#define ENTRYLO_USED \
	(ENTRYLO_RI | ENTRYLO_XI | ENTRYLO_PFN | ENTRYLO_C | ENTRYLO_D | ENTRYLO_V | ENTRYLO_G)

/*
 * The word of guest memory at a window address. NULL: there is none, or this processor had to wait
 * for the page, and what led to the address does not hold any more.
 */
static u64 *guest_word(struct vcpu *v, struct reading r, u64 va, bool write)
{
	u64 gpa, lo;
	gpn_t gpn;

	if ((va & 7) || !mmu_window(v, va, &gpa))
		return NULL;
	gpn = gpa_gpn((gpa_t){ gpa });
	lo = pmap_look(v->vm, gpn, v->node->id);
	if (lo && write)
		lo = pmap_use_to_write(v->vm, gpn, v->node->id);
	if (!lo || !reading_holds(v->node, r)) /* 0: never written, all entries are empty */
		return NULL;
	return (u64 *)((u8 *)mpn_ptr(arch_entry_page(lo)) + (gpa & PAGE_MASK));
}

static u64 index_of(const struct walker *w, unsigned level, u64 va)
{
	return va >> w->shift[level] & (BIT(w->bits[level]) - 1);
}

/* The last level's entry for va, in machine memory, to be read or written. NULL: the tables do not
 * lead to one, or the reading does not hold any more. */
static u64 *find_entry(struct vcpu *v, struct reading r, u64 va, bool write)
{
	const struct walker *w = &v->arch.walker;
	u64 table = is_supervisor(va) ? w->kernel_root : w->root;
	unsigned top = w->shift[0] + w->bits[0];
	u64 *entry = NULL;

	if (!is_supervisor(va) && va >> top) /* outside what the root covers */
		return NULL;
	for (unsigned level = 0; level < LEVELS; level++) {
		entry = guest_word(v, r, table + 8 * index_of(w, level, va),
				   write && level == LEVELS - 1);
		if (!entry)
			return NULL;
		table = *(volatile u64 *)entry;
	}
	return entry;
}

static gpn_t lo_gpn(u64 lo) { return (gpn_t){ (lo & ENTRYLO_PFN) >> ENTRYLO_PFN_SHIFT }; }

static u64 entry_lo(const struct walker *w, u64 entry)
{
	u64 lo = entry >> w->rotate | entry << (64 - w->rotate);

	return lo & ENTRYLO_USED;
}

/* The shape of tables that walk_fast.S knows: 4 KB pages of tables, Linux's. */
static bool is_fast(const struct walker *w)
{
	return w->on && w->shift[0] == WALK_SHIFT0 && w->bits[0] == WALK_BITS0 &&
	       w->shift[1] == WALK_SHIFT1 && w->bits[1] == WALK_BITS1 && w->bits[2] == WALK_BITS2;
}

/*
 * The pages of a root need not be neighbours in machine memory. A kernel that is rewritten takes its faults by the C side, which
 * knows what it is to see of where it was, and of what it stores to.
 */
static void set_fast_root(struct vcpu *v)
{
	const struct walker *w = &v->arch.walker;
	bool fast = option_on(OPTION_WALK_FAST) && !latency_on && is_fast(w) &&
		    !(w->root & PAGE_MASK) && !v->vm->patch && !v->vm->rewrite.on;

	v->arch.switches = fast;
	v->arch.walk_rotate = w->rotate;
	v->arch.walk_present = w->present >> w->rotate | w->present << (64 - w->rotate);
	for (unsigned i = 0; i < WALK_ROOTS; i++) { /* each at once: a shootdown takes them away */
		struct reading r = reading_begin(v->node);

		v->arch.walk_root[i] = fast ? (u64)guest_word(v, r, w->root + i * PAGE_SIZE, false)
					    : 0;
	}
}

/* What the access calls for in an entry of this value; 0: the guest must see this fault. */
static u64 bits_wanted(const struct walker *w, u64 entry, const struct miss *m)
{
	if (!(entry & w->present))
		return 0;
	if (m->write && !(entry & w->write))
		return 0;
	if (!m->write && !m->fetch && (entry & w->no_read))
		return 0;
	return w->accessed | w->valid | (m->write ? w->modified | w->dirty : 0);
}

/* Finds the entry and sets what the access calls for. NULL: the guest must see this fault, unless
 * the reading does not hold any more. */
static u64 *touch(struct vcpu *v, const struct miss *m)
{
	const struct walker *w = &v->arch.walker;
	u64 *entry = find_entry(v, m->reading, m->va, false), old, set;

	if (!entry)
		return NULL;
	old = __atomic_load_n(entry, __ATOMIC_RELAXED);
	set = bits_wanted(w, old, m);
	if ((old & set) == set)
		return set ? entry : NULL;
	entry = find_entry(v, m->reading, m->va, true);
	if (!entry)
		return NULL;
	old = __atomic_load_n(entry, __ATOMIC_RELAXED);
	do {
		set = bits_wanted(w, old, m);
		if (!set)
			return NULL;
	} while (!__atomic_compare_exchange_n(entry, &old, old | set, false, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return entry;
}

/* A pair holds in every address space only if both halves do. One that is not valid is none. */
static bool is_global(u64 lo) { return (lo & ENTRYLO_G) || !(lo & ENTRYLO_V); }

enum verdict walk(struct vcpu *v, const struct miss *m, u32 code)
{
	const struct walker *w = &v->arch.walker;
	u64 *entry, *pair, lo[2];
	u32 denied;

	if (!v->arch.walk_root[0] || !v->arch.walk_root[1])
		set_fast_root(v);
	entry = touch(v, m);
	if (!reading_holds(v->node, m->reading))
		return RESUME; /* to miss again */
	if (!entry)
		return inject_tlb(v, code, false);
	pair = (u64 *)((u64)entry & ~8ul);
	for (unsigned i = 0; i < 2; i++)
		lo[i] = entry_lo(w, pair[i]);
	denied = mmu_denied(v, lo[entry - pair], m);
	if (denied)
		return inject_tlb(v, denied, false);
	return mmu_fill(v, m, (gpn_t[]){ lo_gpn(lo[0]), lo_gpn(lo[1]) }, lo,
			is_global(lo[0]) && is_global(lo[1]));
}

/* What the tables say, in the guest's numbers; 0: they have no entry. */
static u64 find_lo(struct vcpu *v, struct reading r, u64 va)
{
	const u64 *entry = find_entry(v, r, va, false);

	return entry ? entry_lo(&v->arch.walker, *entry) : 0;
}

bool walk_is_mapped(struct vcpu *v, struct reading r, u64 va)
{
	return find_lo(v, r, va) & ENTRYLO_V;
}

u64 walk_expected(struct vcpu *v, struct reading r, u64 va)
{
	u64 lo = find_lo(v, r, va);
	u64 machine = lo & ENTRYLO_V ? mmu_look(v, lo_gpn(lo)) : 0;

	if (!machine)
		return 0;
	return (machine & ~(lo & ENTRYLO_D ? 0ul : (u64)ENTRYLO_D)) |
	       (lo & (ENTRYLO_RI | ENTRYLO_XI));
}

/* ---- monitor calls ---- */

static bool plausible(const struct walker *w)
{
	for (unsigned i = 0; i < LEVELS; i++)
		if (w->shift[i] < PAGE_SHIFT || !w->bits[i] || w->shift[i] + w->bits[i] > 62)
			return false;
	return w->shift[LEVELS - 1] == PAGE_SHIFT && w->rotate > 0 && w->rotate < 64;
}

s64 mmu_call_setup(struct vcpu *v, u64 gpa)
{
	u64 block[DISCO_MMU_WORDS];
	struct walker w = { .on = true, .root = v->arch.walker.root };

	if (!option_on(OPTION_WALKER))
		return -DISCO_ENOSYS;
	if (!gpa) {
		v->arch.walker.on = false;
		set_fast_root(v);
		mmu_flush_vcpu(v);
		return 0;
	}
	if (vm_copy_in(v->vm, block, (gpa_t){ gpa }, sizeof(block)))
		return -DISCO_EFAULT;
	for (unsigned i = 0; i < LEVELS; i++) {
		w.shift[i] = block[DISCO_MMU_SHIFTS] >> 16 * i;
		w.bits[i] = block[DISCO_MMU_SHIFTS] >> (16 * i + 8);
	}
	w.rotate = MIN(block[DISCO_MMU_ROTATE], 64ul);
	w.kernel_root = block[DISCO_MMU_KERNEL_ROOT];
	w.present = block[DISCO_MMU_PRESENT];
	w.write = block[DISCO_MMU_WRITE];
	w.accessed = block[DISCO_MMU_ACCESSED];
	w.modified = block[DISCO_MMU_MODIFIED];
	w.valid = block[DISCO_MMU_VALID];
	w.dirty = block[DISCO_MMU_DIRTY];
	w.no_read = block[DISCO_MMU_NO_READ];
	if (!plausible(&w))
		return -DISCO_EINVAL;
	if (!w.root)
		w.root = w.kernel_root;
	v->arch.walker = w;
	set_fast_root(v);
	mmu_flush_vcpu(v);
	return 0;
}

s64 mmu_call_switch(struct vcpu *v, u64 entryhi, u64 root)
{
	v->arch.walker.root = root;
	set_fast_root(v);
	vcp0_write(v, 10, 0, entryhi);
	return 0;
}
