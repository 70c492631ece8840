# SPDX-License-Identifier: MIT
# Disco: see README.md; `make help` lists what there is to do. Each folder says in its module.mk what it adds to the build.
#
# Variables a module.mk appends to:
#   MONITOR_SRCS  .c and .S files of the monitor (build/disco.elf)
#   ALL           what `make all` builds besides the monitor, the guest kernel and the scenarios
#   TEST_NEEDS    what `make test` needs built
#   HELP          lines of `make help`, separated by \n

.DEFAULT_GOAL := help
.SUFFIXES:
.DELETE_ON_ERROR:
include tools/start.mk
ifndef START_AGAIN
MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
Q := $(if $(V),,@)
# A file appears under its name when it is whole, or a build that was killed would leave half a file that looks new: a rule writes
# $T, and $(whole) at its end gives the file its name. With $(DEPS) among the compiler's options, it ends in $(whole_deps).
T = $@.$$$$.tmp
whole = mv -f $T $@
DEPS = -MMD -MP -MT $@ -MF $(basename $@).d.$$$$.tmp
# The same for a program compiled from several files in one step: $(call all_deps,COMPILER AND ITS OPTIONS,FILES).
all_deps = $(1) -MM -MP -MT $@ $(filter %.c,$(2)) >$(basename $@).d.$$$$.tmp
whole_deps = mv -f $(basename $@).d.$$$$.tmp $(basename $@).d && $(whole)
say = @printf '  %-7s %s\n' $(1) $(2)

CROSS := mipsisa64r6el-linux-gnuabi64-
CC := $(CROSS)gcc
PYTHON := /usr/bin/python3

# How every C file of ours is read, whatever it is compiled for.
WARN_CFLAGS := -std=gnu11 -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes

# Flags of everything that runs on the machine without an operating system: design in docs/, facts in qemu/README.md.
TARGET_FLAGS := -O2 -g -march=mips64r6 -mabi=64 -EL -ffreestanding -fno-pic -mno-abicalls -msym32 -msoft-float -G0 \
	-fno-stack-protector -mcompact-branches=never
TARGET_CFLAGS := $(TARGET_FLAGS) $(WARN_CFLAGS)
NEWLIB := build/newlib/mips64el-elf
TARGET_INC := -nostdinc -isystem $(shell env -i PATH="$$PATH" $(CC) -print-file-name=include 2>/dev/null) -isystem $(NEWLIB)/include

# ---- what must be there before anything is built: found or installed by tools/setup.sh, once ----
NO_SETUP := help clean distclean
ifneq ($(filter-out $(NO_SETUP),$(or $(MAKECMDGOALS),help)),)
include build/setup.mk
endif
build/setup.mk: tools/setup.sh tools/packages.txt $(wildcard /var/lib/dpkg/status)
	@tools/setup.sh $@

# ---- the folders ----
include $(sort $(wildcard */module.mk */*/module.mk))

# ---- the monitor ----
MONITOR_OBJS := $(MONITOR_SRCS:%=build/obj/%.o)
# Tables of addresses would lead out of a node's copy of the text (arch/mips/text.c).
MONITOR_CFLAGS := $(TARGET_CFLAGS) -fno-jump-tables -I. -Ibuild/gen -Ibuild/libfdt

build/obj/%.c.o: %.c build/gen/asm-offsets.h | build/newlib.ok build/libfdt.ok
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(MONITOR_CFLAGS) $(TARGET_INC) $(DEPS) -c -o $T $< && $(whole_deps)

build/obj/%.S.o: %.S build/gen/asm-offsets.h | build/newlib.ok
	@mkdir -p $(@D)
	$(call say,AS,$<)
	$(Q)$(CC) $(MONITOR_CFLAGS) $(TARGET_INC) -D__ASSEMBLER__ $(DEPS) -c -o $T $< && $(whole_deps)

# Offsets and constants for assembly, from the C structures: DEFINE(NAME, value) emits a line "->NAME value".
build/gen/asm-offsets.h: arch/mips/asm-offsets.c | build/newlib.ok build/libfdt.ok
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)$(CC) $(MONITOR_CFLAGS) -DGENERATING_OFFSETS $(TARGET_INC) $(DEPS) -S -o $T.s $< && { echo '/* Generated from $<. */'; \
		sed -n 's/^[[:space:]]*->\([A-Za-z0-9_]*\) [#$$]*\(-\{0,1\}[0-9]*\).*/#define \1 \2/p' $T.s; } >$T && \
		rm $T.s && $(whole_deps)

# Linked twice: the first image gives the table of function names that back traces in the second use.
LINK_MONITOR = $(CC) $(TARGET_FLAGS) -nostdlib -static -Wl,-T,boot/disco.ld -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	-Wl,-z,noexecstack -Wl,--no-warn-rwx-segments

MONITOR_LIBS := build/libfdt/libfdt.a $(NEWLIB)/lib/libc.a

build/disco.elf: boot/disco.ld tools/symbols.sh $(MONITOR_OBJS) build/libfdt/libfdt.a
	$(call say,LD,$@)
	$(Q)$(LINK_MONITOR) -o $T $(MONITOR_OBJS) $(MONITOR_LIBS) && tools/symbols.sh $(CROSS)nm $T >$T.S && \
		$(CC) $(TARGET_FLAGS) -c -o $T.o $T.S && \
		$(LINK_MONITOR) -Wl,-Map,$T.map -o $T $(MONITOR_OBJS) $T.o $(MONITOR_LIBS) && \
		rm $T.S $T.o && mv -f $T.map build/disco.map && $(whole)

-include $(MONITOR_OBJS:.o=.d) build/gen/asm-offsets.d

# ---- what a person types ----
.PHONY: help all clean distclean

define HELP_HEAD
Disco: several operating systems on one NUMA machine. A fresh clone needs only one of the first two.

make run            the machine in this terminal: two Linux guests on eight nodes (SCENARIO=name, ARGS="words");
                    OVERLAY=folder adds files to the guests, PROGRAM='command' runs it in one and ends as it does
make test           every test; TESTS=path and TEST_ARGS="-k word" choose
make demo           pages that follow their users, as a picture; any key ends it, then `quit`
make smoke          the default scenario with nobody at the keyboard
make debug          the machine under gdb; `make console` in another terminal is its serial line
make all            build, run nothing
make clean          remove what our own sources built; `make distclean` also what Debian's sources built

Parts:
endef

export HELP_HEAD
help:
	@printf '%s\n' "$$HELP_HEAD"
	@printf '%b' '$(HELP)' | sed 's/^ //'

all: build/disco.elf $(ALL)

# One thing after the other: tests have limits in seconds, so the build must be over. So many tests at once as there are
# processors, a file's always by the same process; TEST_WORKERS=0: one after the other, which --pdb and -s need.
TEST_WORKERS ?= $(shell nproc)
.PHONY: test
test: all $(TEST_NEEDS)
	@mkdir -p build/results
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m pytest -c tests/pytest.ini --rootdir=. \
		--junit-xml=build/results/junit.xml --numprocesses=$(TEST_WORKERS) --dist=loadfile $(TEST_ARGS) $(or $(TESTS),tests)

clean:
	rm -rf build/obj build/gen build/disco.elf build/disco.map build/guests build/host build/needs build/results build/*.cpio \
		build/root.img build/empty.img build/disktest.img build/setup.mk build/*.tmp build/*/*.tmp build/mkimage.*

distclean:
	rm -rf build

endif # START_AGAIN
