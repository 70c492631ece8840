/* SPDX-License-Identifier: MIT */
/* Nodes: making their structs, waking them into the monitor, mail between them. */
#include "arch/mips/arch.h"
#include "kernel/console/console.h"
#include "kernel/log.h"
#include "kernel/mem/memmap.h"
#include "kernel/panic.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/tick.h"
#include "kernel/mem/shootdown.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

struct node *nodes[MAX_NODES];
unsigned nnodes;

#define START_PATIENCE 3000 /* ms */

void node_create(u32 id)
{
	u32 npages = topology_bytes(id) >> PAGE_SHIFT;
	struct node *n = nodemem_boot_alloc(id, sizeof(*n), 128);
	char *stack = nodemem_boot_alloc(id, NODE_STACK_SIZE, PAGE_SIZE);
	struct page *pages = nodemem_boot_alloc(id, npages * sizeof(*pages), 128);
	const void *zero = nodemem_boot_alloc(id, PAGE_SIZE, PAGE_SIZE);

	if (!n || !stack || !pages || !zero)
		panic("node %u: %lu KB of memory are too few for the monitor", id,
		      topology_bytes(id) >> 10);
	n->id = id;
	n->zero = maddr_mpn(ptr_maddr(zero));
	n->stack_top = (u64)stack + NODE_STACK_SIZE;
	if (id) /* node 0 has the original */
		n->text = arch_text_copy(nodemem_boot_alloc(id, arch_text_bytes(), PAGE_SIZE));
	memmap_init_node(id, maddr_mpn(topology_base(id)), npages, pages);
	latency_init(id);
	numa_init_node(id);
	nodes[id] = n;
}

/* Node 0 starts the others one by one; each comes to node_main and says so in up. */
void node_start_others(void)
{
	for (u32 i = 1; i < nnodes; i++) {
		u64 give_up = count64() + START_PATIENCE * COUNT_MS;

		arch_start_node(i);
		while (!__atomic_load_n(&nodes[i]->up, __ATOMIC_ACQUIRE)) {
			if (count64() > give_up)
				panic("node %u did not start", i);
			arch_yield();
		}
	}
}

/* Where a processor other than 0 comes in, on its own stack. */
_Noreturn void node_main(struct node *n);
_Noreturn void node_main(struct node *n)
{
	arch_node_init(n);
	__atomic_store_n(&n->up, 1, __ATOMIC_RELEASE);
	/* node 0 still sets up what all share */
	while (!__atomic_load_n(&nodes[0]->up, __ATOMIC_ACQUIRE))
		arch_yield();
	sched_start(n);
}

void node_post(struct node *n, u32 mail)
{
	u32 before;

	line_take(&n->unread);
	before = __atomic_fetch_or(&n->mail, mail, __ATOMIC_SEQ_CST);

	if (mail & ~before) /* else it is on its way */
		node_kick(n);
}

void node_kick(struct node *n)
{
	if (n != node_self())
		arch_send_ipi(n->id);
}

void node_read_mail(struct node *n)
{
	/* Behind the store that took the interrupt away, if one came: what it tells of is read after that. */
	u32 mail = __atomic_exchange_n(&n->mail, 0, __ATOMIC_SEQ_CST);

	if (mail & MAIL_STOP)
		panic_stop();
	if (mail & MAIL_SHOOTDOWN)
		shootdown_answer(n);
	if (mail & MAIL_RESCHED)
		n->need_resched = true;
}

void node_heed_stop(const struct node *n)
{
	if (__atomic_load_n(&n->mail, __ATOMIC_RELAXED) & MAIL_STOP)
		panic_stop();
}

void node_resched(struct node *n)
{
	if (n == node_self())
		n->need_resched = true;
	else
		node_post(n, MAIL_RESCHED);
}

COMMAND(nodes, "", "processors, their memory and what they do")
{
	kprintf("node  memory from  MB    free MB  monitor KB  VCPUs  running           ticks    IPIs    switches  idle %%  local %%\n");
	for (u32 i = 0; i < nnodes; i++) {
		const struct node *n = nodes[i];
		const struct vcpu *v = n->current;
		char local[8] = "-";
		bool runs = v && vcpu_state(v) == VCPU_RUNNING;

		if (numa_misses(i))
			ksnprintf(local, sizeof(local), "%lu", numa_local_percent(i));
		kprintf("%4u  %11lx  %-4lu  %-7lu  %-10lu  %-5u  %-16s  %-7lu  %-6lu  %-8lu  %-6lu  %s\n",
			i, topology_base(i).v, topology_bytes(i) >> 20,
			nodemem_free_pages(i) >> (20 - PAGE_SHIFT), nodemem_monitor_bytes(i) >> 10,
			n->nvcpus, runs ? v->vm->name : "idle", n->stats.ticks, n->stats.ipis,
			n->stats.switches, 100 * n->stats.idle_ticks / MAX(count64(), 1ul), local);
	}
}
