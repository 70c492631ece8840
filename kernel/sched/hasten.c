/* SPDX-License-Identifier: MIT */
/* VCPUs that others of their VM wait for: direct.h. */
#include "arch/mips/arch.h"
#include "kernel/options.h"
#include "kernel/sched/direct.h"
#include "kernel/sched/hasten.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/move.h"
#include "kernel/vm/vm.h"

_Static_assert(MAX_VMS < BIT(16 - HASTEN_VM_SHIFT) && VMDESC_VCPUS_MAX < BIT(HASTEN_VM_SHIFT),
	       "both fit in");

/* Of a moment: the VCPU is another node's, and may be anywhere when that looks. */
static void consider(struct vcpu *other, const struct node *self, bool gang)
{
	struct direct_look look = { .waits = vcpu_state(other) == VCPU_READY };
	u32 nobody = 0, name = HASTEN(other->vm->id, other->id);
	struct node *n = other->node;
	u64 since, now;

	if (!look.waits || n == self)
		return;
	since = __atomic_load_n(&other->ready_since, __ATOMIC_RELAXED);
	now = count64();
	look.waited = now - MIN(since, now);
	look.kernel = !arch_vcpu_user(other);
	if (direct_asks(look, gang) &&
	    __atomic_compare_exchange_n(&n->hasten, &nobody, name, false, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED))
		node_resched(n);
}

void hasten_one(struct vcpu *v)
{
	const struct vm *vm = v->vm;
	u64 now = count64();

	if (!option_on(OPTION_DIRECT) || !direct_looks(now, v->looked))
		return;
	v->looked = now;
	v->looked_at = direct_next(v->looked_at, v->id, vm->nvcpus);
	consider(vm->vcpus[v->looked_at], v->node, false);
}

void hasten_gang(const struct vcpu *v)
{
	for (u32 i = 0; i < v->vm->nvcpus; i++)
		if (i != v->id)
			consider(v->vm->vcpus[i], v->node, true);
}

void hasten_serve(struct node *n)
{
	u32 name = __atomic_exchange_n(&n->hasten, 0, __ATOMIC_RELAXED);
	u32 vm = name >> HASTEN_VM_SHIFT & (BIT(16 - HASTEN_VM_SHIFT) - 1),
	    id = name & (BIT(HASTEN_VM_SHIFT) - 1);

	for (u32 i = 0; i < n->nvcpus; i++) {
		struct vcpu *v = n->vcpus[i];

		if (v->vm->id != vm || v->id != id)
			continue;
		if (vcpu_state(v) == VCPU_READY && direct_may_run(&v->share->account, &n->vms))
			n->preferred = v;
		return;
	}
}
