/* SPDX-License-Identifier: MIT */
/* Workers of the NUMA workloads: see work.h. */
#include <stdlib.h>
#include <string.h>

#include "guests/lib/hypercall.h"
#include "guests/numa/work.h"

#define BARE_WORKERS 8
#define POLLS	     2000 /* before the rest of the time slice goes to whoever shares the processor */

/* A page of its own: everybody writes here, nobody should miss anything else by that. */
static struct shared {
	struct {
		volatile u64 done; /* the last section that this worker ended */
		u64 result;
		u64 unused[14];
	} worker[GUEST_VCPUS_MAX];
	volatile u64 section; /* counts up; the workers wait for it */
	void (*volatile fn)(unsigned worker);
	u64 next; /* "physical" address of memory not given yet */
} shared __attribute__((aligned(PAGE_SIZE)));

static u8 after_shared[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE), used));

unsigned work_cpus = 1;

static void wait_for(const volatile u64 *word, u64 value)
{
	for (unsigned polls = 0; *word != value; polls++) {
		for (unsigned i = 0; i < 40; i++)
			asm volatile("");
		if (polls % POLLS == POLLS - 1)
			hypercall(DISCO_HC_YIELD, 0, 0);
	}
	asm volatile("sync" : : : "memory");
}

static void worker_loop(u64 id)
{
	for (u64 section = 1;; section++) {
		wait_for(&shared.section, section);
		shared.fn((unsigned)id);
		asm volatile("sync" : : : "memory");
		shared.worker[id].done = section;
	}
}

void work_start(void)
{
	if (platform_is_native) {
		work_cpus = BARE_WORKERS;
		return;
	}
	while (work_cpus < GUEST_VCPUS_MAX && !guest_start_vcpu(work_cpus, worker_loop, work_cpus))
		work_cpus++;
}

void work_all(void (*fn)(unsigned worker))
{
	u64 section = shared.section + 1;

	if (platform_is_native) {
		for (unsigned i = 0; i < work_cpus; i++)
			fn(i);
		return;
	}
	shared.fn = fn;
	asm volatile("sync" : : : "memory");
	shared.section = section;
	fn(0);
	for (unsigned i = 1; i < work_cpus; i++)
		wait_for(&shared.worker[i].done, section);
}

void work_begin(void) { asm volatile("addiu $0, $0, 0x5101" : : : "memory"); }
void work_end(void) { asm volatile("addiu $0, $0, 0x5102" : : : "memory"); }

void *work_alloc(size_t bytes)
{
	u64 pa = shared.next ? shared.next : ROUND_UP(guest_free_pa(), PAGE_SIZE);

	shared.next = pa + ROUND_UP(bytes, PAGE_SIZE);
	return guest_va(pa);
}

/*
 * The bootargs are the only text of the device tree that holds "NAME=": no need for a parser. The
 * second word of the tree is its size, big endian.
 */
u64 work_option(const char *name, u64 otherwise)
{
	const char *tree = (const char *)guest_boot.a[1];
	size_t len = strlen(name), bytes;

	if (platform_is_native)
		return otherwise;
	bytes = __builtin_bswap32(((const u32 *)tree)[1]);
	for (size_t i = 0; i + len + 1 < bytes; i++)
		if (!memcmp(tree + i, name, len) && tree[i + len] == '=')
			return strtoul(tree + i + len + 1, NULL, 10);
	return otherwise;
}

void work_result(unsigned worker, u64 sum) { shared.worker[worker].result = sum; }

int work_report(void)
{
	u64 sum = 0;

	for (unsigned i = 0; i < work_cpus; i++)
		sum = sum * 31 + shared.worker[i].result;
	print("%s: %u workers, sum %016lx\n", guest_name, work_cpus, (unsigned long)sum);
	return 0;
}
