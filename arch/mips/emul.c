/* SPDX-License-Identifier: MIT */
/*
 * Privileged instructions of guest kernels: decoded first, then pc moves on, then the effect. What
 * the machine's own kernel mode would refuse raises Reserved Instruction. TLB instructions are in
 * vtlb.c, registers in vcp0.c.
 */
#include "arch/mips/access.h"
#include "arch/mips/branch.h"
#include "arch/mips/cp0.h"
#include "arch/mips/mips.h"
#include "kernel/abi/disco.h"
#include "kernel/vm/hypercall.h"
#include "kernel/vm/vm.h"

#define INSN_RS(w)    ((w) >> 21 & 31)
#define INSN_RT(w)    ((w) >> 16 & 31)
#define INSN_RD(w)    ((w) >> 11 & 31)
#define INSN_SEL(w)   ((w)&7)
#define INSN_FUNCT(w) ((w)&63)

#define OP_COP0	    0x10
#define OP_SPECIAL3 0x1f
#define FUNCT_CACHE 0x25
#define FUNCT_RDHWR 0x3b
#define HWR_CPUNUM  0
#define HWR_SYNCI   1
#define HWR_CC	    2
#define HWR_CCRES   3
#define HWR_ULR	    29

typedef enum verdict (*emulate_fn)(struct vcpu *v, u32 insn);

void emul_set_gpr(struct vcpu *v, u32 reg, u64 val)
{
	if (reg)
		v->arch.gpr[reg] = val;
}

enum verdict emul_advance(struct vcpu *v)
{
	struct vcpu_arch *a = &v->arch;
	struct branch b;

	if (!(a->cause & CAUSE_BD)) {
		a->pc += 4;
		return RESUME;
	}
	if (branch_decode(a->badinstrp, a->pc, a->gpr, &b))
		return inject_code(v, EXC_RI);
	if (b.fpr >= 0)
		b.next = (fpu_register(v, b.fpr) & 1) == b.fpr_nonzero ? b.fpr_taken : b.fpr_not;
	emul_set_gpr(v, b.link, b.link_value);
	a->pc = b.next;
	a->cause &= ~CAUSE_BD;
	return RESUME;
}

/* ---- moves ---- */

static enum verdict do_mfc0(struct vcpu *v, u32 w)
{
	emul_set_gpr(v, INSN_RT(w), vcp0_read32(v, INSN_RD(w), INSN_SEL(w)));
	return RESUME;
}

static enum verdict do_dmfc0(struct vcpu *v, u32 w)
{
	emul_set_gpr(v, INSN_RT(w), vcp0_read(v, INSN_RD(w), INSN_SEL(w)));
	return RESUME;
}

static enum verdict do_mtc0(struct vcpu *v, u32 w)
{
	vcp0_write32(v, INSN_RD(w), INSN_SEL(w), v->arch.gpr[INSN_RT(w)]);
	return RESUME;
}

static enum verdict do_dmtc0(struct vcpu *v, u32 w)
{
	vcp0_write(v, INSN_RD(w), INSN_SEL(w), v->arch.gpr[INSN_RT(w)]);
	return RESUME;
}

/* DI, EI; DVP and EVP do nothing on a processor without virtual processors (Config5.VP = 0). */
static enum verdict do_mfmc0(struct vcpu *v, u32 w)
{
	u64 status = vcp0(v, Status);

	if (INSN_RD(w) == 0)
		return RESUME;
	emul_set_gpr(v, INSN_RT(w), status);
	vcp0(v, Status) = w & 0x20 ? status | STATUS_IE : status & ~(u64)STATUS_IE;
	return RESUME;
}

/* RDPGPR, WRPGPR: there is one register set. */
static enum verdict do_pgpr(struct vcpu *v, u32 w)
{
	emul_set_gpr(v, INSN_RD(w), v->arch.gpr[INSN_RT(w)]);
	return RESUME;
}

static const emulate_fn by_rs[16] = {
	[0x00] = do_mfc0, [0x01] = do_dmfc0, [0x04] = do_mtc0, [0x05] = do_dmtc0,
	[0x0a] = do_pgpr, [0x0b] = do_mfmc0, [0x0e] = do_pgpr,
};

void emul_move(struct vcpu *v, u32 w) { by_rs[INSN_RS(w)](v, w); }

/* ---- operations ---- */

static enum verdict do_tlbr(struct vcpu *v, u32 w)
{
	(void)w;
	vtlb_read(v);
	return RESUME;
}

static enum verdict do_tlbwi(struct vcpu *v, u32 w)
{
	(void)w;
	vtlb_write(v, false);
	return RESUME;
}

static enum verdict do_tlbwr(struct vcpu *v, u32 w)
{
	(void)w;
	vtlb_write(v, true);
	return RESUME;
}

static enum verdict do_tlbp(struct vcpu *v, u32 w)
{
	(void)w;
	vtlb_probe(v);
	return RESUME;
}

static enum verdict do_tlbinv(struct vcpu *v, u32 w)
{
	vtlb_invalidate(v, INSN_FUNCT(w) == 4);
	return RESUME;
}

/* ERET, and ERETNC (bit 6), which keeps the LL reservation. */
static enum verdict do_eret(struct vcpu *v, u32 w)
{
	u64 status = vcp0(v, Status);

	if (status & STATUS_ERL) {
		v->arch.pc = vcp0(v, ErrorEPC);
		vcp0(v, Status) = status & ~(u64)STATUS_ERL;
	} else {
		v->arch.pc = vcp0(v, EPC);
		vcp0(v, Status) = status & ~(u64)STATUS_EXL;
	}
	if (v->vm->rewrite.on)
		native_enter(v);
	if (!(w & 0x40))
		v->arch.clear_ll = 1;
	return RESUME;
}

