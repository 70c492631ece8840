# SPDX-License-Identifier: MIT
# Fuzzers of the parsers: tests/fuzz/fuzz_NAME.c with FUZZ_SRCS_NAME -> build/host/fuzz/fuzz_NAME (clang, libFuzzer).
# make fuzz FUZZ_TIME=seconds runs each as long; what it learns stays in build/host/fuzz/corpus.

FUZZ_TIME ?= 30
FUZZ_SRCS_elf := kernel/vm/elf.c kernel/format.c
FUZZ_SRCS_reloc := kernel/reloc/table.c kernel/vm/elf.c kernel/format.c
FUZZ_SRCS_cpio := kernel/vm/cpio.c kernel/format.c
FUZZ_SRCS_blockmap := drivers/disk/blockmap.c
FUZZ_SRCS_vmdesc := kernel/vm/vmdesc.c kernel/vm/vmdesc_vm.c kernel/vm/vmdesc_disk.c kernel/vm/vmdesc_net.c kernel/reloc/patch.c kernel/reloc/tramp.c kernel/reloc/call.c kernel/reloc/jump.c kernel/reloc/cp0move.c kernel/vm/props.c kernel/format.c
FUZZ_SRCS_vqueue := drivers/virtio/queue.c
FUZZ_LIBFDT := build/libfdt/fdt.c build/libfdt/fdt_ro.c build/libfdt/fdt_strerror.c

FUZZ_NAMES := $(patsubst FUZZ_SRCS_%,%,$(filter FUZZ_SRCS_%,$(.VARIABLES)))
FUZZ_BINS := $(FUZZ_NAMES:%=build/host/fuzz/fuzz_%)

define FUZZ_RULE
build/host/fuzz/fuzz_$(1): tests/fuzz/fuzz_$(1).c $$(FUZZ_SRCS_$(1)) | build/libfdt.ok
	@mkdir -p $$(@D)
	$$(call say,CLANG,$$@)
	$$(Q)clang $(WARN_CFLAGS) -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-Itests/unit/host -I. -isystem build/libfdt -o $$T $$(filter %.c,$$^) $$(if $$(filter vmdesc,$(1)),$$(FUZZ_LIBFDT)) && \
		$$(whole)
endef
$(foreach name,$(FUZZ_NAMES),$(eval $(call FUZZ_RULE,$(name))))

build/host/fuzz/seeds.ok: tests/fuzz/seeds.py | build/setup.mk
	@mkdir -p $(@D)
	$(Q)$(PYTHON) $< build/host/fuzz/seeds && touch $@

TEST_NEEDS += $(FUZZ_BINS) build/host/fuzz/seeds.ok build/guests/tests/neighbour.elf
HELP += make fuzz           fuzz the parsers, FUZZ_TIME=30 seconds each\n

.PHONY: fuzz
fuzz: $(FUZZ_BINS) build/host/fuzz/seeds.ok
	@mkdir -p build/results
	$(Q)for name in $(FUZZ_NAMES); do \
		mkdir -p build/host/fuzz/corpus/$$name; \
		echo "  FUZZ    $$name, $(FUZZ_TIME) s"; \
		build/host/fuzz/fuzz_$$name -max_total_time=$(FUZZ_TIME) -max_len=4096 -verbosity=0 \
			-artifact_prefix=build/results/fuzz-$$name- build/host/fuzz/corpus/$$name \
			build/host/fuzz/seeds/$$name || exit 1; \
	done
