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

# ---- for editors ----
# What compiles which files; clang knows no -msym32.
define COMPILE_RULES
boot/* kernel/* arch/* numa/* drivers/* = $(CC) $(filter-out -msym32,$(MONITOR_CFLAGS)) $(TARGET_INC)
guests/lib/* guests/numa/* tests/guest/* tests/diff/* = $(CC) $(filter-out -msym32,$(GUEST_CFLAGS)) -DGUEST_NAME='"name"'
guests/thin/* tests/thin/* = $(CC) $(filter-out -msym32,$(THIN_CFLAGS))
guests/* = $(CC) $(WARN_CFLAGS) -I. -Ibuild/workloads/sqlite
$(UNIT_FAKE:%=tests/unit/*/test_%.c) tests/unit/fake.c tests/unit/numa_vm.c = $(HOST_CC) $(UNIT_FAKE_CFLAGS) $(HOST_CFLAGS)
tests/sim/* = $(HOST_CC) -DMAX_NODES=8 $(HOST_CFLAGS)
* = $(HOST_CC) $(HOST_CFLAGS)
endef

HELP += make compile-commands build/compile_commands.json, for clangd\n
.PHONY: compile-commands
compile-commands: export COMPILERS = $(COMPILE_RULES)
compile-commands: build/gen/asm-offsets.h build/libfdt.ok build/newlib.ok
	@tools/compile-commands.py build/compile_commands.json
