/* SPDX-License-Identifier: MIT */
/*
 * The door to arch/mips: what the processor does for the rest of the monitor. The
 * processor-dependent half of a VCPU, entering guests, timers, interrupts between nodes. Names and
 * numbers of CP0 are in regs.h, which is included for the inline functions below alone: no other
 * folder uses them (tests/check/test_layering.py), but for boot/start.S.
 */
#ifndef ARCH_MIPS_ARCH_H
#define ARCH_MIPS_ARCH_H

#include "arch/mips/self.h"
#include "arch/mips/asid.h"
#include "arch/mips/copy.h"
#include "arch/mips/regs.h"
#include "kernel/abi/disco.h"
#include "kernel/mem/l2tlb.h"
#include "kernel/types.h"

struct l2tlb;
struct pmap_entry;
struct vcpu;
struct vcpu_boot;
struct node;

/* What a trap handler wants done with the VCPU; translated in one place, trap.c. */
enum verdict {
	RESUME,	    /* enter the guest at arch.pc */
	INJECT,	    /* deliver arch.inject first */
	RESCHEDULE, /* the VCPU waits, or its time is up: pick another */
	KILL_VM,    /* the guest is beyond help: arch.why says what it did */
};

/* An exception on its way into a guest. */
struct injection {
	u8 code;       /* ExcCode */
	u8 ce;	       /* coprocessor number, for CpU */
	bool refill;   /* no matching TLB entry: refill vector unless EXL */
	bool badvaddr; /* sets BadVAddr from arch.badvaddr */
	bool tlb;      /* sets Context, XContext and EntryHi too */
};

/*
 * The special page (kernel/abi/disco.h): the virtual CP0, which the guest's kernel sees and writes.
 * The monitor trusts no word of it: each is masked or bounded where it is used, and what could hurt
 * another (machine ASIDs, machine Status) is kept elsewhere.
 */
struct vcp0 {
	u64 reg[32][8]; /* [register][select] */
	u32 pending;	/* an interrupt waits for Status.IE */
	u32 returns;	/* of fast.S since the last entry in C, plus 1; 0: it may make none */
	u64 steal;	/* Count ticks READY but not in the processor */
	u8 rest[2032];
};

/* The guest's page tables, as DISCO_HC_MMU_SETUP describes them (walk.c). */
struct walker {
	bool on;
	u8 shift[3], bits[3]; /* of an address: root, middle, last */
	u8 rotate;
	u64 kernel_root;
	u64 root; /* of the current address space */
	u64 present, write, accessed, modified, valid, dirty, no_read;
};

#define VTLB_ENTRIES 64
#define LATE_FLUSHES 4

/* One entry of the guest's own TLB: virtual to "physical", as the guest wrote it. */
struct vtlb_entry {
	u64 hi;	   /* R, VPN2, ASID; EHINV set when the entry is invalid */
	u64 lo[2]; /* G of both is the and of what was written */
	u64 mask;  /* PageMask */
};

struct fpu_state {
	u64 reg[32];
	u32 fcsr;
};

/* Only the node that runs the VCPU touches this, but for irq_lines. */
struct vcpu_arch {
	/* saved and loaded by entry.S, offsets in asm-offsets.c */
	u64 gpr[32];
	u64 pc;	      /* of the trap (of the branch, when cause has BD); then where to resume */
	u64 badvaddr; /* of the trap, like the next three */
	u32 cause;
	u32 badinstr;
	u32 badinstrp;
	u32 clear_ll; /* next entry must lose the LL reservation (ERET, not ERETNC) */
	u64 status;   /* machine Status for the next entry; EXL set */

	struct vtlb_entry vtlb[VTLB_ENTRIES];
	u32 vtlb_next;	      /* state of the virtual Random */
	u64 l2tlb_generation; /* of the node's ASIDs, when the L2TLB was last emptied */
	u32 asid;	      /* machine ASID of the current guest ASID */
	u32 brief_next;	      /* where the next translation goes that is not to live long */
	/* pieces of large pages, or global user pages under several ASIDs, are cached */
	bool scattered;

