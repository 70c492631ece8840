# SPDX-License-Identifier: MIT
# The timing model: a plugin built for the host, loaded by QEMU.

FLASH_SRCS := $(addprefix qemu/flash/,plugin.c qemu.c options.c network.c cache.c memory.c clock.c idle.c decode.c entry.c translate.c magic.c tlb.c report.c)
FLASH_HEADERS := $(wildcard qemu/flash/*.h) qemu/plugin/qemu-api.h numa/magic.h

ALL += build/flash.so
HELP += make run FLASH=O    the machine under the timing model, with options O of qemu/flash/README.md: FLASH=pace=1\n

build/flash.so: $(FLASH_SRCS) $(FLASH_HEADERS)
	$(call say,HOSTCC,$@)
	$(Q)gcc -O2 $(WARN_CFLAGS) -shared -fPIC -fvisibility=hidden -pthread -I. -o $T $(FLASH_SRCS) -ldl && $(whole)
