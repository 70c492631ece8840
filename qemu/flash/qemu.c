/* SPDX-License-Identifier: MIT */
/* Is this QEMU 7.2 with one thread for all processors? Everything is checked before it is used. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "qemu/flash/flash.h"
#include "qemu/flash/qemu.h"
#include "qemu/plugin/qemu-api.h"

#define NEEDED "needed: QEMU 7.2, qemu-system-mips64el -accel tcg,thread=single"
/* The class of the accelerator, in words: its functions lie somewhere here. */
#define CLASS_FIRST 8
#define CLASS_LAST  40

struct qemu qemu;

static const struct {
	const char *name;
	size_t at;
} symbols[] = {
#define AT(field) offsetof(struct qemu, field)
	{ "qemu_get_cpu", AT(get_cpu) },
	{ "cpu_exit", AT(cpu_exit) },
	{ "cpu_loop_exit_restore", AT(cpu_loop_exit_restore) },
	{ "cpu_thread_is_idle", AT(cpu_thread_is_idle) },
	{ "all_cpu_threads_idle", AT(all_cpu_threads_idle) },
	{ "qemu_clock_run_timers", AT(clock_run_timers) },
	{ "qemu_clock_deadline_ns_all", AT(clock_deadline_ns_all) },
	{ "qemu_mutex_lock_iothread_impl", AT(lock) },
	{ "qemu_mutex_unlock_iothread", AT(unlock) },
	{ "rcu_register_thread", AT(rcu_register_thread) },
	{ "qemu_get_aio_context", AT(get_aio_context) },
	{ "aio_bh_schedule_oneshot_full", AT(schedule_bh) },
	{ "object_class_by_name", AT(class_by_name) },
	{ "qemu_ram_block_by_name", AT(ram_block_by_name) },
	{ "qemu_ram_get_host_addr", AT(ram_get_host_addr) },
	{ "qemu_ram_get_used_length", AT(ram_get_used_length) },
	{ "tcg_handle_interrupt", AT(handle_interrupt) },
	{ "rr_start_vcpu_thread", AT(start_one_thread) },
	{ "mttcg_start_vcpu_thread", AT(start_many_threads) },
	{ "use_icount", AT(use_icount) },
#undef AT
};

bool qemu_check(const struct qemu_info *info, char *why, size_t bytes)
{
	if (!info->system_emulation || strcmp(info->target_name, "mips64el"))
		snprintf(why, bytes, "found an emulator of %s; " NEEDED, info->target_name);
	else if (info->version.min > QEMU_PLUGIN_VERSION || info->version.cur < QEMU_PLUGIN_VERSION)
		snprintf(why, bytes, "found plugin interface %d to %d, without %d; " NEEDED,
			 info->version.min, info->version.cur, QEMU_PLUGIN_VERSION);
	else if (info->system.smp_vcpus < 1 || info->system.smp_vcpus > MAX_CPUS)
		snprintf(why, bytes, "found %d processors, allowed 1 to %d: -smp",
			 info->system.smp_vcpus, MAX_CPUS);
	else
		return true;
	return false;
}

bool qemu_find(void *(*find)(const char *name), char *why, size_t bytes)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *address = find(symbols[i].name);

		memcpy((char *)&qemu + symbols[i].at, &address, sizeof(address));
		if (!address) {
			snprintf(why, bytes, "this QEMU has no %s: not the one known; " NEEDED,
				 symbols[i].name);
			return false;
		}
	}
	return true;
}

/* get_virtual_clock comes right behind handle_interrupt, and is empty without -icount. */
void **qemu_clock_slot(void **class, char *why, size_t bytes)
{
	void **slot = NULL;
	bool one = false, many = false;

	for (unsigned i = CLASS_FIRST; i < CLASS_LAST; i++) {
		if (class[i] == qemu.handle_interrupt)
			slot = &class[i + 1];
		one |= class[i] == qemu.start_one_thread;
		many |= class[i] == qemu.start_many_threads;
	}
	if (*qemu.use_icount)
		snprintf(why, bytes, "found -icount: the clock is the model's; " NEEDED);
	else if (many)
		snprintf(why, bytes, "found thread=multi; " NEEDED);
	else if (!slot || !one || *slot)
		snprintf(why, bytes, "found no place for a clock: not the QEMU known; " NEEDED);
	else
		return slot;
	return NULL;
}

const char *qemu_version(void)
{
	static char line[200];
	char exe[1024], command[1100];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	FILE *out;

	snprintf(command, sizeof(command), "'%.*s' --version 2>/dev/null", len > 0 ? (int)len : 0,
		 exe);
	out = popen(command, "r");
	if (out && fgets(line, sizeof(line), out))
		line[strcspn(line, "\n\"\\")] = 0;
	if (out)
		pclose(out);
	return line[0] ? line : "unknown";
}
