# SPDX-License-Identifier: MIT
# The counting plugin: built for the host, loaded by QEMU.

TEST_NEEDS += build/count.so

build/count.so: qemu/plugin/count.c qemu/plugin/kinds.c qemu/plugin/kinds.h qemu/plugin/qemu-api.h
	$(call say,HOSTCC,$@)
	$(Q)gcc -O2 $(WARN_CFLAGS) -shared -fPIC -fvisibility=hidden -I. -o $T $(filter %.c,$^) && $(whole)
