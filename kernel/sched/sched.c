/* SPDX-License-Identifier: MIT */
/* Who runs on a node, and the node's idle loop. */
#include "arch/mips/arch.h"
#include "kernel/panic.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/tick.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

void sched_add(struct vcpu *v)
{
	struct node *n = v->node;

	if (n->nvcpus == NODE_VCPUS)
		panic("node %u has %u VCPUs already", n->id, NODE_VCPUS);
	n->vcpus[n->nvcpus++] = v;
}

static void make_ready(struct vcpu *v)
{
	v->state = VCPU_READY;
	v->ready_since = count64();
}

static bool is_ending(const struct vm *vm)
{
	return __atomic_load_n(&vm->state, __ATOMIC_ACQUIRE) == VM_STOPPING;
}

/* Starts the VCPUs that another asked for, retires those of VMs that end, wakes those that wait no
 * longer. */
static void update_states(struct node *n)
{
	for (u32 i = 0; i < n->nvcpus; i++) {
		struct vcpu *v = n->vcpus[i];

		if (__atomic_load_n(&v->state, __ATOMIC_ACQUIRE) == VCPU_STARTING)
			vcpu_serve_start(v);
		if (v->state >= VCPU_READY && is_ending(v->vm))
			vm_retire_vcpu(v);
		if (v->state == VCPU_WAITING && arch_vcpu_wakes(v))
			make_ready(v);
	}
}

/*
 * The preferred VCPU, in the slice of the one chosen before it: it is still whose turn comes then,
 * or two that prefer each other would keep the processor. Else the next READY one after that.
 */
static struct vcpu *pick(struct node *n)
{
	struct vcpu *preferred = n->preferred;

	n->preferred = NULL;
	if (preferred && preferred->state == VCPU_READY)
		return preferred;
	for (u32 i = 0; i < n->nvcpus; i++) {
		u32 index = (n->next + i) % n->nvcpus;

		if (n->vcpus[index]->state == VCPU_READY) {
			n->next = (index + 1) % n->nvcpus;
			return n->vcpus[index];
		}
	}
	return NULL;
}

void sched_prefer(struct vcpu *v)
{
	if (v->node == node_self())
		v->node->preferred = v;
}

static void leave(struct node *n)
{
	struct vcpu *v = n->current;

	if (!v)
		return;
	v->stats.run_ticks += count64() - v->switched_in;
	if (v->state == VCPU_RUNNING)
		make_ready(v);
}

static void switch_to(struct node *n, struct vcpu *v)
{
	struct vcpu *old = n->current;
	u64 now = count64();

	v->state = VCPU_RUNNING;
	v->switched_in = now;
	if (v == old)
		return;
	arch_vcpu_stolen(v, now - v->ready_since);
	if (old)
		arch_vcpu_switch_out(old);
	v->stats.switches++;
	n->stats.switches++;
	n->current = v;
	magic_note_vm(n->id, v->vm->id);
	arch_vcpu_switch_in(v);
}

static void idle(struct node *n)
{
	u64 start = count64();

	arch_idle();
	n->stats.idle_ticks += count64() - start;
	arch_irq_poll(n);
}

/* Again if that made more to do: a VM that ended may be asked to start again. */
static void look_around(struct node *n)
{
	do {
		n->need_resched = false;
		node_read_mail(n);
		vm_service(n);
		update_states(n);
	} while (n->need_resched);
}

_Noreturn void sched_switch(struct node *n)
{
	struct vcpu *v;

	leave(n);
	for (;;) {
		look_around(n);
		v = pick(n);
		if (v)
			break;
		idle(n);
	}
	switch_to(n, v);
	arch_run(v);
}

_Noreturn void sched_start(struct node *n)
{
	/* Not all at once: nodes that fetch pages then wait for the same locks. */
	n->tick_next = count64() + TICK_MS * COUNT_MS + n->id * (TICK_MS * COUNT_MS / nnodes);
	vtimer_expire(n);
	sched_switch(n);
}
