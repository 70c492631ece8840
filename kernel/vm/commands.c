/* SPDX-License-Identifier: MIT */
/* Prompt commands that show VMs and VCPUs and control them. Reads what other nodes write without a
 * lock: figures may be a moment old. */
#include <string.h>
#include "kernel/console/console.h"
#include "kernel/log.h"
#include "kernel/reloc/patch.h"
#include "kernel/vm/hypercall.h"
#include "kernel/vm/move.h"
#include "kernel/vm/vm.h"
#include "kernel/words.h"

/* The nodes of a mask as a list: "0-3,8". */
struct node_list {
	char text[40];
};

static struct node_list list_nodes(struct nodemask mask)
{
	struct node_list l = { "" };
	size_t used = 0;

	for (u32 i = nodemask_next(mask, 0), last; i < nnodes; i = nodemask_next(mask, last + 1)) {
		for (last = i; nodemask_has(mask, last + 1);)
			last++;
		used += ksnprintf(l.text + used, sizeof(l.text) - used, "%s%u", used ? "," : "", i);
		if (last > i)
			used += ksnprintf(l.text + used, sizeof(l.text) - used, "-%u", last);
	}
	return l;
}

static struct nodemask nodes_of(const struct vm *vm)
{
	struct nodemask mask = NODEMASK_NONE;

	for (u32 i = 0; i < vm->nvcpus; i++)
		nodemask_add(&mask, vm->vcpus[i]->node->id);
	return mask;
}

COMMAND(vms, "", "virtual machines and the nodes of their VCPUs")
{
	kprintf("name             state     nodes    VCPUs  memory MB  in use KB  entries\n");
	for (unsigned i = 0; i < nvms; i++) {
		const struct vm *vm = vms[i];
		u64 exits = 0;

		for (u32 j = 0; j < vm->nvcpus; j++)
			exits += vcpu_exits(vm->vcpus[j]);
		kprintf("%-16s %-9s %-7s  %5u  %9u  %9lu  %lu\n", vm->name,
			vm_state_name(vm_state(vm)), list_nodes(nodes_of(vm)).text, vm->nvcpus,
			vm->desc->memory_mb, (u64)vm->pmap.used << (PAGE_SHIFT - 10), exits);
		if (vm_state(vm) <= VM_ABSENT && vm->end[0])
			kprintf("  %s\n", vm->end);
	}
}

COMMAND(vcpus, "", "virtual processors and where they run")
{
	kprintf("VCPU                node  state    mode    pc                run ms     switches  entries\n");
	for (unsigned i = 0; i < nvms; i++) {
		for (u32 j = 0; j < vms[i]->nvcpus; j++) {
			const struct vcpu *v = vms[i]->vcpus[j];

			kprintf("%-16s/%u  %4u  %-8s %-6s  %016lx  %-9lu  %-8lu  %lu\n",
				vms[i]->name, j, v->node->id, vcpu_state_name(vcpu_state(v)),
				vcpu_state(v) < VCPU_READY ? "-"
				: arch_vcpu_user(v)	   ? "user"
							   : "kernel",
				v->arch.pc, v->stats.run_ticks / COUNT_MS, v->stats.switches,
				vcpu_exits(v));
		}
	}
}

static const char *exit_name(unsigned code)
{
	static const char *const names[32] = {
		[0] = "Int",  [1] = "Mod",    [2] = "TLBL",   [3] = "TLBS",   [4] = "AdEL",
		[5] = "AdES", [6] = "IBE",    [7] = "DBE",    [8] = "Sys",    [9] = "Bp",
		[10] = "RI",  [11] = "CpU",   [12] = "Ov",    [13] = "Tr",    [14] = "MSAFPE",
		[15] = "FPE", [19] = "TLBRI", [20] = "TLBXI", [21] = "MSADis"
	};

	return names[code] ? names[code] : "other";
}

static void print_patched(const struct patch *p)
{
	static const char *const why[PATCH_WHYS] = {
		[PATCH_LINKED] = "LL, SC",     [PATCH_SLOT] = "slots",
		[PATCH_BASE] = "own base",     [PATCH_FULL] = "no room",
		[PATCH_AGAIN] = "other bases", [PATCH_CODE] = "code read",
		[PATCH_MAPPED] = "mapped"
	};

	kprintf("    patched: %lu places, %lu of them calls, %lu jumps and %lu moves of CP0, %lu given up again, in %u pages; still emulated:",
		p->patched, p->calls, p->jumps, p->moves, p->freed, p->copied);
	for (u32 i = PATCH_LINKED; i < PATCH_WHYS; i++)
		kprintf(" %s %lu%s", why[i], p->why[i], i + 1 < PATCH_WHYS ? "," : "\n");
}

