/* SPDX-License-Identifier: MIT */
/*
 * What the files of arch/mips share among themselves: virtual CP0, the guest's TLB, delivery. The
 * other folders use arch.h.
 */
#ifndef ARCH_MIPS_MIPS_H
#define ARCH_MIPS_MIPS_H

#include "arch/mips/arch.h"
#include "arch/mips/regs.h"
#include "kernel/abi/disco.h"
#include "kernel/mem/shootdown.h"
#include "kernel/reloc/patch.h"
#include "kernel/vm/vcpu.h"
#include "kernel/vm/vm.h"

/* Status of the monitor itself: kernel mode, 64-bit segments, FPU registers 64 bits wide, no
 * interrupts. */
#define MONITOR_STATUS (STATUS_KX | STATUS_SX | STATUS_UX | STATUS_FR)
/* Machine interrupts the monitor takes while a guest runs: IPIs on IP2, the board's devices on IP3
 * (node 0), the timer on IP7. */
#define MACHINE_IM 0x8c00
#define IRQ_IPI	   2
#define IRQ_BOARD  3
#define IRQ_TIMER  7

/* ---- vcp0.c: the virtual CP0 registers, table in cp0.def ---- */
#define CP0_ROW(name, reg, sel, ...) VCP0_##name = (reg)*8 + (sel),
enum vcp0_index {
#include "arch/mips/cp0.def"
};
#undef CP0_ROW

#define vcp0(v, name) ((&(v)->arch.cp0->reg[0][0])[VCP0_##name])

u64 vcp0_read(struct vcpu *v, unsigned reg, unsigned sel);   /* as dmfc0 */
u64 vcp0_read32(struct vcpu *v, unsigned reg, unsigned sel); /* as mfc0 */
bool vcp0_shows(unsigned reg, unsigned sel); /* a load from the special page is dmfc0 */
void vcp0_write(struct vcpu *v, unsigned reg, unsigned sel, u64 val);	/* as dmtc0 */
void vcp0_write32(struct vcpu *v, unsigned reg, unsigned sel, u64 val); /* as mtc0 */
void vcp0_reset(struct vcpu *v);
u32 vcpu_count(const struct vcpu *v); /* its Count now */
/* The machine's HWREna while it runs: RDHWR of a Count that is not the machine's comes to emul.c. */
u32 vcpu_hwrena(const struct vcpu *v);
const char *vcp0_name(unsigned reg, unsigned sel); /* NULL: no such register */
u64 vcp0_cause(const struct vcpu *v);		   /* with its interrupt lines */
/* Interrupts that would be taken if IE and EXL, ERL allowed: Cause.IP & Status.IM, bits 15..8. */
u32 vcp0_interrupts(const struct vcpu *v);

static inline bool vcpu_kernel_mode(const struct vcpu *v)
{
	u64 s = vcp0(v, Status);

	return (s & (STATUS_EXL | STATUS_ERL)) || !(s & STATUS_KSU);
}

#define STATUS_WIDE (STATUS_KX | STATUS_SX | STATUS_UX)

/* 64-bit addressing in the segment of va. csseg, like all of R = 3, goes by KX. */
static inline bool vcpu_wide(const struct vcpu *v, u64 va)
{
	static const u32 enable[4] = { STATUS_UX, STATUS_SX, 0, STATUS_KX };

	return vcp0(v, Status) & enable[va >> 62];
}

/* ---- vtlb.c: the guest's TLB, as its TLB instructions see it ---- */
struct vtlb_entry *vtlb_find(struct vcpu *v, u64 va, u32 guest_asid); /* NULL: no match */
void vtlb_reset(struct vcpu *v);
void vtlb_probe(struct vcpu *v);		/* TLBP */
void vtlb_read(struct vcpu *v);			/* TLBR */
void vtlb_write(struct vcpu *v, bool random);	/* TLBWI, TLBWR */
void vtlb_invalidate(struct vcpu *v, bool all); /* TLBINV, TLBINVF */

/* ---- tlb.c: the machine's TLB; EntryHi is left as they need it ---- */
/* hi: EntryHi, VPN2 and machine ASID */
void tlb_drop(u64 hi);
void tlb_drop_range(u64 first, u64 pairs, u32 asid);
void tlb_write(u64 hi, u64 lo0, u64 lo1, u32 mask);
void tlb_write_brief(struct vcpu *v, u64 hi, u64 lo0, u64 lo1);
void tlb_renew(struct node *n, u32 ticks); /* room for what runs from now on */
u32 tlb_renew_after(void); /* ticks that are worth while for address spaces that were here before */

