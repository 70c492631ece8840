# SPDX-License-Identifier: MIT
MONITOR_SRCS += numa/topology.c numa/nodemem.c
