/* SPDX-License-Identifier: MIT */
/*
 * What guests flush whose tables are walked (MMU_FLUSH of kernel/abi/disco.h), of several VCPUs at once. Who flushes waits only for those that run:
 *
 *   the other VCPU is                 so
 *   below READY, MOVING among it      it has nothing: it starts empty, and walks tables as they are by then
 *   of the same node                  it is flushed at once
 *   RUNNING                           its node is asked, and has done it before the call returns (kernel/mem/shootdown.h)
 *   READY, WAITING                    the flush is noted, and then its state is read again: RUNNING, as above; else its node flushes what is
 *                                     noted when it makes it RUNNING
 *
 *   who flushes                          the other's node
 *   changes the guest's tables           makes it RUNNING               (sched.c)
 *   notes the flush: late[], late_any    reads late_any                 (mmu_flush_late)
 *   reads the state                      enters it, which walks tables
 *
 * Each has a fence between its first two lines and the third, so that one of the two sees what the other has done. late[] is any node's: a word is put in
 * where there is 0, and taken out by the VCPU's node for 0. With no room left all that the VCPU has goes. What is noted and
 * has become needless, by a move or a reset, does no harm.
 */
#include "arch/mips/mips.h"
#include "kernel/abi/disco.h"
#include "kernel/options.h"
#include "kernel/vm/vm.h"

#define FLUSH_PAIRS 32ul /* more than these: the whole address space instead */

u64 flush_pairs(const struct mmu_flush *f)
{
	bool whole = !f->bytes || f->bytes > FLUSH_PAIRS << 13 || f->va + f->bytes < f->va;

	return whole ? 0 : ((f->va & 0x1fff) + f->bytes + 0x1fff) >> 13;
}

static void flush(struct vcpu *v, const struct mmu_flush *f)
{
	u64 first = f->va & ENTRYHI_VPN2, pairs = flush_pairs(f);
	bool all = f->asid == DISCO_ALL_ASIDS;

	v->arch.clear_ll = 1; /* LL may have read a page that is no longer there */
	if (all && (!pairs || !is_supervisor(f->va)))
		mmu_flush_vcpu(v);
	else if (!pairs)
		mmu_drop_asid(v, f->asid & ENTRYHI_ASID);
	else
		mmu_forget_range(v, first, pairs, f->asid & ENTRYHI_ASID, all);
}

/* ---- later: a VCPU that does not run ---- */

/* One flush in a word, which is written at once: what fits in between VPN2 and its region. */
#define LATE_USED	 BIT(11)
#define LATE_ALL_ASIDS	 BIT(10)
#define LATE_PAIRS_SHIFT 48
#define LATE_PAIRS_MASK	 0x3ful
#define LATE_SOME	 BIT(0)
#define LATE_EVERYTHING	 BIT(1)
_Static_assert(FLUSH_PAIRS <= LATE_PAIRS_MASK, "a number of pairs fits in");

static u64 pack(const struct mmu_flush *f)
{
	bool all = f->asid == DISCO_ALL_ASIDS;

	return LATE_USED | (all ? LATE_ALL_ASIDS : f->asid & ENTRYHI_ASID) |
	       flush_pairs(f) << LATE_PAIRS_SHIFT | (f->va & ENTRYHI_VPN2);
}

static struct mmu_flush unpack(u64 word)
{
	u64 asid = word & LATE_ALL_ASIDS ? DISCO_ALL_ASIDS : word & ENTRYHI_ASID;

	return (struct mmu_flush){ word & ENTRYHI_VPN2,
				   (word >> LATE_PAIRS_SHIFT & LATE_PAIRS_MASK) << 13, asid };
}

