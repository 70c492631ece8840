# SPDX-License-Identifier: MIT
# Host tests of the timing model: tests/flash/test_NAME.c with the sources of qemu/flash named here.

FLASH_TEST_SRCS_cache := cache.c
FLASH_TEST_SRCS_options := options.c network.c decode.c
FLASH_TEST_SRCS_qemu := qemu.c
FLASH_TEST_SRCS_clock := clock.c
FLASH_TEST_SRCS_magic := magic.c options.c
FLASH_TEST_SRCS_tlb := tlb.c

FLASH_TESTS := cache clock options qemu magic tlb
FLASH_TEST_BINS := $(FLASH_TESTS:%=build/host/flash/test_%)

define FLASH_TEST_RULE
build/host/flash/test_$(1): tests/flash/test_$(1).c $$(addprefix qemu/flash/,$$(FLASH_TEST_SRCS_$(1))) $$(FLASH_HEADERS) \
		tests/flash/flash_test.h
	@mkdir -p $$(@D)
	$$(call say,HOSTCC,$$@)
	$$(Q)gcc $(WARN_CFLAGS) -g -O1 -I. -fsanitize=address,undefined -fno-sanitize-recover=all -o $$T \
		$$(filter %.c,$$^) -lcmocka && $$(whole)
endef
$(foreach name,$(FLASH_TESTS),$(eval $(call FLASH_TEST_RULE,$(name))))

TEST_NEEDS += $(FLASH_TEST_BINS)
TEST_NEEDS += $(NUMA_ELFS) build/batch.cpio