	struct walker walker;
	/* for walk_fast.S: the root's pages in machine memory; 0: leave it to walk.c */
	u64 walk_root[WALK_ROOTS];
	u64 walk_rotate, walk_present; /* the present bit, rotated */
	u32 switches; /* of fast.S since the last entry in C, plus 1; 0: it may make none */
	struct pmap_entry *pmap_entry; /* the VM's pmap as its node sees it */
	u64 pmap_pages;
	const u64 *pmap_large; /* the same of its large pages, and how many words there are */
	u64 pmap_nlarge;

	u32 soft_irq; /* Cause.IP1..0 as the guest wrote them */
	u64 timer;    /* count64 at which IP7 rises */
	bool timer_armed;
	u64 lag; /* of its clock: vm->lag, as of vcpu_catch_up; timer has it in it */

	struct fpu_state fpu; /* while the node's fpu_owner is another */
	u64 ll_value;	      /* what an LL loaded that native.c carried out */
	struct injection inject;
	char why[96]; /* for KILL_VM */

	/* what a reset leaves: all above is zero after it (arch_vcpu_reset) */
	u64 late[LATE_FLUSHES]; /* flushes to be made before it runs (flush.c); any node, atomically */
	u32 late_any;		/* of them; any node, atomically */
	/* Cause.IP7..0 raised from outside; any node, atomically; in one line with the next */
	u32 irq_lines __attribute__((aligned(8)));
	u32 unread;	  /* line_take, for irq_lines */
	struct vcp0 *cp0; /* virtual CP0 */
	u64 *asid_map;	  /* guest ASID -> machine ASID with generation (asid.h) */
	struct l2tlb *l2tlb;
};

/* The monitor's own registers after an exception of its own. */
struct monitor_frame {
	u64 gpr[32];
	u64 pc, status, cause, badvaddr, badinstr;
};

/* The processor's part of a node: what only this folder, on that processor, reads and writes. */
struct node_cpu {
	struct monitor_frame frame; /* written by entry.S, read by kernel/panic.c too */
	struct vcpu *fpu_owner;	    /* whose FPU registers are in the processor, or NULL */
	struct asid_pool asids;
	u64 count_last; /* what count64 said last */
	u64 compare;	/* the count64 for which the machine's Compare is set */
	u32 renewed;	/* Count at the last tlb_renew */
	u32 renew_after; /* Count ticks, until a switch to an address space calls it again; fixed after boot */
};

/* ---- entry.S ---- */
/* Loads the VCPU's registers and enters it. Does not return; the next trap starts afresh on the
 * node's stack. */
_Noreturn void guest_enter(struct vcpu *v);

/* ---- trap.c ---- */
_Noreturn void arch_run(struct vcpu *v); /* prepares and enters v, the node's current VCPU */

/* ---- vcpu.c: life of the processor half ---- */
/* Reset state but for irq_lines: every virtual register at its reset value, empty TLBs. */
void arch_vcpu_reset(struct vcpu *v, const struct vcpu_boot *boot);
/* Which shortcuts of vectors.S and walk_fast.S it may take, as numa's latency_on is now; its
 * translations go. On its node. */
void arch_vcpu_set_paths(struct vcpu *v);
void arch_vcpu_switch_in(struct vcpu *v);  /* make v the one that runs on this node */
void arch_vcpu_switch_out(struct vcpu *v); /* its FPU state stays until another wants it */
/*
 * v, which is not in the processor any more, leaves its node: with an L2TLB and a map of ASIDs that are empty, and
 * another node's. And is on a node, which has a view of its VM, from now on.
 */
