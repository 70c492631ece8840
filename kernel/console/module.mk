# SPDX-License-Identifier: MIT
MONITOR_SRCS += $(addprefix kernel/console/, console.c input.c answer.c output.c logring.c prompt.c edit.c keys.c text.c commands.c)
