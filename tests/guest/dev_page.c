/* SPDX-License-Identifier: MIT */
/*
 * Rule: registers of virtio devices are read from a page that the device keeps current. All loads work
 * there, LL as well, in every mode; nothing is executed there; a store that is none to a register changes
 * nothing, in any form, and what a store to a register changes the next load shows. docs/guest-abi.md.
 *
 * Method: each form on the entropy device, by the window and by an entry of the TLB that allows writing, as
 * the first access and after a load has brought the page.
 *
 * Needs: nothing
 */
#include "guests/lib/virtio.h"
#include "tests/guest/test.h"

#define RNG	  4
#define VIRT	  0x74726976
#define SCRATCH	  0x180 /* of the configuration, which has nothing there */
#define LAST_WORD (PAGE_SIZE - 8)

PROBE3(p_ll, "ll $2, 0($4)");
PROBE3(p_lw, "lw $2, 0($4)");
PROBE3(p_ld, "ld $2, 0($4)");
PROBE3(p_sw, "sw $5, 0($4)");
PROBE3(p_sd, "sd $5, 0($4)");
PROBE3(p_sdc1, ".set hardfloat\n\tsdc1 $f2, 0($4)");
PROBE(p_llsc, "ll $2, 0($4)\n\tli $2, 1\n\tsc $2, 0($4)");
PROBE(p_jump, "move $8, $31\n\tjr $4\n\tnop");

static struct virtio_device rng;

static void loads(int mode, u64 at)
{
	check_eq("LW", probe_in(mode, p_lw, at, 0, 0)->v0, VIRT);
	check_eq("LL", probe_in(mode, p_ll, at, 0, 0)->v0, VIRT);
	check_eq("LD", probe_in(mode, p_ld, at, 0, 0)->v0, 2ul << 32 | VIRT);
	check_eq("behind the registers", probe_in(mode, p_ld, at + LAST_WORD, 0, 0)->v0, 0);
}

static void stores(int mode, u64 at)
{
	const struct trap *t;

	EXPECT3(mode, "SDC1", p_sdc1, at, 0, .exc = EXC_DBE, .no_insn = true);
	EXPECT3(mode, "behind", p_sd, at + LAST_WORD, ~0ul, .exc = EXC_DBE, .no_insn = true);
	t = probe_in(mode, p_llsc, at, 0, 0);
	check(t->taken && t->exc == EXC_DBE, "SC: %u", t->exc);
	check(!probe_in(mode, p_sd, at, ~0ul, 0)->taken, "SD: an exception");
	check(!probe_in(mode, p_sw, at + SCRATCH, ~0ul, 0)->taken, "SW: an exception");
	t = probe_in(mode, p_jump, at, 0, 0);
	check(t->taken && t->exc == EXC_IBE && t->f.epc == at, "a fetch: %u", t->exc);
	check_eq("configuration", probe_in(mode, p_lw, at + SCRATCH, 0, 0)->v0, 0);
}

/* What one of them says all other ways say at once. */
static void current(int mode, u64 at)
{
	for (u32 status = 1; status <= 3; status += 2) {
		check(!probe_in(mode, p_sw, at + VIRTIO_STATUS, status, 0)->taken, "status");
		check_eq("status, where it was stored",
			 probe_in(mode, p_lw, at + VIRTIO_STATUS, 0, 0)->v0, status);
		check_eq("status, by the window", virtio_get(&rng, VIRTIO_STATUS), status);
	}
	check(!probe_in(mode, p_sw, at + VIRTIO_STATUS, 0, 0)->taken, "reset");
	check_eq("status after it", virtio_get(&rng, VIRTIO_STATUS), 0);
}

static void all(int mode, u64 at)
{
	stores(mode, at);
	loads(mode, at);
	stores(mode, at);
	loads(mode, at);
	current(mode, at);
}

int main(void)
{
	u64 window, pa, even;

	need_monitor();
	probe_user_status = ST_BASE | ST_CU1 | ST_FR;
	cp0_write_status(ST_BASE | ST_CU1 | ST_FR);
	rng = virtio_find(RNG);
	window = (u64)rng.registers;
	pa = window - DISCO_XSSEG_BASE;
	even = pa & ~(u64)PAGE_SIZE;
	all(MODE_KERNEL, window);
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(even), LO_RW(even + PAGE_SIZE));
	all(MODE_KERNEL, VA_USER + (pa - even));
	all(MODE_USER, VA_USER + (pa - even));
	return verdict();
}
