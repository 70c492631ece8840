# SPDX-License-Identifier: MIT
MONITOR_SRCS += $(addprefix numa/, topology.c placement.c nodemem.c magic.c batch.c migrate.c replicate.c shared.c shuffle.c policy.c ledger.c heat.c balance.c moves.c \
	filter.c latency.c show.c map.c)
