/* SPDX-License-Identifier: MIT */
/* The fake machine of fake.h: a TLB that behaves as QEMU's does, shadow entries included, and stubs
 * of kernel/. */
#include "tests/unit/unit.h"

#include "tests/unit/fake.h"

#include "arch/mips/asid.h"
#include "kernel/abi/disco.h"
#include "kernel/errno.h"
#include "kernel/mem/l2tlb.h"
#include "kernel/options.h"
#include "kernel/mem/shootdown.h"

struct fake_cpu fake_cpu;
struct vcpu fake_vcpu, fake_other;
u64 fake_large[FAKE_PAGES >> LARGE_SHIFT];
struct fresh fake_fresh;
bool fake_off[OPTIONS];
struct node fake_far = { .id = 5 };
struct nodemask fake_shot;
u32 fake_waits, fake_wait_at, fake_later;
void (*fake_meanwhile)(void);
bool latency_on;
u64 fake_remote_gpn;
unsigned fake_charged;

static struct node node;
static struct vm vm;
static struct pmap_entry entries[FAKE_PAGES];
static u64 held[FAKE_PAGES / PIECE_PAGES], windows[FAKE_PAGES / PMAP_WINDOWS_WORD];
static struct vcp0 cp0[2];
static u64 asid_map[2][ASID_COUNT];
static struct l2tlb l2tlb[2];
static u64 stored[FAKE_STORED][PAGE_SIZE / 8];

/* ---- the machine's TLB (QEMU's r4k_helper_tlb*) ---- */

static u32 asid_now(void) { return fake_cpu.reg[10][0] & ENTRYHI_ASID; }

static int find(u64 hi, u32 asid, u32 from, u32 to)
{
	u32 i;

	for (i = from; i < to; i++) {
		const struct fake_tlb_entry *e = &fake_cpu.tlb[i];

		if (e->present && !((e->hi ^ hi) & ENTRYHI_VPN2 & ~e->mask) &&
		    ((e->lo[0] & e->lo[1] & ENTRYLO_G) || (e->hi & ENTRYHI_ASID) == asid))
			return (int)i;
	}
	return -1;
}

const struct fake_tlb_entry *fake_tlb_find(u64 va, u32 asid)
{
	int i = find(va, asid, 0, fake_cpu.in_use);

	return i < 0 ? NULL : &fake_cpu.tlb[i];
}

static bool keeps_replaced(void) { return (fake_cpu.reg[16][1] >> 25 & 0x3f) == 15; }

static void discard_shadows(void) { fake_cpu.in_use = FAKE_TLB_ENTRIES; }

