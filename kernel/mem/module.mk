# SPDX-License-Identifier: MIT
MONITOR_SRCS += $(addprefix kernel/mem/, memmap.c pmap.c l2tlb.c shootdown.c)
