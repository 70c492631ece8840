/* SPDX-License-Identifier: MIT */
/*
 * What the model uses of QEMU beside the plugin interface: functions that its binary exports, found
 * by name, and the place of its virtual clock in the class "tcg-accel-ops".
 */
#ifndef QEMU_FLASH_QEMU_H
#define QEMU_FLASH_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qemu_info;

#define QEMU_CLOCK_VIRTUAL 1
#define QEMU_ALL_TIMERS	   (-1)

/* docs of each: QEMU 7.2's include/ */
struct qemu {
	void *(*get_cpu)(int index);
	void (*cpu_exit)(void *cpu);
	void (*cpu_loop_exit_restore)(void *cpu, uintptr_t host_pc);
	bool (*cpu_thread_is_idle)(void *cpu);
	bool (*all_cpu_threads_idle)(void);
	bool (*clock_run_timers)(int clock);
	int64_t (*clock_deadline_ns_all)(int clock, int attributes);
	void (*lock)(const char *file, int line);
	void (*unlock)(void);
	void (*rcu_register_thread)(void);
	void *(*get_aio_context)(void);
	void (*schedule_bh)(void *context, void (*cb)(void *), void *data, const char *name);
	void *(*class_by_name)(const char *name);
	void *(*ram_block_by_name)(const char *name);
	void *(*ram_get_host_addr)(void *block);
	uint64_t (*ram_get_used_length)(void *block);
	/* only compared with */
	void *handle_interrupt, *start_one_thread, *start_many_threads;
	int *use_icount;
};

extern struct qemu qemu;

/* Is this the QEMU that the model knows? False: why says what is wrong. Pure. */
bool qemu_check(const struct qemu_info *info, char *why, size_t bytes);
/* Fills struct qemu from what find returns for each name; the same. */
bool qemu_find(void *(*find)(const char *name), char *why, size_t bytes);
/* The clock's slot among the words of the accelerator's class; NULL: the same. */
void **qemu_clock_slot(void **class, char *why, size_t bytes);
const char *qemu_version(void); /* first line of its --version */

#endif /* QEMU_FLASH_QEMU_H */
