# SPDX-License-Identifier: MIT
MONITOR_SRCS += $(addprefix kernel/, main.c node.c options.c words.c format.c log.c lock.c panic.c seed.c symbols.c wallclock.c)
