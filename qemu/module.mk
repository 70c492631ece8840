# SPDX-License-Identifier: MIT
# Running the machine. SCENARIO chooses a description of configs/, ARGS adds words for the monitor.

SCENARIO ?= default
ARGS ?=
RUN_NEEDS = build/disco.elf build/$(SCENARIO).cpio

.PHONY: run debug console
run: $(RUN_NEEDS)
	@qemu/run.sh -a '$(ARGS)' $(SCENARIO)

debug: $(RUN_NEEDS) build/linux/vmlinux
	@qemu/debug.sh $(if $(ARGS),-a '$(ARGS)') $(SCENARIO)

console:
	@$(PYTHON) qemu/console.py build/debug.line
