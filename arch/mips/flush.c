/* SPDX-License-Identifier: MIT */
/* What guests flush whose tables are walked: of which VCPUs, and on which nodes (MMU_FLUSH of kernel/abi/disco.h). */
#include "arch/mips/cp0.h"
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

struct flush_args {
	struct vm *vm;
	struct mmu_flush flush;
	u64 mask;
	u64 left; /* check=1: an address that a VCPU kept, and that VCPU's number; any node */
};

/*
 * Of the VCPUs that live on this node. Those that do not run have nothing: they start empty. What
 * the check finds is told by the caller: this node may be waiting for the log's lock.
 */
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

s64 mmu_call_flush(struct vcpu *v, u64 va, u64 bytes, u64 mask, u64 asid)
{
	struct flush_args f = { v->vm, { va, bytes, asid }, mask, 0 };
	struct nodemask elsewhere = NODEMASK_NONE;

	if (asid > ENTRYHI_ASID && asid != DISCO_ALL_ASIDS)
		return -DISCO_EINVAL;
	/* A VCPU that is not there yet, or on the move, starts empty, and walks tables as they are by then. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (u32 i = 0; i < v->vm->nvcpus; i++) {
		const struct vcpu *other = v->vm->vcpus[i];

		if ((mask & BIT(i)) && vcpu_state(other) >= VCPU_READY && other->node != v->node)
			nodemask_add(&elsewhere, other->node->id);
	}
	flush_node(v->node, &f);
	if (!nodemask_empty(elsewhere))
		shootdown(elsewhere, flush_node, &f);
	if (f.left)
		check_report_flush(v->vm, f.left & ENTRYHI_VPN2, f.left & PAGE_MASK);
	return 0;
}