static void fill(struct fake_tlb_entry *e)
{
	e->present = !(fake_cpu.reg[10][0] & ENTRYHI_EHINV);
	e->hi = fake_cpu.reg[10][0];
	e->lo[0] = fake_cpu.reg[2][0];
	e->lo[1] = fake_cpu.reg[3][0];
	e->mask = fake_cpu.reg[5][0];
	if (e == &fake_cpu.tlb[0] &&
	    (e->hi & ENTRYHI_VPN2) == (DISCO_SPECIAL_PAGE & ENTRYHI_VPN2)) /* wired */
		return;
	assert_int_not_equal(e - fake_cpu.tlb, 0);
	assert_false((e->lo[0] | e->lo[1]) & ENTRYLO_G); /* would leak to other VMs */
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
	u32 i = 1 + fake_cpu.random++ % (FAKE_TLB_ENTRIES - 1);

	if (keeps_replaced() && fake_cpu.tlb[i].present &&
	    fake_cpu.in_use < ARRAY_SIZE(fake_cpu.tlb))
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

void tlbinv(void)
{
	u32 i;

	for (i = 0; i < FAKE_TLB_ENTRIES; i++)
		if (!(fake_cpu.tlb[i].lo[0] & ENTRYLO_G) &&
		    (fake_cpu.tlb[i].hi & ENTRYHI_ASID) == asid_now())
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

static void reset_vcpu(struct vcpu *v, u32 id)
{
	memset(v, 0, sizeof(*v));
	memset(asid_map[id], 0, sizeof(asid_map[id]));
	l2tlb_flush(&l2tlb[id]);
	v->vm = &vm;
	v->id = id;
	v->node = &node;
	v->arch.cp0 = &cp0[id];
	v->arch.asid_map = asid_map[id];
	v->arch.l2tlb = &l2tlb[id];
	v->arch.pmap_nlarge = ARRAY_SIZE(fake_large);
	vm.vcpus[vm.nvcpus++] = v;
	v->state = VCPU_READY;
	vcp0_reset(v);
	vtlb_reset(v);
}

void fake_reset(void)
{
	fake_cpu_reset();
	memset(&node, 0, sizeof(node));
	memset(&vm, 0, sizeof(vm));
	memset(stored, 0, sizeof(stored));
	memset(fake_off, 0, sizeof(fake_off));
	latency_on = false;
	fake_charged = 0;
	memset(fake_large, 0, sizeof(fake_large));
	memset(held, 0, sizeof(held));
	memset(windows, 0, sizeof(windows));
	memset(&fake_fresh, 0, sizeof(fake_fresh));
	fake_meanwhile = NULL;
	fake_wait_at = 0;
	fake_shot = NODEMASK_NONE;
	fake_waits = fake_later = 0;
	asid_pool_init(&node.cpu.asids);
	node.cpu.renew_after = tlb_renew_after();
	vm.pmap.npages = FAKE_PAGES;
	memset(entries, 0, sizeof(entries));
	vm.pmap.view[0] = (struct pmap_view){ .entry = entries,
					      .large = fake_large,
					      .held = held,
					      .windows = windows,
					      .fresh = &fake_fresh };
	reset_vcpu(&fake_vcpu, 0);
	reset_vcpu(&fake_other, 1);
	fake_switch(&fake_vcpu);
}

void fake_switch(struct vcpu *v)
{
	node.current = v;
	mmu_set_asid(v);
	mmu_map_special(v);
}

static u64 half_of(const struct fake_tlb_entry *e, u64 va)
{
	u64 half = (e->mask + 0x2000) >> 1, lo = e->lo[!!(va & half)];

	/* as if it were the 4 KB page within */
	return lo ? lo + ((va & (half - 1)) >> PAGE_SHIFT << ENTRYLO_PFN_SHIFT) : 0;
}

/* vectors.S, refill_supervisor */
static bool refill_large(u64 va)
{
	u64 window = va >> 62 == 1 ? va - DISCO_XSSEG_BASE : va - DISCO_CSSEG_BASE;
	u64 index = window >> WINDOW_SHIFT, pair;

	if (index >= node.current->arch.pmap_nlarge)
		return false;
	pair = fake_large[index];
	if (!pair)
		return false;
	fake_write(2, 0, arch_large_lo(pair));
	fake_write(3, 0, arch_large_lo(pair) + ((arch_large_mask(pair) + 0x2000) >> 7));
	fake_write(5, 0, arch_large_mask(pair));
	tlbwr();
	fake_write(5, 0, 0);
	return true;
}

u64 fake_translate(u64 va)
{
	struct vcpu *v = node.current;
	u32 asid = asid_now();
	const struct fake_tlb_entry *e = fake_tlb_find(va, asid);
	u64 tag = (va & ENTRYHI_VPN2) | (va >> 62 ? 0 : asid);
	const struct l2tlb_entry *l;

	assert_int_equal(asid, v->arch.asid);
	if (e)
		return half_of(e, va);
	fake_write(10, 0, (va & ENTRYHI_VPN2) | asid);
	if (va >> 62 && refill_large(va))
		return half_of(fake_tlb_find(va, asid), va);
	l = l2tlb_find(v->arch.l2tlb, tag);
	if (!l)
		return 0;
	fake_write(2, 0, l2tlb_lo(l, 0));
	fake_write(3, 0, l2tlb_lo(l, 1));
	tlbwr();
	return l2tlb_lo(l, !!(va & PAGE_SIZE));
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
		node.current->arch.badvaddr = va;
		*verdict = mmu_fault(node.current, lo & ENTRYLO_V ? EXC_MOD
						   : write	  ? EXC_TLBS
								  : EXC_TLBL);
		if (*verdict != RESUME)
			return 0;
	}
	fail_msg("the access to %llx traps for ever", (unsigned long long)va);
	return 0;
}

/* ---- kernel/ as far as arch/mips calls it ---- */

struct device *device_at(struct vm *of, u64 gpa)
{
	struct device *dev = &of->devices[0];

	return of->ndevices && gpa - dev->base < dev->type->register_bytes ? dev : NULL;
}

bool device_allows(const struct device *dev, u64 gpa, unsigned bytes)
{
	return (gpa - dev->base) % bytes == 0;
}

mpn_t device_page(struct vm *of, u64 gpa)
{
	return device_at(of, gpa) && of->devices[0].page ? (mpn_t){ FAKE_DEVICE_PAGE } : MPN_NONE;
}

void devices_delivered(struct vm *of, u32 lines) { (void)of, (void)lines; }

/* For tests without emul.c. */
__attribute__((weak)) enum verdict emul_access(struct vcpu *v, u64 va, u64 gpa, bool store)
{
	(void)va, (void)gpa, (void)store;
	return inject_code(v, EXC_DBE);
}

struct node *node_self(void) { return &node; }

void shootdown(struct nodemask targets, shootdown_fn flush, const void *what)
{
	fake_shot.bits |= targets.bits;
	if (nodemask_has(targets, fake_far.id))
		flush(&fake_far, what);
}

bool option_on(enum option o) { return !fake_off[o]; }

bool option_forget(void) { return false; }

u64 check_flushed(const struct vcpu *v, const struct mmu_flush *f)
{
	(void)v, (void)f;
	return 0;
}

void check_report_flush(const struct vm *of, u64 va, u64 vcpu)
{
	(void)of;
	fail_msg("VCPU %u keeps %llx", (unsigned)vcpu, (unsigned long long)va);
}

u64 *fake_word(u64 gpa)
{
	assert_in_range(gpa >> PAGE_SHIFT, 0, FAKE_STORED - 1);
	return &stored[gpa >> PAGE_SHIFT][(gpa & PAGE_MASK) / 8];
}

void *fake_mpn_ptr(mpn_t mpn)
{
	assert_in_range(mpn.v, FAKE_MACHINE_GPN, FAKE_MACHINE_GPN + FAKE_STORED - 1);
	return stored[mpn.v - FAKE_MACHINE_GPN];
}

u64 pmap_look(struct vm *of, gpn_t gpn, u32 near)
{
	return gpn.v < FAKE_STORED ? pmap_use(of, gpn, near) : 0;
}

u64 fake_linked;

int vm_copy_out(struct vm *of, gpa_t to, const void *from, size_t len)
{
	(void)of;
	if (to.v + len > FAKE_STORED * PAGE_SIZE || to.v + len < to.v)
		return -EFAULT;
	memcpy((u8 *)stored + to.v, from, len);
	return 0;
}

int vm_copy_in(struct vm *of, void *to, gpa_t from, size_t len)
{
	(void)of;
	if (from.v + len > FAKE_STORED * PAGE_SIZE || from.v + len < from.v)
		return -EFAULT;
	memcpy(to, (u8 *)stored + from.v, len);
	return 0;
}

u64 pmap_use(struct vm *of, gpn_t gpn, u32 near)
{
	u64 *shown = &of->pmap.view[near].entry[gpn.v].lo;

	if (gpn.v >= of->pmap.npages)
		return 0;
	if (fake_waits || (fake_wait_at && !--fake_wait_at)) {
		fake_waits -= fake_waits != 0;
		node.answered++;
		if (fake_meanwhile)
			fake_meanwhile();
	}
	*shown = (FAKE_MACHINE_GPN + gpn.v) << ENTRYLO_PFN_SHIFT | ENTRYLO_C_WB | ENTRYLO_D |
		 ENTRYLO_V;
	return *shown;
}

u64 pmap_try_use(struct vm *of, gpn_t gpn, u32 near, bool write)
{
	(void)write;
	if (!fake_later)
		return pmap_use(of, gpn, near);
	fake_later--;
	return PMAP_LATER;
}

u64 pmap_large(struct vm *of, gpn_t gpn, u32 near)
{
	return of->pmap.view[near].large[gpn.v >> LARGE_SHIFT];
}

u64 pmap_use_to_write(struct vm *of, gpn_t gpn, u32 near) { return pmap_use(of, gpn, near); }

static bool is_remote(u64 lo) { return lo && fake_gpn(lo) == fake_remote_gpn; }

bool latency_remote(u32 of, const u64 lo[2])
{
	(void)of;
	return is_remote(lo[0]) || is_remote(lo[1]);
}

void latency_hide(u32 of, u64 lo[2])
{
	(void)of;
	for (unsigned i = 0; i < 2; i++)
		if (is_remote(lo[i]))
			lo[i] = 0;
}

void latency_refill(struct node *n, u64 va, u64 lo[2], bool write)
{
	unsigned half = !!(va & PAGE_SIZE);

	fake_charged += is_remote(lo[half]);
	if (!write && is_remote(lo[half]))
		lo[half] &= ~(u64)ENTRYLO_D;
	if (is_remote(lo[!half]))
		lo[!half] = 0;
	(void)n;
}

/* Tests of vtimer.c link the real one. */
__attribute__((weak)) void vtimer_set(struct vcpu *v, u32 compare)
{
	(void)compare;
	v->arch.timer_armed = true;
}

/* ---- patched.c: no VM here has a patch ---- */

bool patched_shows(const struct vcpu *v, u64 va, u64 gpn)
{
	(void)v, (void)va, (void)gpn;
	return false;
}

u64 patched_entry(const struct vcpu *v, gpn_t gpn)
{
	(void)v, (void)gpn;
	return 0;
}

void patched_written(struct vcpu *v, u64 gpn, bool for_ever) { (void)v, (void)gpn, (void)for_ever; }
void patched_cleaned(struct vcpu *v, u64 va) { (void)v, (void)va; }
void patched_try_move(struct vcpu *v, const struct patch_place *at) { (void)v, (void)at; }
void patched_stays(struct vcpu *v, enum patch_why why) { (void)v, (void)why; }

void patched_try(struct vcpu *v, const struct patch_place *at, const struct access *a, bool integer)
{
	(void)v, (void)at, (void)a, (void)integer;
}

void patched_try_branch(struct vcpu *v, u64 from)
{
	(void)v;
	(void)from;
}

void patched_try_linked(struct vcpu *v, const struct patch_place *at, const struct access *a)
{
	(void)v, (void)at, (void)a;
}

/* But for tests of native.c, which have it. */
__attribute__((weak)) void native_enter(struct vcpu *v) { (void)v; }

__attribute__((weak)) enum verdict native_hidden(struct vcpu *v, u64 va, u64 gpa, bool store)
{
	(void)v, (void)va, (void)gpa, (void)store;
	return RESUME;
}
