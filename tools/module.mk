# SPDX-License-Identifier: MIT
# The libraries that come from Debian's sources: newlib (C library without an operating system) and libfdt.

build/newlib.ok: tools/build-newlib.sh | build/setup.mk
	$(Q)tools/progress.sh -s $@ "newlib (C library of the monitor and of bare-metal guests)" build/log/newlib.log \
		tools/build-newlib.sh build/newlib $(CROSS)

# Linux's own sources serve two: libfdt here, the guest kernel in guests/linux/module.mk. The patched tree is build/linux-src.
build/linux-src.ok: tools/unpack-linux.sh | build/setup.mk
	$(Q)tools/progress.sh -s $@ "unpacking linux-source-6.1" build/log/linux-src.log tools/unpack-linux.sh build/linux-src

LIBFDT_NAMES := fdt fdt_ro fdt_rw fdt_sw fdt_wip fdt_strerror fdt_empty_tree
LIBFDT_OBJS := $(LIBFDT_NAMES:%=build/obj/libfdt/%.o)

build/libfdt.ok: build/linux-src.ok
	@mkdir -p build/libfdt
	$(Q)rm -rf $T && mkdir $T && cp build/linux-src/scripts/dtc/libfdt/*.[ch] $T/ && mv -f $T/* build/libfdt/ && rmdir $T && touch $@

$(LIBFDT_OBJS): build/obj/libfdt/%.o: build/libfdt.ok build/newlib.ok
	@mkdir -p $(@D)
	$(call say,CC,libfdt/$*.c)
	$(Q)$(CC) $(TARGET_FLAGS) -w -Ibuild/libfdt $(TARGET_INC) -c -o $T build/libfdt/$*.c && $(whole)

build/libfdt/libfdt.a: $(LIBFDT_OBJS)
	$(call say,AR,$@)
	$(Q)$(CROSS)ar rcs $T $^ && $(whole)
