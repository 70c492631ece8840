# SPDX-License-Identifier: MIT
# Guests that share a node and don't want to: guests/rivals/NAME.c -> build/guests/rivals/NAME.elf (under the monitor only).

RIVALS_ELFS := $(patsubst %,build/guests/rivals/%.elf,victim neighbour shooter)
TEST_NEEDS += $(RIVALS_ELFS)

$(RIVALS_ELFS): build/guests/rivals/%.elf: build/guests/obj/guests/rivals/%.o $(GUEST_LIB_OBJS) \
		build/guests/obj/guests/lib/platform-disco.o guests/lib/guest.ld
	@mkdir -p $(@D)
	$(Q)$(call guest_link,$(GUEST_BASE_DISCO),$(filter %.o,$^))

.SECONDARY: $(patsubst %,build/guests/obj/guests/rivals/%.o,victim neighbour shooter)
-include $(patsubst %,build/guests/obj/guests/rivals/%.d,victim neighbour shooter)
