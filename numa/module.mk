# SPDX-License-Identifier: MIT
MONITOR_SRCS += numa/topology.c numa/nodemem.c numa/magic.c numa/batch.c numa/migrate.c numa/replicate.c
MONITOR_SRCS += numa/policy.c numa/heat.c
