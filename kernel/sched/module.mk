# SPDX-License-Identifier: MIT
MONITOR_SRCS += kernel/sched/account.c kernel/sched/sched.c kernel/sched/members.c kernel/sched/tick.c kernel/sched/turn.c kernel/sched/spread.c kernel/sched/affinity.c kernel/sched/direct.c kernel/sched/hasten.c kernel/sched/fetch.c
