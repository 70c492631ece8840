# SPDX-License-Identifier: MIT
MONITOR_SRCS += kernel/reloc/table.c kernel/reloc/reloc.c
