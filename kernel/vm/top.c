/* SPDX-License-Identifier: MIT */
/*
 * `top`: what VMs and nodes do, of the time between two looks, as a live picture and as a line of JSON for scripts. Reads what other
 * nodes write without a lock: figures may be a moment old. Node 0 only.
 */
#include <string.h>
#include "kernel/console/console.h"
#include "kernel/log.h"
#include "kernel/vm/vm.h"
#include "kernel/words.h"
#include "numa/numa.h"

#define DRAW_MS_MIN 100u
#define DRAW_MS_MAX 10000u
#define DRAW_MS	    1000u

/* Since the start of the machine, in Count ticks and numbers. Of a VM: of all its VCPUs, since it was made. */
struct counts {
	u64 ran;     /* a VM in processors; a node not idle */
	u64 waited;  /* VCPUs that could have run, for a processor */
	u64 entries; /* to the monitor */
	u64 switches;
	u64 moves; /* of VCPUs, to another node; to this node */
	u64 misses, local;
};

struct look {
	u64 when; /* count64 */
	struct counts vm[MAX_VMS], node[MAX_NODES];
};

static void look_at_vm(const struct vm *vm, struct counts *c)
{
	for (u32 i = 0; i < vm->nvcpus; i++) {
		const struct vcpu *v = vm->vcpus[i];

		c->ran += v->stats.run_ticks;
		c->waited += v->stats.waited_ticks;
		c->entries += vcpu_exits(v);
		c->switches += v->stats.switches;
		c->moves += v->stats.moves;
		c->misses += v->stats.charged;
	}
}

static void look_at_node(u32 id, u64 now, struct counts *c)
{
	const struct node *n = nodes[id];

	c->ran = now - MIN(n->stats.idle_ticks, now);
	c->switches = n->stats.switches;
	c->moves = n->stats.vcpu_moves;
	c->misses = numa_misses(id);
	c->local = numa_local_misses(id);
}

/* A VM that was made anew since the last look has less than then. */
static u64 more(u64 now, u64 before) { return now >= before ? now - before : now; }

static void subtract(struct counts *c, const struct counts *before)
{
	*c = (struct counts){ .ran = more(c->ran, before->ran),
			      .waited = more(c->waited, before->waited),
			      .entries = more(c->entries, before->entries),
			      .switches = more(c->switches, before->switches),
			      .moves = more(c->moves, before->moves),
			      .misses = more(c->misses, before->misses),
			      .local = more(c->local, before->local) };
}

/* What there is more than at the last look, which this becomes; in `when` how long that is. */
static void look(struct look *last, struct look *since)
{
	struct look now = { .when = count64() };

	for (u32 i = 0; i < nvms; i++)
		look_at_vm(vms[i], &now.vm[i]);
	for (u32 i = 0; i < nnodes; i++)
		look_at_node(i, now.when, &now.node[i]);
	*since = now;
	since->when = MAX(now.when - last->when, 1ul);
	for (u32 i = 0; i < nvms; i++)
		subtract(&since->vm[i], &last->vm[i]);
	for (u32 i = 0; i < nnodes; i++)
		subtract(&since->node[i], &last->node[i]);
	*last = now;
}

/* A part of a whole as percent with one place. */
struct percent {
	char text[12];
};

static struct percent percent(u64 part, u64 whole)
{
	u64 tenths = whole ? part * 1000 / whole : 0;
	struct percent p;

	ksnprintf(p.text, sizeof(p.text), "%lu.%lu", tenths / 10, tenths % 10);
	return p;
}

static u64 a_second(u64 number, u64 ticks) { return number * 1000 / MAX(ticks / COUNT_MS, 1ul); }

/* The node of a VCPU, and how many there are, as letters of a row: "0 1 1 2". */
struct where {
	char text[3 * VM_MAX_VCPUS + 1];
};

static struct where where(const struct vm *vm)
{
	struct where w = { "" };
	size_t used = 0;

	for (u32 i = 0; i < vm->nvcpus; i++)
		used += ksnprintf(w.text + used, sizeof(w.text) - used, "%s%u", i ? "," : "",
				  vm->vcpus[i]->node->id);
	return w;
}

/* ---- the live picture ---- */

static struct look drawn, asked; /* at the last look of each */
static u32 draw_ms;
static struct look since; /* too much for a stack */

static u64 misses_of_all(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < nnodes; i++)
		sum += since.node[i].misses;
	return sum;
}

