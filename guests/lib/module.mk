# SPDX-License-Identifier: MIT
# The library of our own guests. A guest is linked twice from the same objects: with platform-disco (csseg, monitor calls)
# and with platform-malta (KSEG0, bare machine); some a third time with platform-kseg0 (KSEG0, monitor calls).

GUEST_LIB_SRCS := $(addprefix guests/lib/,start.S vectors.S probe-call.S main.c probe.c tlb.c check.c syscalls.c seed.c virtio.c blk.c net.c)
GUEST_LIB_OBJS := $(patsubst %,build/guests/obj/%.o,$(basename $(GUEST_LIB_SRCS)))
GUEST_CFLAGS = $(TARGET_CFLAGS) -I. $(TARGET_INC)

build/guests/obj/%.o: %.c | build/newlib.ok
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(GUEST_CFLAGS) $(DEPS) -c -o $T $< && $(whole_deps)

build/guests/obj/%.o: %.S | build/newlib.ok
	@mkdir -p $(@D)
	$(call say,AS,$<)
	$(Q)$(CC) $(GUEST_CFLAGS) -D__ASSEMBLER__ $(DEPS) -c -o $T $< && $(whole_deps)

comma := ,

# $(call guest_link,BASE ADDRESS,OBJECTS,MORE OPTIONS) makes the target.
guest_link = $(CC) $(TARGET_FLAGS) $(3) -nostdlib -static -Wl,-T,guests/lib/guest.ld -Wl,--defsym=GUEST_BASE=$(1) \
	-Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -o $T $(2) \
	$(NEWLIB)/lib/libc.a && $(whole)

GUEST_BASE_DISCO := 0xffffffffc0010000
GUEST_BASE_MALTA := 0xffffffff80100000

GUEST_PLATFORMS := $(addprefix build/guests/obj/guests/lib/platform-,disco.o malta.o kseg0.o)

.SECONDARY: $(GUEST_LIB_OBJS) $(GUEST_PLATFORMS)
-include $(GUEST_LIB_OBJS:.o=.d) $(GUEST_PLATFORMS:.o=.d)
