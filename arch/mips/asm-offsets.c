/* SPDX-License-Identifier: MIT */
/* Offsets and constants that assembly needs, made into asm-offsets.h by the build. Not linked. */
#include "arch/mips/arch.h"
#include "arch/mips/mips.h"
#include "kernel/mem/l2tlb.h"
#include "kernel/node.h"
#include "kernel/mem/pmap.h"
#include "kernel/vm/vcpu.h"

#define DEFINE(sym, val) __asm__ volatile("\n->" #sym " %0 " #val : : "i"(val))

void asm_offsets(void);
void asm_offsets(void)
{
	DEFINE(VCPU_GPR, offsetof(struct vcpu, arch.gpr));
	DEFINE(VCPU_PC, offsetof(struct vcpu, arch.pc));
	DEFINE(VCPU_BADVADDR, offsetof(struct vcpu, arch.badvaddr));
	DEFINE(VCPU_CAUSE, offsetof(struct vcpu, arch.cause));
	DEFINE(VCPU_BADINSTR, offsetof(struct vcpu, arch.badinstr));
	DEFINE(VCPU_BADINSTRP, offsetof(struct vcpu, arch.badinstrp));
	DEFINE(VCPU_CLEAR_LL, offsetof(struct vcpu, arch.clear_ll));
	DEFINE(VCPU_STATUS, offsetof(struct vcpu, arch.status));
	DEFINE(VCPU_EXITS, offsetof(struct vcpu, stats.exits));
	DEFINE(VCPU_INJECTED, offsetof(struct vcpu, stats.injected));
	DEFINE(VCPU_WALK_PRESENT, offsetof(struct vcpu, arch.walk_present));
	DEFINE(VCPU_EXITS_SYS, offsetof(struct vcpu, stats.exits[EXC_SYS]));

	DEFINE(VCPU_SWITCHES, offsetof(struct vcpu, arch.switches));
	DEFINE(VCPU_ASID, offsetof(struct vcpu, arch.asid));
	DEFINE(VCPU_ASID_MAP, offsetof(struct vcpu, arch.asid_map));
	DEFINE(VCPU_L2TLB_GENERATION, offsetof(struct vcpu, arch.l2tlb_generation));
	DEFINE(VCPU_WALKER_ROOT, offsetof(struct vcpu, arch.walker.root));
	DEFINE(VCPU_WALK_ROOT, offsetof(struct vcpu, arch.walk_root));
	DEFINE(VCPU_WALK_ROTATE, offsetof(struct vcpu, arch.walk_rotate));
	DEFINE(VCPU_LARGE, offsetof(struct vcpu, arch.pmap_large));
	DEFINE(VCPU_NLARGE, offsetof(struct vcpu, arch.pmap_nlarge));
	DEFINE(VCPU_PMAP_ENTRY, offsetof(struct vcpu, arch.pmap_entry));
	DEFINE(PMAP_ENTRY_SIZE, sizeof(struct pmap_entry));
	DEFINE(PMAP_BACK, offsetof(struct pmap_entry, back));
	DEFINE(VCPU_PMAP_PAGES, offsetof(struct vcpu, arch.pmap_pages));
	DEFINE(FPU_FCSR, offsetof(struct fpu_state, fcsr));
	DEFINE(L2TLB_TAG, offsetof(struct l2tlb_entry, tag));
	DEFINE(L2TLB_LO0, offsetof(struct l2tlb_entry, lo[0]));
	DEFINE(L2TLB_LO1, offsetof(struct l2tlb_entry, lo[1]));
	DEFINE(ASID_BITS, ASID_BITS);
	DEFINE(NODE_ASID_GENERATION, offsetof(struct node, cpu.asids.generation));
	DEFINE(NODE_RENEWED, offsetof(struct node, cpu.renewed));
	DEFINE(NODE_RENEW_AFTER, offsetof(struct node, cpu.renew_after));
	DEFINE(NODE_STACK, offsetof(struct node, stack_top));
	DEFINE(NODE_FRAME, offsetof(struct node, cpu.frame));
	DEFINE(NODE_FRAME_PC, offsetof(struct node, cpu.frame.pc));
	DEFINE(NODE_FRAME_STATUS, offsetof(struct node, cpu.frame.status));
	DEFINE(NODE_FRAME_CAUSE, offsetof(struct node, cpu.frame.cause));
	DEFINE(NODE_FRAME_BADVADDR, offsetof(struct node, cpu.frame.badvaddr));
	DEFINE(NODE_FRAME_BADINSTR, offsetof(struct node, cpu.frame.badinstr));
	DEFINE(NODE_STACK_USABLE, NODE_STACK_SIZE - 2048);
	DEFINE(MONITOR_STATUS, MONITOR_STATUS);
}
