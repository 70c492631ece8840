/* SPDX-License-Identifier: MIT */
/*
 * Rule: registers of a device are read and written by every integer load and store, in kernel and user
 * mode, through the xsseg window and through TLB entries, plain, in delay slots and in forbidden slots;
 * what is no such access is a bus error and changes nothing. kernel/abi/disco.h, docs/guest-abi.md.
 *
 * Method: the identity device's scratch word is stored and loaded by all widths and held against
 * memory; its interrupt is raised and dropped.
 *
 * Needs: identity
 */
#include "tests/guest/test.h"

PROBE3(p_lb, "lb $2, 0($4)");
PROBE3(p_lbu, "lbu $2, 0($4)");
PROBE3(p_lh, "lh $2, 0($4)");
PROBE3(p_lhu, "lhu $2, 0($4)");
PROBE3(p_lw, "lw $2, 0($4)");
PROBE3(p_lwu, "lwu $2, 0($4)");
PROBE3(p_ld, "ld $2, 0($4)");
PROBE3(p_sb, "sb $5, 0($4)");
PROBE3(p_sh, "sh $5, 0($4)");
PROBE3(p_sw, "sw $5, 0($4)");
PROBE3(p_sd, "sd $5, 0($4)");
PROBE1(p_ll, "ll $2, 0($4)");
PROBE(p_jump, "move $8, $31\n\tjr $4\n\tnop");
/* the slot loads what the branch tests, and the base is the register that the jump writes */
PROBE(p_own, "li $2, 1\n\tbeq $2, $0, 1f\n\tld $2, 0($4)\n1:");

#define DEVICE	(DISCO_XSSEG_BASE + DISCO_DEVICE_BASE)
#define SCRATCH DISCO_IDENTITY_SCRATCH
#define VALUE	0x8182838485868788ul

static const struct {
	char *plain, *delay, *forbidden;
	unsigned bytes;
	bool store;
} all[] = {
#define ROW(name, bytes, store)                        \
	{                                              \
		name, name##_d, name##_f, bytes, store \
	}
	ROW(p_lb, 1, false), ROW(p_lbu, 1, false), ROW(p_lh, 2, false), ROW(p_lhu, 2, false),
	ROW(p_lw, 4, false), ROW(p_lwu, 4, false), ROW(p_ld, 8, false), ROW(p_sb, 1, true),
	ROW(p_sh, 2, true),  ROW(p_sw, 4, true),   ROW(p_sd, 8, true),
};

static volatile u64 memory __attribute__((aligned(8)));

static void one(int mode, u64 device, const void *code, unsigned bytes, bool store)
{
	volatile u64 *scratch = (volatile u64 *)(DEVICE + SCRATCH);

	for (unsigned at = 0; at < 8; at += bytes) {
		const struct trap *t;
		u64 expected;

		memory = *scratch = VALUE;
		t = probe_in(MODE_KERNEL, code, (u64)&memory + at, ~VALUE, 0);
		check(!t->taken, "memory, %u bytes at %u", bytes, at);
		expected = t->v0;
		t = probe_in(mode, code, device + SCRATCH + at, ~VALUE, 0);
		check(!t->taken, "device, %u bytes at %u: exception %u", bytes, at, t->exc);
		if (store)
			check_eq("what was stored", *scratch, memory);
		else
			check_eq("what was loaded", t->v0, expected);
	}
}

static void refused(int mode, const void *code, u64 at)
{
	const struct trap *t = probe_in(mode, code, at, 0, 0);

	check(t->taken && t->exc == EXC_DBE, "at %lx: not a bus error", at);
}

static void everything(int mode, u64 device)
{
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		one(mode, device, all[i].plain, all[i].bytes, all[i].store);
		one(mode, device, all[i].delay, all[i].bytes, all[i].store);
		one(mode, device, all[i].forbidden, all[i].bytes, all[i].store);
		if (all[i].bytes > 1)
			refused(mode, all[i].plain, device + SCRATCH + 1);
		refused(mode, all[i].plain, device + DISCO_IDENTITY_BYTES);
	}
	*(volatile u64 *)(DEVICE + SCRATCH) = VALUE;
	check_eq("a branch that tests what its slot loads",
		 probe_in(mode, p_own, device + SCRATCH, 0, 0)->v0, VALUE);
	refused(mode, p_ll, device + SCRATCH);
}

static void interrupt(void)
{
	volatile u32 *raise = (volatile u32 *)(DEVICE + DISCO_IDENTITY_INTERRUPT);

	check_eq("no interrupt", cp0_read_cause() >> (8 + DISCO_IRQ_DEVICE) & 1, 0);
	*raise = 1;
	check_eq("raised", cp0_read_cause() >> (8 + DISCO_IRQ_DEVICE) & 1, 1);
	*raise = 0;
	check_eq("dropped", cp0_read_cause() >> (8 + DISCO_IRQ_DEVICE) & 1, 0);
}

int main(void)
{
	const volatile u32 *word = (const volatile u32 *)DEVICE;
	const struct trap *t;

	need_monitor();
	check_eq("magic", word[DISCO_IDENTITY_MAGIC / 4], DISCO_IDENTITY_MAGIC_VALUE);
	check_eq("version", word[DISCO_IDENTITY_VERSION / 4], DISCO_ABI_VERSION);
	check_eq("VCPUs", word[DISCO_IDENTITY_VCPUS / 4], 1);
	check_eq("memory", word[DISCO_IDENTITY_MEMORY_MB / 4], 8);
	check_eq("name", *(const volatile char *)(DEVICE + DISCO_IDENTITY_NAME), 't');
	*(volatile u32 *)DEVICE = 0;
	check_eq("magic is read only", word[0], DISCO_IDENTITY_MAGIC_VALUE);
	everything(MODE_KERNEL, DEVICE);
	/* a pair of which the other half is memory */
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(DISCO_DEVICE_BASE), LO_RW(page_pa(0)));
	page_va(0)[0] = 5;
	check_eq("the page beside it", *(volatile u64 *)(VA_USER + PAGE_SIZE), 5);
	everything(MODE_KERNEL, VA_USER);
	everything(MODE_USER, VA_USER);
	check_eq("the page beside it", *(volatile u64 *)(VA_USER + PAGE_SIZE), 5);
	t = probe_in(MODE_KERNEL, p_jump, DEVICE, 0, 0);
	check(t->taken && t->exc == EXC_IBE, "a fetch");
	interrupt();
	return verdict();
}
