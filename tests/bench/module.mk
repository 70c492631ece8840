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

# ---- the paper's workloads ----
# OVERHEAD: options of overhead.py, e.g. OVERHEAD="--only raytrace --pairs 0"; without it all is counted, and timed in 3 pairs.
OVERHEAD ?=
OVERHEAD_WORKLOADS := pmake engineering raytrace database
$(OVERHEAD_WORKLOADS:%=build/overhead/%.cpio): build/overhead/%.cpio: tests/bench/overhead.dts build/work.cpio build/linux/vmlinux \
		tools/mkimage.sh build/host/dtscheck
	$(call say,IMAGE,$@)
	@mkdir -p $(@D)
	$(Q)sed 's/workload WORKLOAD/workload $*/' $< >$(@:.cpio=.dts)
	$(Q)tools/mkimage.sh $(@:.cpio=.dts) $@

HELP += make bench-overhead the same for the workloads of the paper: Pmake, Engineering, Raytrace, Database\n
.PHONY: bench-overhead
bench-overhead: $(BENCH_NEEDS) build/work.cpio $(OVERHEAD_WORKLOADS:%=build/overhead/%.cpio)
	@mkdir -p build/results
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/overhead.py $(OVERHEAD)
