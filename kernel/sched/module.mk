# SPDX-License-Identifier: MIT
MONITOR_SRCS += kernel/sched/sched.c kernel/sched/tick.c
