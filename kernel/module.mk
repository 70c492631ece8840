# SPDX-License-Identifier: MIT
MONITOR_SRCS += $(addprefix kernel/, main.c node.c vm.c vcpu.c sched.c memmap.c pmap.c l2tlb.c shootdown.c hypercall.c loader.c \
	elf.c cpio.c vmdesc.c gdtb.c console.c options.c format.c log.c lock.c stats.c panic.c symbols.c)
