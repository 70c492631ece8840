/* SPDX-License-Identifier: MIT */
/* Start and end of the model as a plugin of QEMU. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "qemu/flash/flash.h"
#include "qemu/flash/qemu.h"
#include "qemu/flash/tlb.h"
#include "qemu/plugin/qemu-api.h"

#define RAM_NAME "mips_malta.ram"

struct options options;
struct cpu cpus[MAX_CPUS];
unsigned cpu_count;
struct ram ram;

static int refuse(const char *why)
{
	fprintf(stderr, "flash: %s\n", why);
	return -1;
}

static void *find(const char *name) { return dlsym(RTLD_DEFAULT, name); }

static bool find_ram(void)
{
	void *block = qemu.ram_block_by_name(RAM_NAME);

	if (!block)
		return false;
	ram.host = qemu.ram_get_host_addr(block);
	ram.bytes = qemu.ram_get_used_length(block);
	return true;
}

/* The board has its memory and makes its processors; nothing runs yet. */
static void processor_made(qemu_plugin_id_t id, unsigned int i)
{
	char why[200];

	(void)id;
	cpus[i].id = i;
	cpus[i].idle = true;
	cpus[i].qemu = qemu.get_cpu(i);
	if (i)
		return;
	if (!find_ram())
		exit(-refuse("found no " RAM_NAME ", needed: -M malta"));
	if (!clock_init(why, sizeof(why)))
		exit(-refuse(why));
	magic_start();
	if (!memory_init())
		exit(-refuse("found no memory for the caches"));
}

/* All processors are made, TLBs and all; the first one is about to run. */
void plugin_before_first_block(void)
{
	char why[200];

	for (unsigned i = 0; options.tlb && i < cpu_count; i++)
		if (!tlb_take(i, cpus[i].qemu, options.tlb, why, sizeof(why)))
			exit(-refuse(why));
}

static void finish(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	if (options.out[0])
		report_write(qemu_version());
}

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info,
					   int argc, char **argv)
{
	char why[400];

	options_default(&options);
	for (int i = 0; i < argc; i++) {
		if (options_parse(&options, argv[i], why, sizeof(why))) {
			fprintf(stderr, "flash: found option '%s', %s\n", argv[i], why);
			return -1;
		}
	}
	if (!qemu_check(info, why, sizeof(why)) || !qemu_find(find, why, sizeof(why)))
		return refuse(why);
	if (options.tlb && !tlb_define(options.tlb, why, sizeof(why)))
		return refuse(why);
	if (report_open())
		return -1;
	cpu_count = info->system.smp_vcpus;
	translate_register(id);
	qemu_plugin_register_vcpu_init_cb(id, processor_made);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
