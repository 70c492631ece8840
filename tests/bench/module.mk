# SPDX-License-Identifier: MIT
# `make bench`: what virtualization costs, counted by a plugin (qemu/plugin) and compared with the same kernel on the bare machine.

build/unitops: guests/linux/unitops.c guests/linux/unitops.h
	$(call say,CC,$<)
	$(Q)$(CC) -O2 $(WARN_CFLAGS) -march=mips64r6 -mabi=64 -EL -fno-pic -mno-abicalls -G0 -ffreestanding \
		-fno-stack-protector -nostdlib -static -Wl,--build-id=none -I. -o $T $< && $(whole)

build/barrier: guests/linux/barrier.c
	$(call say,CC,$<)
	$(Q)$(CC) -O2 -mcompact-branches=never -static $(WARN_CFLAGS) -Wl,-z,noexecstack -s -o $T $< && $(whole)

build/bench-root.cpio: build/root.cpio build/unitops build/barrier tests/bench/bench.sh
	$(call say,CPIO,$@)
	$(Q)tools/mkroot.sh $@ build/gen_init_cpio guests/linux/rootfs build/busybox /unitops=build/unitops /barrier=build/barrier \
		/bench=tests/bench/bench.sh

BENCH_SCENARIOS := guest crowd wall
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

# ---- disks ----
# DISK: options of disk.py, e.g. DISK="--pairs 0"
DISK ?=
HELP += make bench-disk     what a disk costs: reads from memory, mapped or copied, boots, times: build/results/disk.json (1 minute)\n
.PHONY: bench-disk
bench-disk: build/disco.elf build/linux/vmlinux build/linux-bare/vmlinux build/count.so build/disktest.img build/root.img \
		build/host/dtscheck build/host/strict.so
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/disk.py $(DISK)

build/bench/root.img: build/bench-root.cpio tools/mkdisk.py
	$(call say,DISK,$@)
	@mkdir -p $(@D)
	$(Q)tools/mkdisk.py $@ 32 root $<

# NET: options of net.py, e.g. NET="--times 0"
NET ?=
HELP += make bench-net      what a network between guests costs: passed or copied, against loopback, NFS against a disk: build/results/net.json (5 minutes)\n
.PHONY: bench-net
bench-net: build/disco.elf build/linux/vmlinux build/count.so build/disktest.img build/bench/small.img build/host/dtscheck build/host/strict.so
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/net.py $(NET)

build/bench/small.img: tools/mkdisk.py
	$(call say,DISK,$@)
	@mkdir -p $(@D)
	$(Q)tools/mkdisk.py $@ 16 work

# MEMORY: options of memory.py, e.g. MEMORY="--guests 1,2" for a short run
MEMORY ?=
HELP += make bench-memory   what guests of one disk share: the figures of the paper, Pmake in 1, 2, 4 and 8, and by NFS: build/results/memory.json (20 minutes; MEMORY=--only-nfs)\n
.PHONY: bench-memory
bench-memory: build/disco.elf build/linux/vmlinux build/linux-bare/vmlinux build/pmake.img build/host/dtscheck build/host/strict.so \
		build/count.so build/flash.so build/bench/guest.cpio build/bench/root.img build/guests/thin/zero.elf
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/memory.py $(MEMORY)

BENCH_GUESTS := $(patsubst %,build/guests/bench/%.elf,vcpu_costs mix)
$(BENCH_GUESTS): build/guests/bench/%.elf: build/guests/obj/tests/bench/%.o $(GUEST_LIB_OBJS) build/guests/obj/guests/lib/platform-disco.o guests/lib/guest.ld
	@mkdir -p $(@D)
	$(Q)$(call guest_link,$(GUEST_BASE_DISCO),$(filter %.o,$^))

# SCALING: options of scaling.py; MIX: of mix.py; PMAKES: of pmakes.py, e.g. PMAKES="--only bare,8"; MIGRATION and SPEEDUP: of migration.py. SHORT=1: a
# part of each.
HELP += make bench-scaling  more processors and VCPUs: their costs, Pmake in 1 to 8 guests, moves of pages, speed-ups, simulated: build/results/scaling.json (more than an hour; SHORT=1: some minutes)\n
.PHONY: bench-scaling
ifdef SHORT
SCALING ?= --times 2
MIX ?= --only both,batch --ms 20
PMAKES ?= --only 1 --processors 2
MIGRATION ?= --only raytrace --policies both --processors 4 --size 160
SPEEDUP ?= --policies both --processors 4 --speedup programs
endif
SPEEDUP ?= --speedup programs,pmake
bench-scaling: build/disco.elf build/flash.so build/guests/numa/raytrace.elf $(BENCH_GUESTS) build/host/dtscheck build/linux/vmlinux \
		build/linux-bare/vmlinux build/pmakes-root.cpio build/work.cpio build/speedup-root.cpio
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/scaling.py $(SCALING)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/mix.py $(MIX)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/pmakes.py $(PMAKES)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/migration.py $(MIGRATION)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/migration.py $(SPEEDUP)

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