static void print_stats(const struct vcpu *v)
{
	kprintf("%s/%u: %lu entries:", v->vm->name, v->id, vcpu_exits(v));
	for (unsigned code = 0; code < ARRAY_SIZE(v->stats.exits); code++)
		if (v->stats.exits[code])
			kprintf(" %s %lu", exit_name(code), v->stats.exits[code]);
	kprintf("\n    %lu instructions emulated, %lu monitor calls, %lu TLB misses behind the L2TLB, %lu deliveries\n",
		v->stats.privileged, v->stats.hypercalls, vcpu_tlb_exits(v), v->stats.injected);
	if (v->vm->rewrite.on)
		kprintf("    rewritten: %u places at load, %u left; %lu fetches and %lu accesses emulated in %lu ticks\n",
			v->vm->rewrite.places, v->vm->rewrite.left, v->stats.rewrite.fetches,
			v->stats.rewrite.emulated, v->stats.rewrite.ticks);
	if (v->vm->patch)
		print_patched(v->vm->patch);
	if (!v->stats.hypercalls)
		return;
	kprintf("    calls:");
	for (unsigned number = 0; number < ARRAY_SIZE(v->stats.calls); number++)
		if (v->stats.calls[number])
			kprintf(" %s %lu", hypercall_name(number), v->stats.calls[number]);
	kprintf("\n");
}

/* Of the whole machine: pages that guests see in place of a copy, copies, and shared pages written. */
static void print_shared(void)
{
	u64 shared = 0, copied = 0, broken = 0, zero = 0, written = 0;

	for (u32 i = 0; i < nnodes; i++) {
		shared += nodes[i]->stats.mapped;
		copied += nodes[i]->stats.copied;
		broken += nodes[i]->stats.broken;
	}
	for (unsigned i = 0; i < nvms; i++) {
		zero += vms[i]->pmap.zero.given;
		written += vms[i]->pmap.zero.written;
	}
	kprintf("pages shared %lu, copied %lu, broken %lu; read before they were written %lu, written since %lu\n",
		shared, copied, broken, zero, written);
}

COMMAND(stats, "[VM]", "entries to the monitor by cause, per VCPU; pages shared and copied")
{
	struct vm *only = argc > 1 ? command_vm(argc, argv) : NULL;

	if (argc == 1)
		print_shared();
	for (unsigned i = 0; i < nvms; i++)
		for (u32 j = 0; j < vms[i]->nvcpus; j++)
			if (argc == 1 || vms[i] == only)
				print_stats(vms[i]->vcpus[j]);
}

COMMAND(regs, "VM [VCPU]", "registers and virtual CP0, as of its last entry to the monitor")
{
	struct vcpu *v = command_vcpu(argc, argv);

	if (v)
		arch_vcpu_print(v);
}

COMMAND(tlb, "VM [VCPU]", "the guest's TLB entries, or what the L2TLB holds of its address space")
{
	struct vcpu *v = command_vcpu(argc, argv);

	if (v)
		arch_vcpu_print_tlb(v);
}

static void refuse(const struct vm *vm, const char *command, const char *needed)
{
	kprintf("%s: it is %s; %s needs one that is %s\n", vm->name, vm_state_name(vm_state(vm)),
		command, needed);
}

COMMAND(create, "VM",
	"make a VM that is absent by its description, and start it unless that is manual")
{
	struct vm *vm = command_vm(argc, argv);

	if (!vm)
		return;
	if (vm_state(vm) == VM_ABSENT || vm_state(vm) == VM_UNMAKING)
		vm_request(vm, VM_CREATE);
	else
		refuse(vm, argv[0], "absent");
}

COMMAND(destroy, "VM",
	"end a VM if it has not ended, and take it apart: its memory, and what the monitor has for it")
{
	struct vm *vm = command_vm(argc, argv);

	if (!vm)
		return;
	if (vm_state(vm) == VM_ABSENT && vm_requested(vm) != VM_CREATE)
		refuse(vm, argv[0], "there");
	else
		vm_request(vm, VM_DESTROY);
}

/* A VM that is about to stop starts again then. */
COMMAND(start, "VM", "load and start a stopped VM")
{
	struct vm *vm = command_vm(argc, argv);

	if (!vm)
		return;
	if (vm_state(vm) < VM_STOPPED || vm_state(vm) == VM_LOADING || vm_is_up(vm))
		refuse(vm, argv[0], "stopped");
	else
		vm_request(vm, VM_START);
}

