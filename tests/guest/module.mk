# SPDX-License-Identifier: MIT
# Bare-metal tests: tests/guest/NAME.c -> build/guests/tests/NAME.elf (under the monitor) and build/guests/native/NAME.elf
# (the bare machine).

GUEST_TESTS := $(call plain_names,tests/guest,.c)
GUEST_TEST_ELFS := $(foreach t,$(GUEST_TESTS),build/guests/tests/$(t).elf build/guests/native/$(t).elf)
TEST_NEEDS += $(GUEST_TEST_ELFS)
HELP += make guest-tests    build the bare-metal guest tests (tests/guest)\n

.PHONY: guest-tests
guest-tests: $(GUEST_TEST_ELFS)

build/guests/obj/tests/guest/%.o: GUEST_CFLAGS += -DGUEST_NAME='"$(notdir $*)"'

build/guests/tests/%.elf: build/guests/obj/tests/guest/%.o $(GUEST_LIB_OBJS) build/guests/obj/guests/lib/platform-disco.o guests/lib/guest.ld
	@mkdir -p $(@D)
	$(Q)$(call guest_link,$(GUEST_BASE_DISCO),$(filter %.o,$^))

build/guests/native/%.elf: build/guests/obj/tests/guest/%.o $(GUEST_LIB_OBJS) build/guests/obj/guests/lib/platform-malta.o guests/lib/guest.ld
	@mkdir -p $(@D)
	$(Q)$(call guest_link,$(GUEST_BASE_MALTA),$(filter %.o,$^))

.SECONDARY: $(patsubst %,build/guests/obj/tests/guest/%.o,$(GUEST_TESTS))
-include $(patsubst %,build/guests/obj/tests/guest/%.d,$(GUEST_TESTS))
