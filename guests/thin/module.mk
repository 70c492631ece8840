# SPDX-License-Identifier: MIT
# Thin programs: a C file and the thin OS in one ELF file, a guest by itself. `make thin FILE=x.c` makes one and runs it: docs/thin.md.
# Their C library is newlib once more, with floating point in registers and with what threads need.

THIN_SRCS := $(addprefix guests/thin/,entry.S boot.c main.c tree.c sched.c guard.c futex.c clock.c thread.c sync.c attr.c c11.c heap.c malloc.c \
	console.c files.c syscalls.c posix.c signals.c fault.c hang.c) guests/lib/start.S kernel/symbols.c
# In a library of its own, of which a program gets what it calls: files of disks, by libext2fs.
THIN_DISK_SRCS := $(addprefix guests/thin/,ext.c extdata.c extmount.c extnames.c extmove.c disk.c virtio.c entropy.c) guests/lib/virtio.c
# The network, by lwIP.
THIN_NET_SRCS := $(addprefix guests/thin/,sockets.c netnames.c netport.c lwipsys.c)
THIN_OBJS := $(patsubst %,build/guests/thin/obj/%.o,$(basename $(THIN_SRCS)) libfdt/fdt libfdt/fdt_ro)
THIN_NEWLIB := build/newlib-thin/mips64el-elf
# No fused multiply-add: the same digits as on other machines.
THIN_FLAGS := -O2 -g -march=mips64r6 -mabi=64 -EL -fno-pic -mno-abicalls -msym32 -mhard-float -G0 -fno-stack-protector \
	-mcompact-branches=never -ffp-contract=off -ffunction-sections -fdata-sections -U__linux__ -U__gnu_linux__ -Ulinux
THIN_LWIP_INC := guests/thin/lwip build/thin-lwip/include build/thin-lwip/include/posix
THIN_INC = -nostdinc -isystem guests/thin/include -isystem $(shell env -i PATH="$$PATH" $(CC) -print-file-name=include 2>/dev/null) \
	-isystem $(THIN_NEWLIB)/include $(addprefix -isystem ,$(THIN_LWIP_INC))
THIN_CFLAGS = $(THIN_FLAGS) -ffreestanding $(WARN_CFLAGS) -I. -Ibuild/libfdt $(THIN_INC) -isystem build/thin-ext2fs/include -DVIRTIO_SIZE=128
THIN_LIBGCC = $(shell env -i PATH="$$PATH" $(CC) -march=mips64r6 -mabi=64 -print-libgcc-file-name 2>/dev/null)

build/newlib-thin.ok: tools/build-newlib.sh | build/setup.mk build/newlib.ok
	$(Q)tools/progress.sh -s $@ "newlib (C library of thin programs)" build/log/newlib-thin.log \
		tools/build-newlib.sh build/newlib-thin $(CROSS) thin

build/guests/thin/obj/%.o: %.c | build/newlib-thin.ok build/libfdt.ok
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(THIN_CFLAGS) $(DEPS) -c -o $T $< && $(whole_deps)

build/guests/thin/obj/%.o: %.S | build/newlib-thin.ok
	@mkdir -p $(@D)
	$(call say,AS,$<)
	$(Q)$(CC) $(THIN_CFLAGS) -D__ASSEMBLER__ $(DEPS) -c -o $T $< && $(whole_deps)

build/guests/thin/obj/libfdt/%.o: build/libfdt.ok | build/newlib-thin.ok
	@mkdir -p $(@D)
	$(Q)$(CC) $(THIN_CFLAGS) -w -c -o $T build/libfdt/$*.c && $(whole)

THIN_DISK_OBJS := $(patsubst %,build/guests/thin/obj/%.o,$(basename $(THIN_DISK_SRCS)))
$(THIN_DISK_OBJS): build/thin-ext2fs/libext2fs.a
build/guests/thin/libthin-disk.a: $(THIN_DISK_OBJS)
	$(call say,AR,$@)
	$(Q)rm -f $T && $(CROSS)ar rcs $T $^ && $(whole)

THIN_NET_OBJS := $(patsubst %,build/guests/thin/obj/%.o,$(basename $(THIN_NET_SRCS)))
$(THIN_NET_OBJS): build/thin-lwip/liblwip.a
build/guests/thin/libthin-net.a: $(THIN_NET_OBJS)
	$(call say,AR,$@)
	$(Q)rm -f $T && $(CROSS)ar rcs $T $^ && $(whole)

# apt takes one source at a time.
build/lwip-src.ok: tools/fetch-source.sh | build/e2fsprogs-src.ok
	$(Q)tools/progress.sh -s $@ "fetching lwIP's source" build/log/lwip-src.log tools/fetch-source.sh lwip