/* ---- mmu.c: V -> M translations ---- */
/* Handles Mod, TLBL, TLBS, TLBRI, TLBXI: fills the machine TLB, or says what the guest must see. */
enum verdict mmu_fault(struct vcpu *v, u32 code);
void mmu_set_asid(struct vcpu *v); /* after the guest ASID changed, and on entry to a node */
void mmu_drop_asid(struct vcpu *v, u32 guest_asid); /* all its non-global translations */
/* Translations that a guest's TLB entry may have given rise to; hi with guest ASID. */
void mmu_forget(struct vcpu *v, u64 hi, u64 mask, bool global);
void mmu_forget_range(struct vcpu *v, u64 first, u64 pairs, u32 guest_asid, bool global);
/* The same of entries that TLBWR has replaced: TLBP found none at hi. */
void mmu_forget_replaced(struct vcpu *v, u64 hi);
/* The guest has just written this entry: it is about to use it, and nothing older of those pages
 * may live on. */
void mmu_replace(struct vcpu *v, const struct vtlb_entry *e);

/* A miss on its way through mmu.c and walk.c. */
struct miss {
	u64 va;
	bool write, fetch;
	bool both;		/* of the pair's pages are wanted */
	struct reading reading; /* begun when the miss was taken */
};

/* EntryHi of the pair of pages around the special page, which is the monitor's. */
#define SPECIAL_VPN2 ((DISCO_SPECIAL_PAGE - PAGE_SIZE) & ENTRYHI_VPN2)

static inline bool is_supervisor(u64 va) { return va >> 62 != 0; }

void mmu_map_special(const struct vcpu *v);
/* EntryLo of a page of the VM's memory that was used, or of its devices; 0: there is none. */
u64 mmu_look(const struct vcpu *v, gpn_t gpn);
bool mmu_window(const struct vcpu *v, u64 va, u64 *gpa);
u32 mmu_denied(struct vcpu *v, u64 lo, const struct miss *m);
enum verdict mmu_fill(struct vcpu *v, const struct miss *m, const gpn_t gpn[2],
		      const u64 guest_lo[2], bool global);
/* Pages of the window that have something new in them (kernel/mem/fresh.h), into the L2TLB of v, which runs here. */
void mmu_install_fresh(struct vcpu *v);
enum verdict inject_tlb(struct vcpu *v, u32 code, bool refill);

/* ---- walk.c: the guest's page tables ---- */
enum verdict walk(struct vcpu *v, const struct miss *m, u32 code);

/* Whether the guest's tables have a valid entry for va; changes nothing. */
bool walk_is_mapped(struct vcpu *v, struct reading r, u64 va);
/* What a fresh walk maps va to, as the machine's EntryLo; 0: nothing, or the reading no longer
 * holds. Changes nothing. */
u64 walk_expected(struct vcpu *v, struct reading r, u64 va);

/* ---- flush.c: what guests flush ---- */
/* What MMU_FLUSH names (kernel/abi/disco.h). */
struct mmu_flush {
	u64 va, bytes, asid;
};

u64 flush_pairs(const struct mmu_flush *f); /* to take one by one; 0: the address space */

/* ---- check.c: with check=1 ---- */
void check_translations(struct vcpu *v); /* all, when v leaves the processor */
/* The address of a pair that v's L2TLB still has after a flush that names it; 0: none. On v's node;
 * takes no lock, and does not look at the guest's tables, which another VCPU may be changing. */
u64 check_flushed(const struct vcpu *v, const struct mmu_flush *f);
void check_report_flush(const struct vm *vm, u64 va, u64 vcpu);

/* ---- inject.c ---- */
/* Puts the exception in arch.inject into the virtual CP0 and sets pc to the guest's vector
 * (MD00091, 6.2). */
enum verdict inject(struct vcpu *v);
bool inject_interrupt(struct vcpu *v);		       /* deliver one if it can be taken now */
enum verdict inject_code(struct vcpu *v, u8 code);     /* INJECT of a plain exception */
enum verdict inject_badvaddr(struct vcpu *v, u8 code); /* one that sets BadVAddr */

/* ---- emul.c ---- */
enum verdict emul_coprocessor0(struct vcpu *v); /* CpU 0 from guest kernel mode */
void emul_move(struct vcpu *v, u32 insn); /* the effect of MFC0, DMFC0, MTC0, DMTC0, DI, EI alone */
enum verdict emul_reserved(struct vcpu *v); /* RI */
/* A load or store at "physical" address gpa, whose page the VM's memory does not have. */
enum verdict emul_access(struct vcpu *v, u64 va, u64 gpa, bool store);

/* Moves pc past the trapping instruction, through the branch it may sit behind; before it has any effect. INJECT: it
 * sits behind none. */
enum verdict emul_advance(struct vcpu *v);
void emul_set_gpr(struct vcpu *v, u32 reg, u64 val); /* $0 stays 0 */

