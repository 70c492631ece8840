# SPDX-License-Identifier: MIT
# Running the machine. SCENARIO chooses a description: a name in configs/, or any file. ARGS adds words for the monitor.

SCENARIO ?= default
ARGS ?=
# Under the timing model: its options, e.g. FLASH=pace=1. For a person at the console, pace=1 is a must.
FLASH ?=
# Which of several machines under gdb `make console` talks to; `make debug` says so.
MACHINE ?=

quoted = '$(subst ','\'',$(1))'
# A name that make can handle has a rule in configs/module.mk; another description is packed by `described`, each time.
ifeq ($(words $(SCENARIO)) $(filter $(SCENARIOS),$(SCENARIO)),1 $(SCENARIO))
ARCHIVE := build/$(SCENARIO).cpio
RUN_NEEDS = $(ARCHIVE)
else
ARCHIVE := build/described/$(firstword $(shell printf %s $(call quoted,$(value SCENARIO)) | cksum)).cpio
RUN_NEEDS = described
endif
RUN_NEEDS += build/disco.elf $(if $(FLASH),build/flash.so)

.PHONY: run debug console described
run: $(RUN_NEEDS)
	@exec qemu/run.sh -a $(call quoted,$(value ARGS)) $(if $(FLASH),-f $(call quoted,$(value FLASH))) $(if $(filter described,$(RUN_NEEDS)),$(ARCHIVE),$(SCENARIO))

debug: $(RUN_NEEDS) build/linux/vmlinux
	@exec qemu/debug.sh $(if $(ARGS),-a $(call quoted,$(value ARGS))) $(if $(filter described,$(RUN_NEEDS)),$(ARCHIVE),$(SCENARIO))

console:
	@exec qemu/terminal.py qemu/console.py build/debug$(addprefix -,$(filter-out 1,$(MACHINE))).line

described: build/host/dtscheck
	@file=$(call quoted,$(value SCENARIO)); [ -f "$$file" ] || file="configs/$$file"; [ -f "$$file" ] || file="$$file.dts"; \
	if [ ! -f "$$file" ]; then \
		printf 'found no scenario %s, allowed: the path of a description, or one of: %s\n' \
			$(call quoted,$(value SCENARIO)) "$$(echo $(SCENARIOS))" >&2; exit 2; \
	fi; \
	needs=$$(tools/mkimage.sh --needs "$$file") && \
	{ [ -z "$$needs" ] || $(MAKE) -s $$needs; } && tools/mkimage.sh "$$file" $(ARCHIVE)