build/overhead/pmake_disk.cpio: tests/bench/pmake_disk.dts tests/bench/simulated.py build/work.cpio build/pmake-tree.img build/linux/vmlinux \
		tools/mkimage.sh build/host/dtscheck
	$(call say,IMAGE,$@)
	@mkdir -p $(@D)
	$(Q)sed "s/<SEEK_US>/<$$(sed -n 's/^SEEK_US = //p' tests/bench/simulated.py)>/" $< >$(@:.cpio=.dts)
	$(Q)tools/mkimage.sh $(@:.cpio=.dts) $@

TIME_NEEDS := build/work.cpio build/work-disk.cpio $(OVERHEAD_WORKLOADS:%=build/overhead/%.cpio) build/overhead/pmake_disk.cpio
HELP += make bench-overhead the same for the workloads of the paper: Pmake, Engineering, Raytrace, Database\n
.PHONY: bench-overhead
bench-overhead: $(BENCH_NEEDS) build/flash.so $(TIME_NEEDS)
	@mkdir -p build/results
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/overhead.py $(OVERHEAD)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/simulated.py workloads $(TIME)

# TIME: options of simulated.py, e.g. TIME=--quick (two minutes on a quiet host), or "--only engineering --starts 1".
TIME ?=
HELP += make bench-time     the same in simulated time alone, as the bars of the paper, with a figure: build/results/time.json (TIME=--quick)\n
.PHONY: bench-time
bench-time: build/disco.elf build/linux-bare/vmlinux build/flash.so $(TIME_NEEDS)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/simulated.py workloads $(TIME)

HELP += make bench-services kernel services in simulated time, with the split of the paper: build/results/time.json\n
.PHONY: bench-services
bench-services: build/disco.elf build/linux-bare/vmlinux build/flash.so build/bench-root.cpio build/bench/guest.cpio
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/simulated.py services

# ---- the host's time ----
# WALL: options of wall.py, e.g. WALL=--quick (two minutes)
WALL ?=
build/bench/times.cpio: tests/bench/guest.dts build/bench-root.cpio build/linux/vmlinux tools/mkimage.sh build/host/dtscheck
	$(call say,IMAGE,$@)
	@mkdir -p $(@D)
	$(Q)sed 's,rdinit=/bench,& units=times,' $< >$(@:.cpio=.dts)
	$(Q)tools/mkimage.sh $(@:.cpio=.dts) $@

HELP += make bench-wall     what people wait for: seconds of QEMU against the bare machine, idling, barriers, the way to a shell: build/results/wall.json (40 minutes; WALL=--quick)\n
.PHONY: bench-wall
bench-wall: $(BENCH_NEEDS) build/default.cpio build/bench/times.cpio build/work.cpio $(OVERHEAD_WORKLOADS:%=build/overhead/%.cpio) build/host/strict.so
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/wall.py $(WALL)

# ---- what each mechanism saves: kernels without the walker ("page"), and without the special page too ("plain") ----
ABLATION_KERNELS := plain page
build/ablation/plain.config: WITHOUT := SPECIAL_PAGE|MMU|STEAL_TIME
build/ablation/page.config: WITHOUT := MMU
$(ABLATION_KERNELS:%=build/ablation/%.config): guests/linux/disco.config
	@mkdir -p $(@D)
	$(Q)sed -E 's/^(CONFIG_DISCO_($(WITHOUT)))=y/\1=n/' $< >$T && $(whole)

build/linux-page/vmlinux: | build/linux-plain/vmlinux
build/linux-plain/vmlinux: | build/linux-bare/vmlinux
$(ABLATION_KERNELS:%=build/linux-%/vmlinux): build/linux-%/vmlinux: build/ablation/%.config build/linux-patched.ok tools/build-linux.sh
	$(Q)tools/progress.sh -s $@ "guest kernel, $*" build/log/linux-$*.log tools/build-linux.sh build/linux-src build/linux-$* $< $(CROSS)

