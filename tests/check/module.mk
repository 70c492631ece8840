# SPDX-License-Identifier: MIT
# Checks of the tree itself: layers, headers, layout, texts, READMEs. `make format` repairs the layout.

TEST_NEEDS += build/newlib.ok build/newlib-thin.ok build/libfdt.ok build/thin-lwip/liblwip.a
HELP += make check          layering, headers, layout, READMEs: the checks of the tree itself\n
HELP += make format         repair the layout of C files (clang-format)\n

.PHONY: check format
check: build/newlib.ok build/newlib-thin.ok build/libfdt.ok build/thin-lwip/liblwip.a
	$(Q)$(PYTHON) -m pytest -q tests/check

format:
	$(Q)git ls-files -z '*.c' '*.h' | xargs -0 clang-format -i
