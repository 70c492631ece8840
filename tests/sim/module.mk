# SPDX-License-Identifier: MIT
# Host simulation of policy, counters and memmap: build/host/sim/sim-N for N nodes. The monitor's files are compiled so that they
# count their basic blocks.

SIM_NODES := 8 64 1024
SIM_MONITOR := numa/policy.c numa/ledger.c numa/heat.c kernel/mem/memmap.c
SIM_SRCS := $(addprefix tests/sim/, main.c machine.c trace.c best.c) kernel/format.c kernel/words.c
SIM_BINS := $(SIM_NODES:%=build/host/sim/sim-%)
SIM_CFLAGS := $(WARN_CFLAGS) -g -Itests/unit/host -I.

define SIM_RULE
build/host/sim/$(1)/%.o: %.c
	@mkdir -p $$(@D)
	$$(Q)$$(HOST_CC) $$(SIM_CFLAGS) -O1 -DMAX_NODES=$(1) $$(if $$(filter $$<,$$(SIM_MONITOR)),-fsanitize-coverage=trace-pc,-O2) $$(DEPS) -c -o $$T $$< && \
		$$(whole_deps)

build/host/sim/sim-$(1): $(SIM_MONITOR:%.c=build/host/sim/$(1)/%.o) $(SIM_SRCS:%.c=build/host/sim/$(1)/%.o)
	$$(call say,HOSTLD,$$@)
	$$(Q)$$(HOST_CC) -Wl,--wrap=memset -o $$T $$^ -lm && $$(whole)

-include $(patsubst %.c,build/host/sim/$(1)/%.d,$(SIM_MONITOR) $(SIM_SRCS))
endef
$(foreach n,$(SIM_NODES),$(eval $(call SIM_RULE,$(n))))

TEST_NEEDS += $(SIM_BINS)
HELP += make sim            where pages go on 8, 64 and 1024 nodes, simulated, compared with the best\n

.PHONY: sim
sim: $(SIM_BINS)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/sim/sim.py
