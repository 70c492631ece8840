# SPDX-License-Identifier: MIT
MONITOR_SRCS += $(addprefix kernel/mem/, memmap.c pmap.c pmap_state.c pmap_share.c pmap_give.c pmap_zero.c pmap_place.c hidden.c share.c pass.c large.c pmap_view.c l2tlb.c shootdown.c)
