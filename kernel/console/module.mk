# SPDX-License-Identifier: MIT
MONITOR_SRCS += kernel/console/console.c
