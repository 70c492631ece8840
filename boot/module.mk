# SPDX-License-Identifier: MIT
MONITOR_SRCS += boot/start.S boot/boot.c
