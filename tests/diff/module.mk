# SPDX-License-Identifier: MIT
# Differential tests: the guest that runs generated programs, for the monitor and for the bare machine.

PROGRAMS ?= 10000
SEED ?= 1
DIFF_OBJS := $(addprefix build/guests/obj/tests/diff/,runner.o areas.o state.o walked.o trap.o)
DIFF_ELFS := build/guests/diff/diff.elf build/guests/diff/native.elf
TEST_NEEDS += $(DIFF_ELFS)
HELP += make diff           random supervisor programs, natively and under the monitor: PROGRAMS=10000 SEED=1\n

build/guests/diff/diff.elf: $(DIFF_OBJS) $(GUEST_LIB_OBJS) build/guests/obj/guests/lib/platform-disco.o guests/lib/guest.ld
	@mkdir -p $(@D)
	$(Q)$(call guest_link,$(GUEST_BASE_DISCO),$(filter %.o,$^))

build/guests/diff/native.elf: $(DIFF_OBJS) $(GUEST_LIB_OBJS) build/guests/obj/guests/lib/platform-malta.o guests/lib/guest.ld
	@mkdir -p $(@D)
	$(Q)$(call guest_link,$(GUEST_BASE_MALTA),$(filter %.o,$^))

.SECONDARY: $(DIFF_OBJS)
-include $(DIFF_OBJS:.o=.d)

.PHONY: diff
diff: build/disco.elf $(DIFF_ELFS)
	@mkdir -p build/results
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/diff/diff.py --programs $(PROGRAMS) --seed $(SEED)
