/* SPDX-License-Identifier: MIT */
/* The fake machine of fake.h: a TLB that behaves as QEMU's does, shadow entries included, and stubs
 * of kernel/. */
#include "tests/unit/unit.h"

#include "tests/unit/fake.h"

#include "arch/mips/asid.h"
#include "kernel/l2tlb.h"

struct fake_cpu fake_cpu;
struct vcpu fake_vcpu;

static struct node node;
static struct vm vm;
static struct vcp0 cp0;
static u64 asid_map[ASID_COUNT];
static struct l2tlb l2tlb;

/* ---- the machine's TLB (QEMU's r4k_helper_tlb*) ---- */

static u32 asid_now(void) { return fake_cpu.reg[10][0] & ENTRYHI_ASID; }

static int find(u64 hi, u32 asid, u32 from, u32 to)
{
	u32 i;

	for (i = from; i < to; i++) {
		const struct fake_tlb_entry *e = &fake_cpu.tlb[i];

		if (e->present && (e->hi & ENTRYHI_VPN2) == (hi & ENTRYHI_VPN2) &&
		    (e->hi & ENTRYHI_ASID) == asid)
			return (int)i;
	}
	return -1;
}

const struct fake_tlb_entry *fake_tlb_find(u64 va, u32 asid)
{
	int i = find(va, asid, 0, fake_cpu.in_use);

	return i < 0 ? NULL : &fake_cpu.tlb[i];
}

static void discard_shadows(void) { fake_cpu.in_use = FAKE_TLB_ENTRIES; }

static void fill(struct fake_tlb_entry *e)
{
	e->present = !(fake_cpu.reg[10][0] & ENTRYHI_EHINV);
	e->hi = fake_cpu.reg[10][0];
	e->lo[0] = fake_cpu.reg[2][0];
	e->lo[1] = fake_cpu.reg[3][0];
	assert_int_equal(fake_cpu.reg[5][0], 0);	 /* vectors.S relies on PageMask 0 */
	assert_false((e->lo[0] | e->lo[1]) & ENTRYLO_G); /* a global entry would leak to other VMs
							  */
}

void tlbp(void)
{
	int i = find(fake_cpu.reg[10][0], asid_now(), 0, FAKE_TLB_ENTRIES);

	fake_cpu.reg[0][0] = i < 0 ? INDEX_P : (u32)i;
	if (i < 0 && find(fake_cpu.reg[10][0], asid_now(), FAKE_TLB_ENTRIES, fake_cpu.in_use) >= 0)
		discard_shadows();
}

void tlbwi(void)
{
	struct fake_tlb_entry *e = &fake_cpu.tlb[fake_cpu.reg[0][0] % FAKE_TLB_ENTRIES];
	u64 hi = fake_cpu.reg[10][0];

	if (!e->present || ((e->hi ^ hi) & (ENTRYHI_VPN2 | ENTRYHI_ASID)) || (hi & ENTRYHI_EHINV))
		discard_shadows();
	fill(e);
}

void tlbwr(void)
{
	u32 i = fake_cpu.random++ % FAKE_TLB_ENTRIES;

	if (fake_cpu.tlb[i].present && fake_cpu.in_use < ARRAY_SIZE(fake_cpu.tlb))
		fake_cpu.tlb[fake_cpu.in_use++] = fake_cpu.tlb[i];
	fill(&fake_cpu.tlb[i]);
}

void tlbinvf(void)
{
	u32 i;

	for (i = 0; i < FAKE_TLB_ENTRIES; i++)
		fake_cpu.tlb[i].present = false;
	discard_shadows();
}

void tlbr(void) { fail_msg("nobody needs TLBR"); }

void fake_cpu_reset(void)
{
	memset(&fake_cpu, 0, sizeof(fake_cpu));
	fake_cpu.in_use = FAKE_TLB_ENTRIES;
	/* an I6400 as QEMU shows it (qemu/README.md) */
	fake_cpu.reg[15][0] = 0x1a900;
	fake_cpu.reg[16][0] = 0x80004882;
	fake_cpu.reg[16][1] = 0x9eab558b;
	fake_cpu.reg[16][2] = 0x80000000;
	fake_cpu.reg[16][3] = 0xbc0030a0;
	fake_cpu.reg[16][4] = 0xf0fc0000;
	fake_cpu.reg[16][5] = 0x00002098;
}

/* ---- the guest ---- */

void fake_reset(void)
{
	fake_cpu_reset();
	memset(&node, 0, sizeof(node));
	memset(&vm, 0, sizeof(vm));
	memset(&fake_vcpu, 0, sizeof(fake_vcpu));
	memset(asid_map, 0, sizeof(asid_map));
	asid_pool_init(&node.asids);
	l2tlb_flush(&l2tlb);
	vm.pmap.npages = FAKE_PAGES;
	fake_vcpu.vm = &vm;
	fake_vcpu.node = &node;
	fake_vcpu.arch.cp0 = &cp0;
	fake_vcpu.arch.asid_map = asid_map;
	fake_vcpu.arch.l2tlb = &l2tlb;
	vcp0_reset(&fake_vcpu);
	vtlb_reset(&fake_vcpu);
	mmu_set_asid(&fake_vcpu);
}

static u64 half_of(u64 va, u64 lo0, u64 lo1) { return va & PAGE_SIZE ? lo1 : lo0; }

u64 fake_translate(u64 va)
{
	u32 asid = asid_now();
	const struct fake_tlb_entry *e = fake_tlb_find(va, asid);
	u64 tag = (va & ENTRYHI_VPN2) | (va >> 62 ? 0 : asid);
	const struct l2tlb_entry *l;

	assert_int_equal(asid, fake_vcpu.arch.asid);
	if (e)
		return half_of(va, e->lo[0], e->lo[1]);
	l = l2tlb_find(&l2tlb, tag);
	if (!l)
		return 0;
	fake_write(10, 0, (va & ENTRYHI_VPN2) | asid);
	fake_write(2, 0, l->lo[0]);
	fake_write(3, 0, l->lo[1]);
	tlbwr();
	return half_of(va, l->lo[0], l->lo[1]);
}

u64 fake_access(u64 va, bool write, enum verdict *verdict)
{
	int tries;
	u64 lo;

	*verdict = RESUME;
	for (tries = 0; tries < 3; tries++) {
		lo = fake_translate(va);
		if ((lo & ENTRYLO_V) && (!write || (lo & ENTRYLO_D)))
			return lo;
		fake_vcpu.arch.badvaddr = va;
		*verdict = mmu_fault(&fake_vcpu, lo & ENTRYLO_V ? EXC_MOD
						 : write	? EXC_TLBS
								: EXC_TLBL);
		if (*verdict != RESUME)
			return 0;
	}
	fail_msg("the access to %llx traps for ever", (unsigned long long)va);
	return 0;
}

/* ---- kernel/ as far as arch/mips calls it ---- */

u64 pmap_use(struct vm *of, gpn_t gpn, u32 near)
{
	(void)near;
	if (gpn.v >= of->pmap.npages)
		return 0;
	return (FAKE_MACHINE_GPN + gpn.v) << ENTRYLO_PFN_SHIFT | ENTRYLO_C_WB | ENTRYLO_D |
	       ENTRYLO_V;
}

void vtimer_set(struct vcpu *v, u32 compare)
{
	(void)compare;
	v->arch.timer_armed = true;
}
