# SPDX-License-Identifier: MIT
# Running the machine. SCENARIO chooses a description of configs/, ARGS adds words for the monitor.

SCENARIO ?= default
ARGS ?=
# Under the timing model: its options, e.g. FLASH=pace=1. For a person at the console, pace=1 is a must.
FLASH ?=
RUN_NEEDS = build/disco.elf build/$(SCENARIO).cpio $(if $(FLASH),build/flash.so)

.PHONY: run debug console
run: $(RUN_NEEDS)
	@qemu/run.sh -a '$(ARGS)' $(if $(FLASH),-f '$(FLASH)') $(SCENARIO)

debug: $(RUN_NEEDS) build/linux/vmlinux
	@qemu/debug.sh $(if $(ARGS),-a '$(ARGS)') $(SCENARIO)

console:
	@$(PYTHON) qemu/console.py build/debug.line
