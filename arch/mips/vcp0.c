/* SPDX-License-Identifier: MIT */
/*
 * The virtual CP0 registers: a table made from cp0.def, and the few registers that do more than
 * keep bits. TLB instructions are in vtlb.c, decoding in emul.c.
 */
#include "arch/mips/cp0.h"
#include "arch/mips/mips.h"
#include "kernel/vm/vm.h"

/* Options that guests don't get: what the monitor keeps for itself, and what it does not
 * virtualize. */
#define CONFIG1_CACHES	  (7u << 19 | 7u << 10)		  /* IL, DL: line size 0, no cache */
#define CONFIG1_OPTIONAL  0x1a				  /* WR, PC, EP */
#define CONFIG3_OPTIONAL  (1u << 29 | 1u << 28 | 1u << 5) /* CMGCR, MSAP, VInt */
#define CONFIG4_IE	  (3u << 29)
#define CONFIG4_IE_TLBINV (2u << 29)
#define CONFIG5_OPTIONAL  (1u << 3 | 1u << 7 | 1u << 27) /* MRP, VP, MSAEn */

struct row {
	const char *name;
	u64 writable, reset;
	u64 (*read)(struct vcpu *v, u64 kept);
	void (*write)(struct vcpu *v, u64 *kept, u64 val);
	u8 bits;
};

static u64 sign_extend(u64 val) { return (u64)(s64)(s32)val; }

u32 vcpu_count(const struct vcpu *v) { return cp0_read32(CP0_COUNT) - (u32)v->arch.lag; }

u32 vcpu_hwrena(const struct vcpu *v)
{
	return vcp0(v, HWREna) & HWRENA_GUEST & ~(v->arch.lag ? HWRENA_CC : 0u);
}

static u64 read_value(struct vcpu *v, u64 kept)
{
	(void)v;
	return kept;
}

static u64 read_Count(struct vcpu *v, u64 kept)
{
	(void)kept;
	return sign_extend(vcpu_count(v));
}

static u64 read_Cause(struct vcpu *v, u64 kept)
{
	(void)kept;
	return sign_extend(vcp0_cause(v));
}

static void write_Cause(struct vcpu *v, u64 *kept, u64 val)
{
	v->arch.soft_irq = (val & CAUSE_IP01) >> CAUSE_IP_SHIFT;
	*kept = val;
}

static void write_plain(struct vcpu *v, u64 *kept, u64 val)
{
	(void)v;
	*kept = val;
}

/* RI and XI exist only while PageGrain enables them. */
static void write_EntryLo(struct vcpu *v, u64 *kept, u64 val)
{
	u64 grain = vcp0(v, PageGrain);

	if (!(grain & PAGEGRAIN_RIE))
		val &= ~ENTRYLO_RI;
	if (!(grain & PAGEGRAIN_XIE))
		val &= ~ENTRYLO_XI;
	*kept = val;
}

/* Pages of 4^n * 4 KB; any other mask reads back as none (docs/machine.md). */
static void write_PageMask(struct vcpu *v, u64 *kept, u64 val)
{
	u64 ones = val >> 13;

	(void)v;
	if ((ones & (ones + 1)) || ((ones + 1) & 0xaaaaaaaa)) /* ones + 1 is no power of 4 */
		val = 0;
	*kept = val;
}

static void write_Wired(struct vcpu *v, u64 *kept, u64 val)
{
	(void)v;
	if (val < VTLB_ENTRIES)
		*kept = val;
}

static void write_HWREna(struct vcpu *v, u64 *kept, u64 val)
{
	(void)v;
	*kept = val;
	cp0_write32(CP0_HWRENA, vcpu_hwrena(v));
}

static void write_UserLocal(struct vcpu *v, u64 *kept, u64 val)
{
	(void)v;
	*kept = val;
	cp0_write64(CP0_USERLOCAL, val);
}

/*
 * Release 6: KX = 0 forces SX to 0, and SX = 0 UX. When they change, what only 64-bit addressing
 * could reach is taken back, and given again.
 */
static void write_Status(struct vcpu *v, u64 *kept, u64 val)
{
	u64 open = val & STATUS_KX;

	open |= open >> 1 & val;
	open |= open >> 1 & val;
	val = (val & ~(u64)STATUS_WIDE) | open;
	if ((*kept ^ val) & STATUS_WIDE) {
		mmu_flush_vcpu(v);
		mmu_flush_node(); /* windows may be global */
	}
	*kept = val;
	__atomic_thread_fence(
		__ATOMIC_SEQ_CST); /* IM is seen before lines are read: vcpu_post_irq */
}

static void write_EntryHi(struct vcpu *v, u64 *kept, u64 val)
{
	bool other = (*kept ^ val) & ENTRYHI_ASID;

	*kept = val;
	if (other)
		mmu_set_asid(v);
}