void arch_vcpu_leave(struct vcpu *v, struct l2tlb *l2tlb, u64 *asid_map);
void arch_vcpu_arrive(struct vcpu *v);
void arch_vcpu_stolen(struct vcpu *v, u64 ticks); /* READY that long before it got the processor */
void arch_vcpu_retire(struct vcpu *v); /* forget FPU and translations for good; on v's node */
bool arch_vcpu_hears(const struct vcpu *v,
		     unsigned line);	    /* the guest lets Cause.IP of that number through */
bool arch_vcpu_wakes(const struct vcpu *v); /* an enabled interrupt is pending: WAIT ends */
void arch_vcpu_print(const struct vcpu *v); /* registers, one screen */
void arch_vcpu_print_tlb(const struct vcpu *v);
bool arch_vcpu_user(const struct vcpu *v); /* in guest user mode */

/* ---- mmu.c: translations of a VCPU ---- */
void mmu_flush_vcpu(struct vcpu *v); /* every translation, L2TLB and machine TLB; on v's node */
void mmu_flush_node(void);	     /* this processor's whole machine TLB */
/* Pages of the largest pair of a window that is worth while on this machine: 8 times 4^n. */
u32 mmu_largest_pair(void);

#define MMU_DROP_PAGES 16
/* Guest pages of a VM whose translations are to be taken back; n of them. */
struct mmu_drop {
	struct vm *vm;
	u32 n;
	struct page_filter machine; /* each copy of them */
	gpn_t page[MMU_DROP_PAGES];
};
/* A shootdown_fn: takes back what the reverse maps of the n pages name, and large pairs around them.
 * what: struct mmu_drop. */
void mmu_drop_pages(struct node *n, const void *what);

/* Monitor calls of the walker; results as of a monitor call. */
s64 mmu_call_setup(struct vcpu *v, u64 block_gpa);
s64 mmu_call_switch(struct vcpu *v, u64 entryhi, u64 root);
s64 mmu_call_flush(struct vcpu *v, u64 va, u64 bytes, u64 vcpu_mask, u64 asid);
/* What others flushed while v did not run: v, on its node, is RUNNING since before. */
void mmu_flush_late(struct vcpu *v);

/* ---- vtimer.c ---- */
u64 count64(void); /* the machine's Count, widened; 6 ns a tick, equal on all nodes */
/* As mtc0 Compare, but a value that has passed means now, not a turn of Count later. */
void arch_vcpu_set_timer(struct vcpu *v, u32 compare);
/* Its Count is so far behind the machine's, and its timer as much later; on its node. */
void arch_vcpu_set_lag(struct vcpu *v, u64 lag);
/* raise IP7 of those that are due, and program the next interrupt */
void vtimer_expire(struct node *n);
/* count64 for which its timer is set; any node's, of a moment */
u64 arch_node_due(const struct node *n);
/* This node calls tick_event (kernel/sched/tick.h) then (count64), or before if it was asked to; with any lock held. */
void vtimer_ask_event(u64 when);
void vtimer_lose(void); /* this processor's next interrupt does not come, as a test */
#define COUNT_HZ 166666667ul
#define COUNT_MS (COUNT_HZ / 1000)
#define COUNT_NS 6 /* of a tick */

/* ---- node bring-up and interrupts between nodes ---- */
void arch_configure(void);	     /* after options_configure, before any guest */
void arch_early_init(void);	     /* node 0, before anything else */
void arch_node_init(struct node *n); /* this processor: CP0, TLB, vectors, timer, IPI */
unsigned arch_processors(void);	     /* how many the machine has */
void arch_start_node(unsigned id);   /* release processor id into the monitor */
void arch_send_ipi(unsigned node);
/* From now on this node, which has the original text, calls handler each time it looks at its
 * interrupts while the board's line (drivers/host/i8259.c) is up. Boot only. */
void arch_board_interrupt(void (*handler)(void));
void arch_idle(void);			/* WAIT until any interrupt is pending; takes none */
_Noreturn void arch_idle_forever(void); /* takes nothing, ends never */
void arch_irq_poll(struct node *n); /* handle what is pending, from the monitor's own idle loop */