build/thin-lwip/liblwip.a: build/lwip-src.ok tools/build-lwip.sh $(wildcard guests/thin/lwip/*.h guests/thin/lwip/*/*.h) | build/newlib-thin.ok
	$(Q)tools/progress.sh -s $@ "lwIP (network of thin programs)" build/log/thin-lwip.log \
		tools/build-lwip.sh build/src/lwip build/thin-lwip '$(CC) $(THIN_FLAGS) $(THIN_INC)' $(CROSS)ar

build/thin-ext2fs/libext2fs.a: build/e2fsprogs-src.ok tools/build-ext2fs.sh | build/newlib-thin.ok
	$(Q)tools/progress.sh -s $@ "libext2fs (file systems of thin programs)" build/log/thin-ext2fs.log \
		tools/build-ext2fs.sh build/src/e2fsprogs build/thin-ext2fs '$(CC) $(THIN_FLAGS) $(THIN_INC)' $(CROSS)ar

build/thin-regex/libregex.a: tools/build-regex.sh | build/newlib-thin.ok
	$(Q)tools/progress.sh -s $@ "regular expressions (thin programs)" build/log/thin-regex.log \
		tools/build-regex.sh build/thin-regex '$(CC) $(THIN_FLAGS) $(THIN_INC)' $(CROSS)ar

build/guests/thin/libthin.a: $(THIN_OBJS)
	$(call say,AR,$@)
	$(Q)rm -f $T && $(CROSS)ar rcs $T $^ && $(whole)

-include $(patsubst %.o,%.d,$(THIN_OBJS) $(THIN_DISK_OBJS) $(THIN_NET_OBJS))

# $(call thin_link,FILES) makes the target of C and object files. Linked twice: the first image gives the names of functions that the
# report of a fault uses.
THIN_LINK = $(CC) $(THIN_FLAGS) -nostdlib -static -Wl,-T,guests/thin/thin.ld -Wl,--gc-sections -Wl,--build-id=none \
	-Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -Wl,--no-warn-mismatch
THIN_ARCHIVES := build/guests/thin/libthin-net.a build/thin-lwip/liblwip.a build/guests/thin/libthin-disk.a build/thin-ext2fs/libext2fs.a \
	build/thin-regex/libregex.a
THIN_LIBS = -Wl,--whole-archive build/guests/thin/libthin.a -Wl,--no-whole-archive -Wl,--start-group \
	$(THIN_ARCHIVES) $(THIN_NEWLIB)/lib/libm.a $(THIN_NEWLIB)/lib/libc.a $(THIN_LIBGCC) -Wl,--end-group
THIN_NEEDS := build/newlib-thin.ok build/guests/thin/libthin.a $(THIN_ARCHIVES) guests/thin/thin.ld guests/thin/link.sh tools/symbols.sh
define thin_link
THIN_CC='$(CC) $(THIN_FLAGS) -iquote . $(THIN_INC)' THIN_LINK='$(THIN_LINK)' THIN_LIBS='$(THIN_LIBS)' guests/thin/link.sh $(CROSS)nm $T $(1) && $(whole)
endef

# ---- what a person types ----
HELP += make thin FILE=x.c      a C program without an operating system below it, on NODES=n nodes (docs/thin.md)\n
WORDS ?=
NODES ?= 8
MEMORY ?= 64
THIN_ELF = build/guests/thin/$(basename $(notdir $(firstword $(FILE)))).elf
THIN_STATUS := build/thin.$(shell echo $$PPID).tmp

.PHONY: thin thin-run
ifneq ($(filter thin thin-run,$(MAKECMDGOALS)),)
ifneq ($(filter load,$(.FEATURES)),)
-load build/host/exit.so
endif
ifeq ($(FILE),)
$(error FILE: found nothing, needed: the C file of a program, as in `make thin FILE=hello.c`)
endif
ifneq ($(filter-out $(wildcard $(FILE)),$(FILE)),)
$(error FILE: found no $(filter-out $(wildcard $(FILE)),$(FILE)), allowed: C files that exist)
endif
$(THIN_ELF): $(FILE) $(THIN_NEEDS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(call thin_link,$(FILE))
endif

thin: thin-run
	$(exit-with $(shell cat $(THIN_STATUS); rm -f $(THIN_STATUS)))

thin-run: $(THIN_ELF) build/disco.elf build/host/strict.so build/host/dtscheck $(if $(FLASH),build/flash.so)
	@guests/thin/run.sh -n $(call quoted,$(NODES)) -m $(call quoted,$(MEMORY)) -s $(THIN_STATUS) $(if $(VCPUS),-v $(call quoted,$(VCPUS))) \
		$(foreach disk,$(DISK),-d $(call quoted,$(disk))) \
		$(foreach port,$(PORTS),-p $(call quoted,$(port))) $(if $(HOST_PORT),-P $(call quoted,$(HOST_PORT))) \
		$(if $(FLASH),-f $(call quoted,$(value FLASH))) $(if $(ARGS),-a $(call quoted,$(value ARGS))) \
		$(THIN_ELF) $(call quoted,$(value WORDS))
