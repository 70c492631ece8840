# SPDX-License-Identifier: MIT
MONITOR_SRCS += kernel/reloc/table.c kernel/reloc/reloc.c kernel/reloc/tramp.c kernel/reloc/call.c kernel/reloc/jump.c kernel/reloc/cp0move.c kernel/reloc/patch.c kernel/reloc/pair.c