/* Lets the next processor run: a spinning one costs the others 100 ms slices otherwise
 * (docs/machine.md). */
void arch_yield(void);

/* ---- text.c: the monitor's text, replicated ---- */
size_t arch_text_bytes(void);
/* Makes a copy there, page-aligned, that runs; the distance from the original, or 0: none was made.
 * Boot only. */
u64 arch_text_copy(void *to);
u64 arch_text_original(u64 pc); /* the same instruction in the original */
/* A function through a pointer, in this node's own text. */
#define TEXT_HERE(fn) ((__typeof__(fn))((u64)(fn) + node_self()->text))

/* ---- dump.c ---- */
void arch_dump(void); /* CP0, TLB of this processor; after a fatal error: spoils EntryHi, EntryLo */
void arch_backtrace(u64 pc, u64 sp, u64 ra);
void arch_backtrace_here(void);

/* ---- guest memory ---- */
/* A machine page as the TLB wants it: EntryLo, valid, writable, cacheable, not global. Never 0. */
static inline u64 arch_page_entry(mpn_t n)
{
	return n.v << ENTRYLO_PFN_SHIFT | ENTRYLO_C_WB | ENTRYLO_D | ENTRYLO_V;
}
static inline u64 arch_readonly_entry(u64 lo) { return lo & ~(u64)ENTRYLO_D; }
static inline bool arch_entry_valid(u64 lo) { return lo & ENTRYLO_V; }
static inline bool arch_entry_writable(u64 lo) { return lo & ENTRYLO_D; }
/* The same page, to be seen in every address space of the processor. */
static inline u64 arch_global_entry(u64 lo) { return lo | ENTRYLO_G; }
/* The same rights to the page n pages on in machine memory; n may be negative. */
static inline u64 arch_neighbour_entry(u64 lo, s64 n)
{
	return lo + (u64)n * BIT(ENTRYLO_PFN_SHIFT);
}
/* A pair of large pages of the windows, as the refill handler takes it: pages small ones in all, 4^k
 * times 8. lo: of its first small page. */
static inline u64 arch_large_pair(u64 lo, u32 pages)
{
	return lo | (((u64)pages << PAGE_SHIFT) - 0x2000) << WINDOW_MASK_SHIFT;
}
static inline u32 arch_large_mask(u64 pair) { return pair >> WINDOW_MASK_SHIFT; } /* PageMask */
static inline u32 arch_large_pages(u64 pair)
{
	return (arch_large_mask(pair) + 0x2000) >> PAGE_SHIFT;
}
static inline u64 arch_large_lo(u64 pair) { return pair & (BIT(WINDOW_MASK_SHIFT) - 1); }
/* The windows by number, csseg and xsseg: the L2TLB's tag of the pair of small pages that gpn is in. */
#define ARCH_WINDOWS 2
static inline u64 arch_window_tag(u32 window, gpn_t gpn)
{
	u64 base = window ? DISCO_XSSEG_BASE : DISCO_CSSEG_BASE;

	return (base + (gpn.v << PAGE_SHIFT)) & ENTRYHI_VPN2;
}
static inline mpn_t arch_entry_page(u64 lo)
{
	return (mpn_t){ (lo & ENTRYLO_PFN) >> ENTRYLO_PFN_SHIFT };
}
static inline void *maddr_ptr(maddr_t a)
{
	return (void *)(0x9800000000000000ul | a.v); /* XKPHYS, cached */
}
static inline void *mpn_ptr(mpn_t n) { return maddr_ptr(mpn_maddr(n)); }
/* KSEG0 or XKPHYS pointer of the monitor -> machine address (RAM's low alias counts as RAM). */
static inline maddr_t ptr_maddr(const void *p)
{
	u64 a = (u64)p;

	if (a >= 0xffffffff80000000ul)
		return (maddr_t){ 0x80000000ul | (a & 0x1ffffffful) };
	return (maddr_t){ a & 0xfffffffffful };
}

#endif /* ARCH_MIPS_ARCH_H */
