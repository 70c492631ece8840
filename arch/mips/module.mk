# SPDX-License-Identifier: MIT
MONITOR_SRCS += $(addprefix arch/mips/, vectors.S entry.S trap.c emul.c vcp0.c vtlb.c mmu.c inject.c branch.c asid.c vcpu.c fpu.c \
	vtimer.c cps.c node.c dump.c)