/* There is room for it, or it is there: whoever takes what is there does so after this. */
static bool noted(struct vcpu *v, u64 word)
{
	for (u32 i = 0; i < LATE_FLUSHES; i++) {
		u64 there = 0;

		if (__atomic_compare_exchange_n(&v->arch.late[i], &there, word, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ||
		    there == word)
			return true;
	}
	return false;
}

static void put_off(struct vcpu *v, const struct mmu_flush *f)
{
	u32 what = noted(v, pack(f)) ? LATE_SOME : LATE_EVERYTHING;

	__atomic_fetch_or(&v->arch.late_any, what, __ATOMIC_SEQ_CST);
}

static void flush_noted(struct vcpu *v, u64 word)
{
	struct mmu_flush f = unpack(word);
	u64 left;

	if (!option_forget())
		flush(v, &f);
	left = check_flushed(v, &f);
	if (left)
		check_report_flush(v->vm, left & ENTRYHI_VPN2, v->id);
}

void mmu_flush_late(struct vcpu *v)
{
	u32 what = __atomic_load_n(&v->arch.late_any, __ATOMIC_RELAXED);

	if (!what)
		return;
	what = __atomic_exchange_n(&v->arch.late_any, 0, __ATOMIC_SEQ_CST);
	for (u32 i = 0; i < LATE_FLUSHES; i++) {
		u64 word = __atomic_exchange_n(&v->arch.late[i], 0, __ATOMIC_SEQ_CST);

		if (word && !(what & LATE_EVERYTHING))
			flush_noted(v, word);
	}
	if (what & LATE_EVERYTHING) {
		v->arch.clear_ll = 1;
		mmu_flush_vcpu(v);
	}
	v->stats.late_flushes++;
}

/* ---- now: those that run ---- */

struct flush_args {
	struct vm *vm;
	struct mmu_flush flush;
	u64 mask;
	u64 left; /* check=1: an address that a VCPU kept, and that VCPU's number; any node */
};

/* Of the VCPUs of the mask that live on this node. What the check finds is told by the caller: this node may be waiting for the log's lock. */
static void flush_node(struct node *n, const void *what)
{
	struct flush_args *f = (struct flush_args *)what;
	u64 left;

	for (u32 i = 0; i < f->vm->nvcpus; i++) {
		struct vcpu *v = f->vm->vcpus[i];

		if (!(f->mask & BIT(i)) || vcpu_state(v) < VCPU_READY || v->node != n)
			continue;
		if (!option_forget())
			flush(v, &f->flush);
		left = check_flushed(v, &f->flush);
		if (left)
			__atomic_store_n(&f->left, left | i, __ATOMIC_RELAXED);
	}
}

/* Whether the VCPU, of the mask, is to flush before the call returns. If not, it has nothing, or will before it runs. */
static bool is_asked(struct vcpu *v, const struct node *self, const struct mmu_flush *f)
{
	enum vcpu_state state = vcpu_state(v);

	if (state < VCPU_READY || state == VCPU_RUNNING || v->node == self)
		return state >= VCPU_READY;
	put_off(v, f);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return vcpu_state(v) == VCPU_RUNNING;
}

s64 mmu_call_flush(struct vcpu *v, u64 va, u64 bytes, u64 mask, u64 asid)
{
	struct flush_args f = { v->vm, { va, bytes, asid }, 0, 0 };
	struct nodemask elsewhere = NODEMASK_NONE;

	if (asid > ENTRYHI_ASID && asid != DISCO_ALL_ASIDS)
		return -DISCO_EINVAL;
	/* The guest's tables are changed before anybody's state is read. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (u32 i = 0; i < v->vm->nvcpus; i++) {
		struct vcpu *other = v->vm->vcpus[i];

		if (!(mask & BIT(i)) || !is_asked(other, v->node, &f.flush))
			continue;
		f.mask |= BIT(i);
		if (other->node != v->node)
			nodemask_add(&elsewhere, other->node->id);
	}
	flush_node(v->node, &f);
	if (!nodemask_empty(elsewhere))
		shootdown(elsewhere, flush_node, &f);
	if (f.left)
		check_report_flush(v->vm, f.left & ENTRYHI_VPN2, f.left & PAGE_MASK);
	return 0;
}
