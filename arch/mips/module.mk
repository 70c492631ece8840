# SPDX-License-Identifier: MIT
MONITOR_SRCS += $(addprefix arch/mips/, vectors.S entry.S fast.S walk_fast.S trap.c emul.c vcp0.c vtlb.c mmu.c forget.c tlb.c walk.c flush.c check.c inject.c access.c branch.c asid.c vcpu.c fpu.c native.c patched.c moved.c \
	vtimer.c cps.c node.c text.c dump.c)
