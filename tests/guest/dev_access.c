/* SPDX-License-Identifier: MIT */
/*
 * Rule: of loads and stores to registers of devices those that are no integer access relative to a general
 * register are bus errors in every position and mode, and change nothing; what Release 6 does not have
 * is reserved; hints and cache operations do nothing. docs/guest-abi.md; MD00087, appendix A.
 *
 * Method: each form on the identity device's scratch word, which keeps its value.
 *
 * Needs: identity
 */
#include "tests/guest/test.h"

PROBE3(p_ll, "ll $2, 0($4)");
PROBE3(p_lld, "lld $2, 0($4)");
PROBE3(p_lwc1, ".set hardfloat\n\tlwc1 $f2, 0($4)");
PROBE3(p_ldc1, ".set hardfloat\n\tldc1 $f2, 0($4)");
PROBE3(p_swc1, ".set hardfloat\n\tswc1 $f2, 0($4)");
PROBE3(p_sdc1, ".set hardfloat\n\tsdc1 $f2, 0($4)");
/* base $4, register $2 or $5: LWL, LWR, LDL, LDR, SWL, SWR, SDL, SDR until Release 5 */
PROBE3(p_lwl, ".word 0x88820000");
PROBE3(p_lwr, ".word 0x98820000");
PROBE3(p_ldl, ".word 0x68820000");
PROBE3(p_ldr, ".word 0x6c820000");
PROBE3(p_swl, ".word 0xa8850000");
PROBE3(p_swr, ".word 0xb8850000");
PROBE3(p_sdl, ".word 0xb0850000");
PROBE3(p_sdr, ".word 0xb4850000");
PROBE3(p_pref, "pref 0, 0($4)");
PROBE3(p_synci, "synci 0($4)");
PROBE3(p_cache, "cache 0x15, 0($4)");
PROBE(p_sc, "li $2, 1\n\tsc $2, 0($4)");
PROBE(p_scd, "li $2, 1\n\tscd $2, 0($4)");
PROBE(p_jump, "move $8, $31\n\tjr $4\n\tnop");

#define DEVICE	(DISCO_XSSEG_BASE + DISCO_DEVICE_BASE)
#define SCRATCH DISCO_IDENTITY_SCRATCH
#define VALUE	0x8182838485868788ul

static volatile u64 *const scratch = (volatile u64 *)(DEVICE + SCRATCH);

#define REFUSED(mode, probe, at) \
	EXPECT3(mode, #probe, probe, at, 0, .exc = EXC_DBE, .no_insn = true)
#define RESERVED(mode, probe, at) EXPECT3(mode, #probe, probe, at, 0, .exc = EXC_RI)
#define NOTHING(mode, probe, at)                                     \
	check(!probe_in(mode, probe, at, 0, 0)->taken &&             \
		      !probe_in(mode, probe##_d, at, 0, 0)->taken && \
		      !probe_in(mode, probe##_f, at, 0, 0)->taken,   \
	      #probe ": an exception")

static void forms(int mode, u64 at)
{
	REFUSED(mode, p_ll, at);
	REFUSED(mode, p_lld, at);
	REFUSED(mode, p_lwc1, at);
	REFUSED(mode, p_ldc1, at);
	REFUSED(mode, p_swc1, at);
	REFUSED(mode, p_sdc1, at);
	RESERVED(mode, p_lwl, at);
	RESERVED(mode, p_lwr, at);
	RESERVED(mode, p_ldl, at);
	RESERVED(mode, p_ldr, at);
	RESERVED(mode, p_swl, at);
	RESERVED(mode, p_swr, at);
	RESERVED(mode, p_sdl, at);
	RESERVED(mode, p_sdr, at);
	NOTHING(mode, p_pref, at);
	NOTHING(mode, p_synci, at);
	if (mode == MODE_KERNEL)
		NOTHING(mode, p_cache, at);
	check_eq("SC without LL", probe_in(mode, p_sc, at, 0, 0)->v0, 0);
	check_eq("SCD without LL", probe_in(mode, p_scd, at, 0, 0)->v0, 0);
	check_eq("scratch", *scratch, VALUE);
}

/* The loads relative to pc, from code in the page behind the device's. */
static void relative(const char *what, u32 insn)
{
	volatile u32 *code = (volatile u32 *)((u64)page_va(0) + SCRATCH);
	const struct trap *t;

	code[0] = insn;
	code[1] = 0x03e00009; /* jr $31 */
	code[2] = 0;
	t = probe_in(MODE_KERNEL, p_jump, VA_USER + PAGE_SIZE + SCRATCH, 0, 0);
	check(t->taken && t->exc == EXC_DBE && t->f.epc == VA_USER + PAGE_SIZE + SCRATCH,
	      "%s: %u at %lx", what, t->exc, (unsigned long)t->f.epc);
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(DISCO_DEVICE_BASE), LO_RW(page_pa(0)));
}

int main(void)
{
	need_monitor();
	probe_user_status = ST_BASE | ST_CU1 | ST_FR;
	cp0_write_status(ST_BASE | ST_CU1 | ST_FR);
	*scratch = VALUE;
	forms(MODE_KERNEL, DEVICE + SCRATCH);
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(DISCO_DEVICE_BASE), LO_RW(page_pa(0)));
	forms(MODE_KERNEL, VA_USER + SCRATCH);
	forms(MODE_USER, VA_USER + SCRATCH);
	relative("LWPC", 0x3b << 26 | 2 << 21 | 1 << 19 | (-1024 & 0x7ffff));
	relative("LWUPC", 0x3b << 26 | 2 << 21 | 2 << 19 | (-1024 & 0x7ffff));
	relative("LDPC", 0x3b << 26 | 2 << 21 | 6 << 18 | (-512 & 0x3ffff));
	check_eq("scratch", *scratch, VALUE);
	return verdict();
}