static void print_vms(void)
{
	kprintf("VM               state    VCPUs   run %%   wait %%  entries/s  switches/s  moves  remote misses  nodes\n");
	for (u32 i = 0; i < nvms; i++) {
		const struct counts *c = &since.vm[i];

		kprintf("%-16s %-9s %4u  %6s  %7s  %9lu  %10lu  %5lu  %13lu  %s\n", vms[i]->name,
			vm_state_name(vm_state(vms[i])), vms[i]->nvcpus,
			percent(c->ran, since.when).text, percent(c->waited, since.when).text,
			a_second(c->entries, since.when), a_second(c->switches, since.when),
			c->moves, c->misses, where(vms[i]).text);
	}
}

static void print_nodes(void)
{
	u64 all = misses_of_all();

	kprintf("node  VCPUs   busy %%  switches/s  moves  misses/s   %% of all  local %%  free MB\n");
	for (u32 i = 0; i < nnodes; i++) {
		const struct counts *c = &since.node[i];

		kprintf("%4u  %5u  %7s  %10lu  %5lu  %8lu  %8s  %7s  %7lu\n", i, nodes[i]->nvcpus,
			percent(c->ran, since.when).text, a_second(c->switches, since.when),
			c->moves, a_second(c->misses, since.when), percent(c->misses, all).text,
			percent(c->local, c->misses).text,
			nodemem_free_pages(i) >> (20 - PAGE_SHIFT));
	}
}

static void draw(void)
{
	look(&drawn, &since);
	kprintf("\033[H\033[J");
	print_vms();
	kprintf("\n");
	print_nodes();
	kprintf("of the last %lu ms; any key ends it\n", since.when / COUNT_MS);
}

/* ---- JSON ---- */

#define JSON_BYTES 12288

static struct {
	char text[JSON_BYTES];
	size_t used;
} json;

#define ADD(...) \
	(json.used += ksnprintf(json.text + json.used, JSON_BYTES - json.used, __VA_ARGS__))

static void add_vm(u32 i, u32 before)
{
	const struct counts *c = &since.vm[i];

	ADD("%s{\"name\":\"%s\",\"state\":\"%s\",\"vcpus\":%u,\"nodes\":[%s],", before ? "," : "",
	    vms[i]->name, vm_state_name(vm_state(vms[i])), vms[i]->nvcpus, where(vms[i]).text);
	ADD("\"run\":%s,\"wait\":%s,\"entries\":%lu,\"switches\":%lu,\"moves\":%lu,\"remote_misses\":%lu}",
	    percent(c->ran, since.when).text, percent(c->waited, since.when).text, c->entries,
	    c->switches, c->moves, c->misses);
}

static void add_node(u32 i)
{
	const struct counts *c = &since.node[i];

	ADD("%s{\"node\":%u,\"vcpus\":%u,\"busy\":%s,\"switches\":%lu,\"moves\":%lu,", i ? "," : "",
	    i, nodes[i]->nvcpus, percent(c->ran, since.when).text, c->switches, c->moves);
	ADD("\"misses\":%lu,\"local_misses\":%lu,\"free_kb\":%lu}", c->misses, c->local,
	    nodemem_free_pages(i) << (PAGE_SHIFT - 10));
}

static void print_json(void)
{
	look(&asked, &since);
	json.used = 0;
	ADD("{\"ms\":%lu,\"since_ms\":%lu,\"vms\":[", asked.when / COUNT_MS, since.when / COUNT_MS);
	for (u32 i = 0, n = 0; i < nvms; i++)
		if (vm_state(vms[i]) != VM_BROKEN) /* whose name may be anything */
			add_vm(i, n++);
	ADD("],\"nodes\":[");
	for (u32 i = 0; i < nnodes; i++)
		add_node(i);
	ADD("]}\n");
	console_write(json.text, json.used); /* no line of others in between */
}

static const char *word(u32 i) { return i ? NULL : "json"; }

COMMAND_WITH_WORDS(top, "[MS]", "what VMs and nodes do, live; json: as a line for scripts", word)
{
	u64 ms = DRAW_MS;

	if (argc > 1 && !strcmp(argv[1], "json")) {
		print_json();
		return;
	}
	if (argc > 1 && (!word_number(word_of(argv[1]), DRAW_MS_MAX, &ms) || ms < DRAW_MS_MIN)) {
		kprintf("top: found %s, allowed json or %u..%u ms\n", argv[1], DRAW_MS_MIN,
			DRAW_MS_MAX);
		return;
	}
	draw_ms = ms;
	draw();
	console_live(draw, draw_ms);
}
