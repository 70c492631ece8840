# SPDX-License-Identifier: MIT
# The NUMA workloads: guests/numa/NAME.c -> build/guests/numa/NAME.elf (under the monitor) and build/guests/numa/native/NAME.elf
# (the bare machine, where one processor does everybody's work: the sums to compare with).

NUMA_WORKLOADS := engineering raytrace shared_text phase_change patterns
NUMA_ELFS := $(NUMA_WORKLOADS:%=build/guests/numa/%.elf)
NUMA_OBJS := build/guests/obj/guests/numa/work.o $(GUEST_LIB_OBJS)

build/guests/numa/shared_text.elf build/guests/numa/native/shared_text.elf: build/guests/obj/guests/numa/text.o

$(NUMA_ELFS): build/guests/numa/%.elf: build/guests/obj/guests/numa/%.o $(NUMA_OBJS) build/guests/obj/guests/lib/platform-disco.o guests/lib/guest.ld
	@mkdir -p $(@D)
	$(Q)$(call guest_link,$(GUEST_BASE_DISCO),$(filter %.o,$^))

$(NUMA_WORKLOADS:%=build/guests/numa/native/%.elf): build/guests/numa/native/%.elf: build/guests/obj/guests/numa/%.o $(NUMA_OBJS) \
		build/guests/obj/guests/lib/platform-malta.o guests/lib/guest.ld
	@mkdir -p $(@D)
	$(Q)$(call guest_link,$(GUEST_BASE_MALTA),$(filter %.o,$^))

.SECONDARY: $(NUMA_WORKLOADS:%=build/guests/obj/guests/numa/%.o)
-include $(NUMA_WORKLOADS:%=build/guests/obj/guests/numa/%.d) build/guests/obj/guests/numa/work.d
