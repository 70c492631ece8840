# SPDX-License-Identifier: MIT
# Tests of the thin OS: tests/thin/NAME.c -> build/guests/thin/tests/NAME.elf, as `make thin` builds any program.

THIN_TESTS := $(call plain_names,tests/thin,.c)
THIN_TEST_ELFS := $(THIN_TESTS:%=build/guests/thin/tests/%.elf)
TEST_NEEDS += $(THIN_TEST_ELFS)

$(THIN_TEST_ELFS): build/guests/thin/tests/%.elf: tests/thin/%.c tests/thin/check.h tests/thin/many.h $(THIN_NEEDS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(call thin_link,$<)

LAPS ?= 300
HELP += make thin-torture   LAPS=300 random laps of threads and malloc of the thin OS, plain and with moving pages (8 minutes)\n
.PHONY: thin-torture
thin-torture: build/disco.elf $(THIN_TEST_ELFS) build/host/dtscheck
	@PYTHONDONTWRITEBYTECODE=1 DISCO_THIN_LAPS=$(LAPS) $(PYTHON) -m pytest -c tests/pytest.ini --rootdir=. tests/thin -k torture
