# SPDX-License-Identifier: MIT
# `make bench`: what virtualization costs, counted by a plugin (qemu/plugin) and compared with the same kernel on the bare machine.

build/unitops: guests/linux/unitops.c guests/linux/unitops.h
	$(call say,CC,$<)
	$(Q)$(CC) -O2 -std=gnu11 -Wall -Wextra -Werror -march=mips64r6 -mabi=64 -EL -fno-pic -mno-abicalls -G0 -ffreestanding \
		-fno-stack-protector -nostdlib -static -Wl,--build-id=none -I. -o $@ $<

build/bench-root.cpio: build/root.cpio build/unitops tests/bench/bench.sh
	$(call say,CPIO,$@)
	$(Q)tools/mkroot.sh $@ build/gen_init_cpio guests/linux/rootfs build/busybox /unitops=build/unitops /bench=tests/bench/bench.sh

BENCH_SCENARIOS := guest crowd
$(BENCH_SCENARIOS:%=build/bench/%.cpio): build/bench/%.cpio: tests/bench/%.dts build/bench-root.cpio build/linux/vmlinux \
		tools/mkimage.sh build/host/dtscheck
	$(call say,IMAGE,$@)
	@mkdir -p $(@D)
	$(Q)tools/mkimage.sh $< $@

BENCH_NEEDS := build/disco.elf build/linux-bare/vmlinux build/count.so $(BENCH_SCENARIOS:%=build/bench/%.cpio)
HELP += make bench          what virtualization costs: a table, and build/results/monitor.json\n
.PHONY: bench
bench: $(BENCH_NEEDS)
	@mkdir -p build/results
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/bench.py
