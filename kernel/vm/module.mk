# SPDX-License-Identifier: MIT
MONITOR_SRCS += $(addprefix kernel/vm/, vm.c make.c life.c pause.c move.c guest_memory.c vcpu.c hypercall.c device.c loader.c elf.c cpio.c vmdesc.c vmdesc_vm.c vmdesc_disk.c vmdesc_net.c props.c gdtb.c commands.c top.c)
