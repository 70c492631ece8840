/* SPDX-License-Identifier: MIT */
/* The VCPUs that are on a node, and the shares of their VMs there: who comes and who leaves. */
#include "arch/mips/arch.h"
#include "kernel/panic.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/vm.h"

_Static_assert(NODE_SHARES >= MAX_VMS, "each VM may have a share of each node");

static struct share *find_share(struct node *n, const struct vm *vm)
{
	for (u32 i = 0; i < n->nshares; i++)
		if (n->shares[i].vm == vm)
			return &n->shares[i];
	return NULL;
}

static void weigh(struct share *s)
{
	u32 weight = __atomic_load_n(&s->vm->weight, __ATOMIC_RELAXED);

	s->account.weight = weight ? weight : ACCOUNT_WEIGHT;
	s->account.cap = __atomic_load_n(&s->vm->cap, __ATOMIC_RELAXED);
}

void sched_weigh(struct node *n)
{
	for (u32 i = 0; i < n->nshares; i++)
		weigh(&n->shares[i]);
}

struct share *sched_share(struct node *n, struct vm *vm)
{
	struct share *s = find_share(n, vm);

	if (s)
		return s;
	s = &n->shares[n->nshares];
	*s = (struct share){ .vm = vm, .account = ACCOUNT_INIT };
	s->account.virtual_time = n->vms.floor;
	weigh(s);
	n->nshares++;
	return s;
}

/* Shares whose VCPUs begin at this place of the run queue, or behind, but for one. */
static void shift(struct node *n, const struct share *but, u32 at, s32 by)
{
	for (u32 i = 0; i < n->nshares; i++)
		if (&n->shares[i] != but && n->shares[i].first >= at)
			n->shares[i].first += by;
}

void sched_add(struct vcpu *v)
{
	struct node *n = v->node;
	struct share *s = sched_share(n, v->vm);
	u32 at = s->nvcpus ? s->first + s->nvcpus : n->nvcpus;

	if (n->nvcpus == NODE_VCPUS_MAX)
		panic("node %u has %u VCPUs already", n->id, NODE_VCPUS_MAX);
	if (!s->nvcpus++)
		s->first = at;
	shift(n, s, at, 1);
	for (u32 i = n->nvcpus++; i > at; i--)
		n->vcpus[i] = n->vcpus[i - 1];
	n->vcpus[at] = v;
	v->share = s;
	if (!v->account.weight) /* made, not moved */
		v->account =
			(struct account){ .virtual_time = ACCOUNT_CARRY, .weight = ACCOUNT_WEIGHT };
	account_join(&v->account, &s->vcpus);
}

void sched_put_off(struct vcpu *v)
{
	struct node *n = v->node;

	if (n->current != v)
		return;
	arch_vcpu_switch_out(v);
	n->current = NULL;
}

void sched_remove(struct vcpu *v)
{
	struct node *n = v->node;
	struct share *s = v->share;
	u32 at = s->first;

	if (n->preferred == v)
		n->preferred = NULL;
	while (n->vcpus[at] != v)
		at++;
	n->nvcpus--;
	for (u32 i = at; i < n->nvcpus; i++)
		n->vcpus[i] = n->vcpus[i + 1];
	s->nvcpus--;
	shift(n, s, at + 1, -1);
	account_part(&v->account, &s->vcpus);
}
