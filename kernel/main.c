/* SPDX-License-Identifier: MIT */
/* Start-up: the table of contents of the monitor. Node 0 runs this; the others join at node_main
 * (kernel/node.c). */
#include "arch/mips/arch.h"
#include "drivers/dev.h"
#include "kernel/console/console.h"
#include "kernel/vm/loader.h"
#include "kernel/vm/make.h"
#include "kernel/log.h"
#include "kernel/main.h"
#include "kernel/mem/l2tlb.h"
#include "kernel/options.h"
#include "kernel/panic.h"
#include "kernel/sched/fetch.h"
#include "kernel/sched/sched.h"
#include "kernel/seed.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

#define RAM_BASE  0x80000000ul
#define NODES_MIN 2

/* What L2TLBs can name: 62 GB. */
#define MEMORY_MAX ((L2TLB_NAMES << PAGE_SHIFT) - RAM_BASE)

static struct machine_desc machine;

static u32 checked(const char *what, u32 found, u32 have)
{
	if (!found)
		return have;
	if (found > have)
		log_line("main",
			 "disco.dtb: /: %s: found %u, allowed at most %u (this machine); going on with that",
			 what, found, have);
	return MIN(found, have);
}

/* The boot loader chose the place. What lay below the monitor's end is not there any more. */
static void check_archive(const struct boot_info *boot)
{
	u64 begin, end;

	if (!boot->archive)
		return;
	begin = ptr_maddr(boot->archive).v;
	end = begin + boot->archive_size;
	if (begin < boot->end.v || end > RAM_BASE + boot->memory_bytes)
		panic("found the boot archive at %lx to %lx, allowed %lx, behind the monitor, to %lx",
		      begin, end, boot->end.v, RAM_BASE + boot->memory_bytes);
}

/* What the description asks for, as far as this machine has it. No usable description: a machine
 * without VMs. */
static void describe_machine(const struct boot_info *boot)
{
	char why[VMDESC_ERROR_BYTES];
	unsigned processors = arch_processors();

	loader_set_archive(boot->archive, boot->archive_size);
	if (loader_describe(&machine, why, sizeof(why)))
		log_line("main", "%s%s", why[0] == '/' ? "disco.dtb: " : "", why);
	if (processors < NODES_MIN)
		panic("found %u processor, needed 2 to 16: start QEMU with -smp 2 or more",
		      processors);
	nnodes = checked("nodes", machine.nodes, MIN(processors, (unsigned)MAX_NODES));
	machine.memory_mb =
		checked("memory-mb", machine.memory_mb, MIN(boot->memory_bytes, MEMORY_MAX) >> 20);
}

static void create_nodes(const struct boot_info *boot)
{
	maddr_t archive = boot->archive ? ptr_maddr(boot->archive) : boot->end;
	maddr_t ram = { RAM_BASE };
	u64 bytes = magic_init(nnodes, ram, (u64)machine.memory_mb << 20);

	topology_init(nnodes, ram, bytes, boot->end);
	topology_keep(archive, boot->archive_size);
	latency_configure(&machine, boot->words);
	map_configure(boot->words);
	numa_configure(boot->words);
	for (u32 i = 0; i < nnodes; i++)
		node_create(i);
}

static void create_vms(void)
{
	for (u32 i = 0; i < machine.nvms; i++)
		vm_describe(&machine.vms[i]);
	for (u32 i = 0; i < nnodes; i++)
		nodemem_init(i); /* what is left is for VMs */
	for (u32 i = 0; i < nvms; i++)
		if (vm_state(vms[i]) == VM_ABSENT && !vms[i]->desc->on_demand)
			make_at_boot(vms[i]);
	loader_share_archive();
	disks_start();
}

static void start_vms(void)
{
	for (unsigned i = 0; i < nvms; i++)
		if (vm_state(vms[i]) == VM_STOPPED && !vms[i]->desc->manual)
			vm_request(vms[i], VM_START);
}

_Noreturn void monitor_main(const struct boot_info *boot)
{
	arch_early_init();
	log_line("main", "Disco, a virtual machine monitor for CC-NUMA MIPS64 machines");
	seed_init(boot->seed);
	check_archive(boot);
	describe_machine(boot);
	options_configure(boot->words);
	arch_configure();
	console_configure(boot->words);
	shuffle_configure(boot->words);
	fetch_configure(boot->words);
	create_nodes(boot);
	arch_node_init(nodes[0]);
	isa_init();
	host_disks_init(&machine, boot->words);
	uplink_init(&machine);
	loader_check_disks(&machine);
	create_vms();
	node_start_others();
	log_line("main", "%u nodes up, %u MB, %u VM%s", nnodes, machine.memory_mb, nvms,
		 nvms == 1 ? "" : "s");
	start_vms();
	console_start();
	__atomic_store_n(&nodes[0]->up, 1, __ATOMIC_RELEASE);
	sched_start(nodes[0]);
}
