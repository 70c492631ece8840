/* SPDX-License-Identifier: MIT */
/* Probes (probe.h), and trap_dispatch: who gets an exception. One probe at a time on a VCPU. */
#include "guests/lib/probe.h"
#include "guests/lib/cp0.h"
#include "guests/lib/guest.h"
#include "guests/lib/tlb.h"

#define OFFSET(s, f, off) _Static_assert(offsetof(struct s, f) == (off), #f)

struct probe {
	u64 sregs[12];
	u64 status;
	u64 pc;
	u64 args[4];
	u64 v0;
	u64 sp;
	u64 ra;
	u64 ustatus;
	struct trap trap;
};

OFFSET(probe, status, PROBE_STATUS);
OFFSET(probe, pc, PROBE_PC);
OFFSET(probe, args, PROBE_ARGS);
OFFSET(probe, v0, PROBE_V0);
OFFSET(probe, sp, PROBE_SP);
OFFSET(probe, ra, PROBE_RA);
OFFSET(probe, ustatus, PROBE_USTATUS);
OFFSET(frame, status, FRAME_STATUS);
OFFSET(frame, badinstrp, FRAME_BADINSTRP);
OFFSET(frame, keep_ll, FRAME_KEEP_LL);
_Static_assert(sizeof(struct frame) == FRAME_BYTES, "frame");
OFFSET(percpu, probe, PERCPU_PROBE);
OFFSET(percpu, arg, PERCPU_ARG);
_Static_assert(sizeof(struct percpu) == PERCPU_BYTES, "percpu");

extern char __probe_start[], probe_user_exit[];
void probe_call(struct probe *p);
void probe_call_user(struct probe *p);
void probe_leave(void);
void trap_dispatch(struct frame *f);

trap_hook_t trap_hook;
u32 probe_user_status = ST_BASE;
bool probe_user_code_fixed;

static struct probe probes[GUEST_VCPUS_MAX];
static u8 user_data[4 * PAGE_SIZE] __attribute__((aligned(2 * PAGE_SIZE)));

static const char *const names[32] = {
	"Int",
	"Mod",
	"TLBL",
	"TLBS",
	"AdEL",
	"AdES",
	"IBE",
	"DBE",
	"Sys",
	"Bp",
	"RI",
	"CpU",
	"Ov",
	"Tr",
	"MSAFPE",
	"FPE",
	[EXC_TLBRI] = "TLBRI",
	[EXC_TLBXI] = "TLBXI",
	[EXC_MSADIS] = "MSADis",
	[EXC_WATCH] = "WATCH",
	[EXC_MCHECK] = "MCheck",
};

const char *trap_name(unsigned exc) { return exc < 32 && names[exc] ? names[exc] : "none"; }

static u64 kernel_pc(u64 pc)
{
	return pc - USER_CODE < 2 * PAGE_SIZE ? pc - USER_CODE + (u64)__probe_start : pc;
}

/* The running probe is over: resume at probe_leave, in the mode the probe was called from. */
static void probe_finish(struct probe *p, struct frame *f)
{
	f->epc = (u64)probe_leave;
	f->regs[4] = (u64)p;
	f->status = p->status;
}

static _Noreturn void unexpected(const struct frame *f)
{
	print("unexpected %s: EPC %016lx BadVAddr %016lx Status %08x Cause %08x vector %03x BadInstr %08x ra %016lx\n",
	      trap_name(frame_exc(f)), (unsigned long)f->epc, (unsigned long)f->badvaddr,
	      (u32)f->status, (u32)f->cause, (u32)f->vector, (u32)f->badinstr,
	      (unsigned long)f->regs[31]);
	print("FAIL %s: unexpected %s\n", guest_name, trap_name(frame_exc(f)));
	platform_off(1);
}

void trap_dispatch(struct frame *f)
{
	struct probe *p = guest_this_cpu()->probe;

	if (trap_hook && trap_hook(f))
		return;
	if (!p)
		unexpected(f);
	if (frame_exc(f) == EXC_SYS && kernel_pc(f->epc) == (u64)probe_user_exit) {
		p->v0 = f->regs[2];
		probe_finish(p, f);
		return;
	}
	p->trap.taken = true;
	p->trap.exc = frame_exc(f);
	p->trap.v0 = f->regs[2];
	p->trap.f = *f;
	p->trap.f.epc = kernel_pc(f->epc);
	probe_finish(p, f);
}

static const struct trap *run(void (*call)(struct probe *), u64 pc, u64 a0, u64 a1, u64 a2)
{
	struct percpu *cpu = guest_this_cpu();
	struct probe *p = &probes[cpu->id];

	p->pc = pc;
	p->args[0] = a0;
	p->args[1] = a1;
	p->args[2] = a2;
	p->args[3] = 0;
	p->trap.taken = false;
	p->trap.exc = EXC_NONE;
	cpu->probe = p;
	call(p);
	cpu->probe = NULL;
	if (!p->trap.taken)
		p->trap.v0 = p->v0;
	return &p->trap;
}

const struct trap *probe(const void *fn, u64 a0, u64 a1, u64 a2)
{
	return run(probe_call, (u64)fn, a0, a1, a2);
}

void probe_map_user(void)
{
	u64 code = guest_pa(__probe_start), data = guest_pa(user_data);
	u64 fixed = probe_user_code_fixed ? LO_D : 0;

	tlb_map_at(0, USER_CODE, 0, (LO_RW(code) | LO_G) & ~fixed,
		   (LO_RW(code + PAGE_SIZE) | LO_G) & ~fixed);
	tlb_map_at(1, USER_DATA, 0, LO_RW(data) | LO_G, LO_RW(data + PAGE_SIZE) | LO_G);
	if (cp0_read_wired() < 2)
		cp0_write_wired(2);
}

u64 *probe_user_data(void) { return (u64 *)user_data; }

const struct trap *probe_user(const void *fn, u64 a0, u64 a1, u64 a2)
{
	struct probe *p = &probes[guest_this_cpu()->id];

	probe_map_user();
	p->sp = USER_DATA + 2 * PAGE_SIZE - 64;
	p->ra = USER_CODE + (u64)(probe_user_exit - __probe_start);
	p->ustatus = probe_user_status | ST_KSU_USER | ST_EXL;
	return run(probe_call_user, USER_CODE + (u64)((const char *)fn - __probe_start), a0, a1,
		   a2);
}