static void write_Compare(struct vcpu *v, u64 *kept, u64 val)
{
	*kept = val;
	vtimer_set(v, val);
}

/* Bits 63..30 are writable with WG or without: guests live in csseg, which 32-bit writes reach only
 * so. */
static void write_EBase(struct vcpu *v, u64 *kept, u64 val)
{
	*kept = (val & ~0xffful) | (v->id & EBASE_CPUNUM);
}

/* LLAddr.LLB: writing it loses the reservation (MD00087, LLAddr). */
static void write_LLAddr(struct vcpu *v, u64 *kept, u64 val)
{
	(void)kept, (void)val;
	v->arch.clear_ll = 1;
}

#define CP0_ROW(name_, reg_, sel_, bits_, writable_, reset_, read_fn, write_fn) \
	[(reg_)*8 + (sel_)] = { .name = #name_,                                 \
				.writable = writable_,                          \
				.reset = (u64)(reset_),                         \
				.read = read_##read_fn,                         \
				.write = write_##write_fn,                      \
				.bits = bits_ },
static const struct row rows[32 * 8] = {
#include "arch/mips/cp0.def"
};
#undef CP0_ROW

const char *vcp0_name(unsigned reg, unsigned sel) { return rows[reg * 8 + sel].name; }

u64 vcp0_read(struct vcpu *v, unsigned reg, unsigned sel)
{
	const struct row *row = &rows[reg * 8 + sel];

	return row->name ? TEXT_HERE(row->read)(v, v->arch.cp0->reg[reg][sel]) : 0;
}

bool vcp0_shows(unsigned reg, unsigned sel)
{
	const struct row *row = &rows[reg * 8 + sel];

	return row->name && (row->read == read_value || row->read == read_Cause);
}

/* MFC0 of EntryLo moves RI and XI down to bits 31 and 30 (MD00087, MFC0). */
u64 vcp0_read32(struct vcpu *v, unsigned reg, unsigned sel)
{
	u64 val = vcp0_read(v, reg, sel);

	if ((reg == 2 || reg == 3) && sel == 0)
		val = (val & 0x3fffffff) | val >> 62 << 30;
	return sign_extend(val);
}

static void write_row(struct vcpu *v, const struct row *row, u64 *kept, u64 val)
{
	if (!row->name)
		return;
	val = (*kept & ~row->writable) | (val & row->writable);
	TEXT_HERE(row->write)(v, kept, row->bits == 32 ? sign_extend(val) : val);
}

void vcp0_write(struct vcpu *v, unsigned reg, unsigned sel, u64 val)
{
	write_row(v, &rows[reg * 8 + sel], &v->arch.cp0->reg[reg][sel], val);
}

void vcp0_write32(struct vcpu *v, unsigned reg, unsigned sel, u64 val)
{
	if ((reg == 2 || reg == 3) && sel == 0)
		val = (val & 0x3fffffff) | (val >> 30 & 3) << 62;
	else
		val = sign_extend(val);
	write_row(v, &rows[reg * 8 + sel], &v->arch.cp0->reg[reg][sel], val);
}

u64 vcp0_cause(const struct vcpu *v)
{
	u32 lines = __atomic_load_n(&v->arch.irq_lines, __ATOMIC_RELAXED) | v->arch.soft_irq;
	u64 cause = vcp0(v, Cause) & ~(u64)(CAUSE_IP | CAUSE_TI);

	cause |= (u64)lines << CAUSE_IP_SHIFT;
	return lines & BIT(IRQ_TIMER) ? cause | CAUSE_TI : cause;
}

u32 vcp0_interrupts(const struct vcpu *v) { return vcp0_cause(v) & vcp0(v, Status) & STATUS_IM; }

void vcp0_reset(struct vcpu *v)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		(&v->arch.cp0->reg[0][0])[i] = rows[i].name ? rows[i].reset : 0;

	vcp0(v, PRId) = sign_extend(cp0_read32(CP0_PRID));
	vcp0(v, EBase) |= v->id;
	vcp0(v, Config) = sign_extend(cp0_read32(CP0_CONFIG(0)));
	vcp0(v, Config1) = sign_extend((cp0_read32(CP0_CONFIG(1)) &
					~(CONFIG1_MMUSIZE | CONFIG1_CACHES | CONFIG1_OPTIONAL)) |
				       (u32)(VTLB_ENTRIES - 1) << 25);
	vcp0(v, Config2) = sign_extend(1u << 31);
	vcp0(v, Config3) = sign_extend(cp0_read32(CP0_CONFIG(3)) & ~CONFIG3_OPTIONAL);
	vcp0(v, Config4) =
		sign_extend((cp0_read32(CP0_CONFIG(4)) & ~CONFIG4_IE) | CONFIG4_IE_TLBINV);
	vcp0(v, Config5) =
		sign_extend(cp0_read32(CP0_CONFIG(5)) & ~CONFIG5_OPTIONAL & ~CONFIG5_SBRI);
}
