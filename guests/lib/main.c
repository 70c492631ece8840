/* SPDX-License-Identifier: MIT */
/* From start.S to main(), the start of further VCPUs, and print(). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "guests/lib/cp0.h"
#include "guests/lib/guest.h"
#include "guests/lib/hypercall.h"

struct guest_boot guest_boot;
struct percpu guest_percpu[GUEST_VCPUS_MAX];
u8 guest_stacks[GUEST_VCPUS_MAX][GUEST_STACK_BYTES] __attribute__((aligned(16)));

_Noreturn void guest_main(void);
void guest_secondary(void);
void guest_secondary_done(void);

void guest_main(void) { platform_off(main()); }

struct percpu *guest_this_cpu(void) { return (struct percpu *)cp0_read_kscratch1(); }

int guest_start_vcpu(unsigned id, void (*entry)(u64), u64 arg)
{
	static u64 block[GUEST_VCPUS_MAX][4];
	struct percpu *p = &guest_percpu[id];

	p->id = id;
	p->entry = entry;
	p->arg = arg;
	p->stack = (u64)guest_stacks[id] + GUEST_STACK_BYTES - 64;
	block[id][DISCO_START_PC / 8] = (u64)guest_secondary;
	block[id][DISCO_START_SP / 8] = p->stack;
	block[id][DISCO_START_GP / 8] = 0;
	block[id][DISCO_START_ARG / 8] = (u64)p;
	return (int)hypercall(DISCO_HC_VCPU_START, id, guest_pa(block[id]));
}

/* A VCPU whose entry returned stays stopped until it is started again. */
void guest_secondary_done(void) { hypercall(DISCO_HC_VCPU_STOP, 0, 0); }

void print(const char *fmt, ...)
{
	char buf[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	platform_write(buf, MIN((size_t)n, sizeof(buf) - 1));
}