$(ABLATION_KERNELS:%=build/bench/linux-%.cpio): build/bench/linux-%.cpio: tests/bench/guest.dts build/bench-root.cpio \
		build/linux-%/vmlinux tools/mkimage.sh build/host/dtscheck
	$(call say,IMAGE,$@)
	@mkdir -p $(@D)
	$(Q)DISCO_KERNEL=build/linux-$*/vmlinux tools/mkimage.sh $< $@

HELP += make bench-ablation what each mechanism saves: the unit operations with one off at a time\n
.PHONY: bench-ablation
bench-ablation: $(BENCH_NEEDS) $(ABLATION_KERNELS:%=build/bench/linux-%.cpio)
	@mkdir -p build/results
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/ablation.py

# NUMA_REPORT: options of tools/numa-report, e.g. NUMA_REPORT="--workload raytrace --policies none,replicate,both".
NUMA_REPORT ?=
HELP += make numa-report    placement and misses of a workload over time: build/results/numa-report/index.html\n
.PHONY: numa-report
numa-report: build/disco.elf build/flash.so $(NUMA_ELFS)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tools/numa-report $(NUMA_REPORT)

# ---- injected delays of remote memory, against the timing model ----
HELP += make calibrate      what the injected delays of remote memory are worth: build/results/calibration.json (4 minutes)\n
.PHONY: calibrate
calibrate: build/disco.elf build/flash.so build/guests/numa/patterns.elf
	@mkdir -p build/results
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/calibrate.py

# ---- pages that move: the timing model ----
# BENCH_NUMA: options of numa.py, e.g. BENCH_NUMA="--sensitivity", or "--only raytrace --policies none,both,uma --starts 1".
BENCH_NUMA ?=
HELP += make bench-numa     what migration and replication save, in simulated cycles: as in the figure of the paper (15 minutes)\n
.PHONY: bench-numa
bench-numa: build/disco.elf build/flash.so build/host/dtscheck $(NUMA_ELFS)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/numa.py $(BENCH_NUMA)
	$(if $(BENCH_NUMA),,@$(MAKE) bench-parallel)

# BENCH_PARALLEL: options of parallel.py, e.g. BENCH_PARALLEL="--only radix --policies bare,none,both --sizes large --starts 3".
BENCH_PARALLEL ?=
HELP += make bench-parallel the same for nine programs as threads of Linux, bare kernel = 100: a part of bench-numa\n
.PHONY: bench-parallel
bench-parallel: build/disco.elf build/flash.so build/host/dtscheck build/linux/vmlinux build/linux-bare/vmlinux build/parallel-root.cpio $(PARALLEL_HOST)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/parallel.py $(BENCH_PARALLEL)

# ---- without an operating system ----
# BENCH_THIN: options of thin.py, e.g. BENCH_THIN="--only radix --speedup ''".
BENCH_THIN ?=
build/guests/thin/calls.elf build/guests/thin/zero.elf: build/guests/thin/%.elf: tests/bench/thin_%.c $(THIN_NEEDS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(call thin_link,$<)

build/bench/thin-root.cpio: build/workloads/mark build/parallel-root.cpio
	$(call say,CPIO,$@)
	@mkdir -p $(@D)
	$(Q)tools/mkroot.sh $@ build/gen_init_cpio guests/linux/rootfs build/busybox /bin/mark=build/workloads/mark \
		$(foreach p,$(PARALLEL),/bin/$p=build/parallel/$p)

HELP += make bench-thin     Radix, FFT, LU and Barnes on the thin OS, bare Linux = 100, speed-up, cost of calls: build/results/thin.json (10 minutes)\n
.PHONY: bench-thin
bench-thin: build/disco.elf build/flash.so build/host/dtscheck build/linux-bare/vmlinux build/bench/thin-root.cpio $(PARALLEL_HOST) $(PARALLEL_THIN) \
		build/guests/thin/calls.elf
	@PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests:tests/bench $(PYTHON) tests/bench/thin.py $(BENCH_THIN)

# ---- a node shared fairly ----
# BENCH_FAIRNESS: options of fairness.py, e.g. BENCH_FAIRNESS=--quick (two minutes), or "--only wake,reset --ms 1000".
BENCH_FAIRNESS ?=
HELP += make bench-fairness what a hostile neighbour leaves of a node: share, gaps, shootdowns (BENCH_FAIRNESS=--quick)\n
.PHONY: bench-fairness
bench-fairness: build/disco.elf build/host/dtscheck $(RIVALS_ELFS)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/bench/fairness.py $(BENCH_FAIRNESS)