/* ---- native.c: kernels that were linked for KSEG0 ---- */
/* An address error in kernel mode of a VM that is rewritten: true if it was none, and what to do is in *verdict. */
bool native_resolve(struct vcpu *v, enum verdict *verdict);
/* The VCPU of such a VM has a new pc: one in KSEG0 becomes one in the window, as after the trap of its fetch. */
void native_enter(struct vcpu *v);
/* The "physical" address behind one of KSEG0, KSEG1 and XKPHYS; false: it is none of these. */
bool native_address(const struct vcpu *v, u64 va, u64 *gpa);
/* A load or store at a csseg address where patched_shows: as if the page were there. */
enum verdict native_hidden(struct vcpu *v, u64 va, u64 gpa, bool store);

/* ---- patched.c: their places that trap no longer (kernel/reloc/patch.h); of VMs that have a patch ---- */
struct access;
/* The address in csseg shows code that is not its page's; the EntryLo of that. */
bool patched_shows(const struct vcpu *v, u64 va, u64 gpn);
u64 patched_entry(const struct vcpu *v, gpn_t gpn);
static inline bool patched_is_copied(const struct vcpu *v, u64 gpn)
{
	const struct patch *p = v->vm->patch;

	return p && gpn < p->npages && p->copy_of[gpn];
}
/* This entry is for an address that a trampoline made, not the guest. */
static inline bool patched_misses(const struct vcpu *v)
{
	return v->vm->patch && v->vm->patch->misses;
}
static inline bool patched_is_tramp(const struct vcpu *v, u64 va)
{
	const struct patch *p = v->vm->patch;
	u64 gpn = (va - DISCO_CSSEG_BASE) >> PAGE_SHIFT;

	return p && gpn >= p->npages && patch_page(p, gpn);
}
/* Somebody stores to the page: its copy goes; for_ever: for the last time. Takes translations back. */
void patched_written(struct vcpu *v, u64 gpn, bool for_ever);
/* CACHE at an address. */
void patched_cleaned(struct vcpu *v, u64 va);
/* At each entry to the monitor: pc is no longer in a trampoline. What the entry's ExcCode is from now on. */
u32 patched_leave(struct vcpu *v, u32 code);
/* An access that was carried out becomes a branch to a trampoline if it may. */
void patched_try(struct vcpu *v, const struct patch_place *at, const struct access *a,
		 bool integer);
/* The same of an LL or SC. */
void patched_try_linked(struct vcpu *v, const struct patch_place *at, const struct access *a);
/* A fetch went on in csseg that was at `from`: a call or a jump that led there may become one, too. */
void patched_try_branch(struct vcpu *v, u64 from);
void patched_stays(struct vcpu *v, enum patch_why why); /* it does not */
/* Whether the place is in the slot of what lies before it, *word. */
enum before { NO_BRANCH, A_BRANCH, MAYBE };
enum before patched_look_before(struct vcpu *v, u64 gpa, u32 *word);
/* A copy for the page, if it has none. False: it can have none. */
bool patched_copy_page(struct vcpu *v, u64 gpn);
/* pc for what comes behind a place that is done. */
void patched_leave_done(struct vcpu *v, const struct patch_site *s);
/* Where it is kept that there is nothing to be done about a place. */
u32 *patched_refusal(const struct vcpu *v, u64 gpa);

/* ---- moved.c: their moves to and from CP0 (kernel/reloc/cp0move.h) ---- */
/* A move was carried out: it may become one. */
void patched_try_move(struct vcpu *v, const struct patch_place *at);
/* patched_leave of that. */
void patched_leave_move(struct vcpu *v, const struct patch_site *s, u32 word, u32 code);

/* ---- fpu.c ---- */
void fpu_acquire(struct vcpu *v);	      /* v's registers into the processor */
void fpu_forget(struct vcpu *v);	      /* v will not want them back */
void fpu_leave(struct vcpu *v);		      /* v will want them on another processor */
u64 fpu_register(struct vcpu *v, unsigned n); /* of v, wherever it is now */
void fpu_set_register(struct vcpu *v, unsigned n, u64 value);
/* entry.S; with Status.CU1 set */
void fpu_save(struct fpu_state *s);
void fpu_load(const struct fpu_state *s);

/* ---- vtimer.c ---- */
void vtimer_set(struct vcpu *v, u32 compare); /* as mtc0 Compare */
bool vtimer_tick_due(const struct node *n);   /* or as good as due, for a lone guest's timer */

/* ---- cps.c ---- */
void gic_init(void);
void gic_node_init(unsigned node);
void gic_timer_put_off(void);
void gic_route_board(void); /* the board's line to this processor's IRQ_BOARD */
void gic_ipi_clear(unsigned node);
u32 gic_counter(void);

/* ---- text.c ---- */
void text_enter(const struct node *n); /* exceptions of this processor go to n's text from now on */

/* ---- node.c ---- */
extern struct l2tlb no_l2tlb; /* holds nothing; a stray access of the monitor is a miss in it */
void irq_handle(struct node *n, u32 cause); /* what Cause says is pending: mail, the timer */

#endif /* ARCH_MIPS_MIPS_H */
