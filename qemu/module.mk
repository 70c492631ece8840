# SPDX-License-Identifier: MIT
# Running the machine. SCENARIO chooses a description: a name in configs/, or any file. ARGS adds words for the monitor.

SCENARIO ?= default
ARGS ?=
# Under the timing model: its options, e.g. FLASH=pace=1. For a person at the console, pace=1 is a must.
FLASH ?=
# Which of several machines under gdb `make console` talks to; `make debug` says so.
MACHINE ?=

# BOOT=uboot: the boot ROM is U-Boot (boot/uboot).
BOOT ?=

# A value as one word of the shell, whatever it is made of.
quoted = '$(subst ','\'',$(1))'
# A name that make can handle has a rule in configs/module.mk; another description is packed by `described`, each time.
ifeq ($(words $(SCENARIO)) $(filter $(SCENARIOS),$(SCENARIO)),1 $(SCENARIO))
ARCHIVE := build/$(SCENARIO).cpio
RUN_NEEDS = $(ARCHIVE)
else
ARCHIVE := build/described/$(firstword $(shell printf %s $(call quoted,$(value SCENARIO)) | cksum)).cpio
RUN_NEEDS = described
endif
UBOOT := $(if $(filter uboot,$(BOOT)),-b)
ifneq ($(filter-out uboot,$(BOOT)),)
$(error BOOT: found $(BOOT), allowed: uboot, or nothing for QEMU's own loader)
endif
RUN_NEEDS += build/disco.elf build/host/strict.so build/host/dtscheck $(if $(FLASH),build/flash.so) $(if $(UBOOT),build/u-boot/u-boot.bin)
RUN_OPTIONS = $(UBOOT) $(if $(ARGS),-a $(call quoted,$(value ARGS))) $(if $(FLASH),-f $(call quoted,$(value FLASH)))
RUN_SCENARIO = $(if $(filter described,$(RUN_NEEDS)),$(ARCHIVE),$(SCENARIO))

# In the root of the guests (docs/guests.md): OVERLAY=folder for all of them, overlay-NAME=folder for one, DYNAMIC=1 for the C
# library; PROGRAM='command' runs that in the first and ends with its status, which make itself would make 2: exit.so.
ROOT_CHANGES := $(strip $(if $(OVERLAY),-o $(call quoted,$(value OVERLAY))) $(if $(DYNAMIC),-l) \
	$(foreach o,$(filter overlay-%,$(.VARIABLES)),-n $(call quoted,$(o:overlay-%=%)=$(value $(o)))) \
	$(if $(value PROGRAM),-p $(call quoted,$(value PROGRAM))))

HELP += make run BOOT=uboot     the same, booted by U-Boot from a disk; `make uboot-shell` stops at the prompt of U-Boot\n
.PHONY: uboot-shell
uboot-shell: UBOOT := -B
uboot-shell: $(RUN_NEEDS) build/u-boot/u-boot.bin
	@exec qemu/run.sh $(RUN_OPTIONS) $(RUN_SCENARIO)

.PHONY: run run-changed demo debug console described
# Pages that follow their users, in a live map; under the timing model, which is slow: a frame for each tenth of a simulated second.
demo:
	@$(MAKE) run SCENARIO=demo FLASH=pace=1 ARGS=cmd=numa,map,100

ifeq ($(ROOT_CHANGES),)
run: $(RUN_NEEDS)
	@exec qemu/run.sh $(RUN_OPTIONS) $(RUN_SCENARIO)
else
ifneq ($(and $(value PROGRAM),$(filter run,$(MAKECMDGOALS)),$(filter load,$(.FEATURES))),)
-load build/host/exit.so
endif
PROGRAM_STATUS := build/program.$(shell echo $$PPID).tmp
run: run-changed
	$(if $(value PROGRAM),$(exit-with $(shell cat $(PROGRAM_STATUS); rm -f $(PROGRAM_STATUS))))
run-changed: $(RUN_NEEDS) build/host/dtscheck
	@qemu/with.sh $(RUN_OPTIONS) $(ROOT_CHANGES) $(if $(value PROGRAM),-s $(PROGRAM_STATUS)) $(RUN_SCENARIO)
endif

# A library that QEMU is started with if it opens images.
build/host/strict.so: qemu/strict.c
	@mkdir -p $(@D)
	$(call say,HOSTCC,$@)
	$(Q)gcc -O1 -std=gnu11 -Wall -Wextra -Werror -shared -fPIC -o $T $< && $(whole)
ALL += build/host/strict.so build/host/dtscheck

build/host/exit.so: qemu/exit.c
	@mkdir -p $(@D)
	$(Q)gcc -O1 -Wall -Wextra -Werror -shared -fPIC -o $T $< && $(whole)

debug: $(RUN_NEEDS) build/linux/vmlinux
	@exec qemu/debug.sh $(if $(UBOOT),-u) $(if $(ARGS),-a $(call quoted,$(value ARGS))) $(if $(filter described,$(RUN_NEEDS)),$(ARCHIVE),$(SCENARIO))

console:
	@exec qemu/terminal.py qemu/console.py build/debug$(addprefix -,$(filter-out 1,$(MACHINE))).line

described: build/host/dtscheck
	@file=$(call quoted,$(value SCENARIO)); [ -f "$$file" ] || file="configs/$$file"; [ -f "$$file" ] || file="$$file.dts"; \
	if [ ! -f "$$file" ]; then \
		printf 'found no scenario %s, allowed: the path of a description, or one of: %s\n' \
			$(call quoted,$(value SCENARIO)) "$$(echo $(SCENARIOS))" >&2; exit 2; \
	fi; \
	needs=$$(tools/mkimage.sh --needs "$$file" && tools/mkimage.sh --disks "$$file") && \
	{ [ -z "$$needs" ] || $(MAKE) -s $$needs; } && tools/mkimage.sh "$$file" $(ARCHIVE)