/* A VM that is about to start, or to start again, can be stopped too. */
COMMAND(stop, "VM", "end a VM and take its memory back")
{
	struct vm *vm = command_vm(argc, argv);

	if (!vm)
		return;
	if (vm_state(vm) > VM_STOPPED || vm_requested(vm) != VM_NOTHING)
		vm_request(vm, VM_STOP);
	else
		refuse(vm, argv[0], "running");
}

COMMAND(reset, "VM", "stop a VM and start it afresh")
{
	struct vm *vm = command_vm(argc, argv);

	if (!vm)
		return;
	if (vm_is_up(vm))
		vm_request(vm, VM_RESET);
	else
		refuse(vm, argv[0], "running");
}

COMMAND(pause, "VM",
	"take its processors from a VM; its devices go on, its clock as its description says")
{
	struct vm *vm = command_vm(argc, argv);

	if (!vm)
		return;
	if (vm_state(vm) == VM_RUNNING)
		vm_request(vm, VM_PAUSE);
	else
		refuse(vm, argv[0], "running");
}

COMMAND(resume, "VM", "let a paused VM go on")
{
	struct vm *vm = command_vm(argc, argv);

	if (!vm)
		return;
	if (vm_is_held(vm) || vm_requested(vm) == VM_PAUSE)
		vm_request(vm, VM_RESUME);
	else
		refuse(vm, argv[0], "paused");
}

/* ---- move ---- */

/* Nodes in the order in which VCPUs go there. */
struct places {
	u32 node[VM_MAX_VCPUS], n;
};

static bool refuse_nodes(const char *found)
{
	kprintf("move: nodes: found %s, allowed numbers 0..%u and ranges of them, such as 0,0-%u, %u at most\n",
		found, nnodes - 1, nnodes - 1, VM_MAX_VCPUS);
	return false;
}

/* One part of the list: a number, or two with '-' between. */
static bool add_places(struct places *p, struct word part)
{
	struct word last = part, first = word_before(&last, '-');
	bool is_range = first.len < part.len;
	u64 from, to;

	if (!word_number(first, nnodes - 1, &from))
		return false;
	to = from;
	if (is_range && !word_number(last, nnodes - 1, &to))
		return false;
	if (to < from || to - from >= VM_MAX_VCPUS - p->n)
		return false;
	while (from <= to)
		p->node[p->n++] = from++;
	return true;
}

static bool parse_places(struct places *p, const char *list)
{
	struct word rest = word_of(list), part;

	p->n = 0;
	while ((part = list_next(&rest)).at)
		if (!add_places(p, part))
			return refuse_nodes(list);
	return p->n || refuse_nodes(list);
}

COMMAND(move, "VM NODES",
	"move a VM's VCPUs, the first to the first node of a list such as 0,2-3, ...")
{
	struct vm *vm = command_vm(argc, argv);
	struct places p;

	if (!vm)
		return;
	if (argc < 3)
		refuse_nodes("none");
	else if (parse_places(&p, argv[2]))
		for (u32 i = 0; i < vm->nvcpus; i++) {
			struct vcpu *v = vm->vcpus[i];

			v->place = nodes[p.node[i % p.n]];
			if (vcpu_move(v, v->place, true))
				kprintf("%s/%u: it is on its way somewhere; again when it has arrived\n",
					vm->name, i);
		}
}

/* ---- what a VM gets ---- */

/* The number that a command is to set; false, and what is allowed is said, if there is no such argument. */
static bool number_argument(const struct vm *vm, int argc, char **argv, u32 min, u32 max,
			    u32 *value)
{
	u64 number = 0;
	bool is_good = argc > 2 && word_number(word_of(argv[2]), max, &number) && number >= min;

	if (is_good)
		*value = number;
	else
		kprintf("%s: %s: found %s, allowed %u..%u\n", vm->name, argv[0],
			argc > 2 ? argv[2] : "none", min, max);
	return is_good;
}

COMMAND(weight, "VM N", "what a VM is worth against others on a node; 1024 as most")
{
	struct vm *vm = command_vm(argc, argv);
	u32 n;

	if (vm && number_argument(vm, argc, argv, VMDESC_WEIGHT_MIN, VMDESC_WEIGHT_MAX, &n))
		__atomic_store_n(&vm->weight, n, __ATOMIC_RELAXED);
}

COMMAND(cap, "VM PERCENT", "how much of each node's processor a VM may use")
{
	struct vm *vm = command_vm(argc, argv);
	u32 n;

	if (vm && number_argument(vm, argc, argv, 1, VMDESC_CAP_MAX, &n))
		__atomic_store_n(&vm->cap, n == VMDESC_CAP_MAX ? 0 : n, __ATOMIC_RELAXED);
}
