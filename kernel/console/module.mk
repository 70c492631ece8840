# SPDX-License-Identifier: MIT
MONITOR_SRCS += $(addprefix kernel/console/, console.c answer.c edit.c keys.c text.c)
