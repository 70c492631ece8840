# SPDX-License-Identifier: MIT
# Whole-machine tests, and the run of all tests.

.PHONY: test smoke
# One thing after the other: tests measure time, so the build must be over.
test: all $(TEST_NEEDS)
	@mkdir -p build/results
	@set -o pipefail; PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m pytest -c tests/pytest.ini --rootdir=. \
		--junit-xml=build/results/junit.xml $(TEST_ARGS) $(or $(TESTS),tests)

smoke: build/disco.elf build/default.cpio
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/system/smoke.py
