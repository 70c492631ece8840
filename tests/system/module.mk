# SPDX-License-Identifier: MIT
# Whole-machine tests need what `make all` builds.

.PHONY: smoke
smoke: build/disco.elf build/default.cpio
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/system/smoke.py