static enum verdict do_wait(struct vcpu *v, u32 w)
{
	(void)w;
	if (arch_vcpu_wakes(v))
		return RESUME;
	vcpu_change(v, VCPU_WAITING);
	return RESCHEDULE;
}

static enum verdict do_hypcall(struct vcpu *v, u32 w)
{
	(void)w;
	v->stats.hypercalls++;
	return hypercall(v);
}

static const emulate_fn by_funct[64] = {
	[0x01] = do_tlbr,   [0x02] = do_tlbwi, [0x03] = do_tlbinv,
	[0x04] = do_tlbinv, [0x06] = do_tlbwr, [0x08] = do_tlbp,
	[0x18] = do_eret,   [0x20] = do_wait,  [0x28] = do_hypcall,
};

#define CACHE_HIT \
	0x10 /* of its operations: those with an address. Others have the index of a line, of which there is none */

/* CACHE: guests have no caches (Config1), and the machine keeps its own coherent; but for patched places. */
static enum verdict do_cache(struct vcpu *v, u32 w)
{
	if (INSN_RT(w) & CACHE_HIT)
		patched_cleaned(v, v->arch.gpr[INSN_RS(w)] + (u64)(s64)((s16)w >> 7));
	return RESUME;
}

static emulate_fn decode(u32 w)
{
	u32 op = w >> 26;

	if (op == OP_SPECIAL3 && INSN_FUNCT(w) == FUNCT_CACHE)
		return do_cache;
	if (op != OP_COP0)
		return NULL;
	if (INSN_RS(w) < 16)
		return by_rs[INSN_RS(w)];
	if (INSN_FUNCT(w) == 0x18 && (w & 0x1ffff80))
		return NULL;
	return by_funct[INSN_FUNCT(w)];
}

enum verdict emul_coprocessor0(struct vcpu *v)
{
	u64 pc = v->arch.pc;
	u32 w = v->arch.badinstr;
	bool slot = v->arch.cause & CAUSE_BD;
	emulate_fn fn = decode(w);
	enum verdict verdict;

	if (!fn || (slot && (fn == do_eret || fn == do_wait)))
		return inject_code(v, EXC_RI);
	verdict = emul_advance(v);
	if (verdict != RESUME)
		return verdict;
	v->stats.privileged++;
	verdict = fn(v, w);
	if (v->vm->patch)
		patched_try_move(v, &(struct patch_place){ .pc = pc,
							   .insn = w,
							   .branch = v->arch.badinstrp,
							   .slot = slot });
	return verdict;
}

/* ---- loads and stores of device registers ---- */

/*
 * All is decided before anything changes. What is no access that the device allows is a bus error:
 * one that is not aligned or is to no device, LL and SC, loads relative to pc, the FPU's. The base
 * register is compared, since an access that straddles two pages faults at the second.
 */
enum verdict emul_access(struct vcpu *v, u64 va, u64 gpa, bool store)
{
	struct device *dev = device_at(v->vm, gpa);
	enum verdict verdict;
	struct access a;
	u64 value;

	if (!dev || access_decode(v->arch.badinstr, &a) || a.store != store ||
	    v->arch.gpr[a.base] + (u64)(s64)a.offset != va || !device_allows(dev, gpa, a.bytes))
		return inject_code(v, EXC_DBE);
	value = access_stored(&a, v->arch.gpr[a.reg]);
	verdict = emul_advance(v);
	if (verdict != RESUME)
		return verdict;
	v->stats.privileged++;
	if (store && dev->type->write)
		TEXT_HERE(dev->type->write)(dev, gpa - dev->base, a.bytes, value);
	if (store)
		return RESUME;
	value = dev->type->read ? TEXT_HERE(dev->type->read)(dev, gpa - dev->base, a.bytes) : 0;
	emul_set_gpr(v, a.reg, access_loaded(&a, value));
	return RESUME;
}

/* ---- RDHWR, which raises RI where the machine's HWREna does not allow it ---- */

static bool hwr_allowed(const struct vcpu *v, u32 hwr)
{
	return vcpu_kernel_mode(v) || (vcp0(v, HWREna) & BIT(hwr));
}

static bool hwr_read(struct vcpu *v, u32 hwr, u64 *val)
{
	switch (hwr) {
	case HWR_CPUNUM: *val = v->id; return true;
	case HWR_SYNCI: *val = rdhwr_synci(); return true;
	case HWR_CC: *val = vcp0_read(v, CP0_COUNT); return true;
	case HWR_CCRES: *val = rdhwr_ccres(); return true;
	case HWR_ULR: *val = vcp0(v, UserLocal); return true;
	default: return false;
	}
}

enum verdict emul_reserved(struct vcpu *v)
{
	u32 w = v->arch.badinstr, hwr = INSN_RD(w);
	enum verdict verdict;
	u64 val;

	if (w >> 26 != OP_SPECIAL3 || INSN_FUNCT(w) != FUNCT_RDHWR || INSN_RS(w) ||
	    !hwr_allowed(v, hwr) || !hwr_read(v, hwr, &val))
		return inject_code(v, EXC_RI);
	verdict = emul_advance(v);
	if (verdict != RESUME)
		return verdict;
	v->stats.privileged++;
	emul_set_gpr(v, INSN_RT(w), val);
	return RESUME;
}
