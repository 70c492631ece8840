# SPDX-License-Identifier: MIT
# Torture of a Linux guest: guests/linux/torture.c is the only program of a root of its own.

TORTURE ?= 120
TORTURE_NEEDS := build/torture.cpio build/locks-root.cpio build/linux/vmlinux
TEST_NEEDS += $(TORTURE_NEEDS)
HELP += make torture        processes, memory and signals in Linux guests, all checked: TORTURE=120 seconds\n

build/torture: guests/linux/torture.c guests/linux/torture-memory.c guests/linux/torture.h
	$(call say,CC,$<)
	$(Q)$(CC) -O2 -mcompact-branches=never -static $(WARN_CFLAGS) -Wl,-z,noexecstack -s -I. -o $T $(filter %.c,$^) \
		-lpthread && $(whole)

build/torture.cpio: build/torture build/gen_init_cpio
	$(call say,CPIO,$@)
	$(Q)printf 'dir /dev 755 0 0\nnod /dev/console 600 0 0 c 5 1\nfile /init build/torture 755 0 0\n' | build/gen_init_cpio - >$T && $(whole)

build/locks: guests/linux/locks.c
	$(call say,CC,$<)
	$(Q)$(CC) -O2 -mcompact-branches=never -static $(WARN_CFLAGS) -Wl,-z,noexecstack -s -o $T $< -lpthread && $(whole)

build/locks-root.cpio: build/root.cpio build/locks
	$(call say,CPIO,$@)
	$(Q)tools/mkroot.sh $@ build/gen_init_cpio guests/linux/rootfs build/busybox /bin/locks=build/locks

.PHONY: torture
torture: build/disco.elf $(TORTURE_NEEDS)
	@PYTHONDONTWRITEBYTECODE=1 DISCO_TORTURE=$(TORTURE) $(PYTHON) -m pytest -c tests/pytest.ini --rootdir=. -s tests/torture

# LOCKS: seconds of each run
LOCKS ?= 20
HELP += make locks          locks, interrupts and reads of Linux guests with 1, 2 and 4 VCPUs a processor, processors off and on: LOCKS=20 seconds each (5 minutes)\n
.PHONY: locks
locks: build/disco.elf $(TORTURE_NEEDS)
	@PYTHONDONTWRITEBYTECODE=1 DISCO_LOCKS=$(LOCKS) $(PYTHON) -m pytest -c tests/pytest.ini --rootdir=. -s tests/torture/test_locks.py
