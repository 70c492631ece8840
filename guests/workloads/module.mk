# SPDX-License-Identifier: MIT
# The four workloads of the paper's measurements, for Linux guests, in a root of their own: build/work.cpio. Only
# `make bench-overhead` builds them. And parallel programs in another, build/parallel-root.cpio, and the same for this host.

W := build/workloads
# No fused multiply-add: the same digits as on other machines.
WORK_CFLAGS := -O2 -mcompact-branches=never -ffp-contract=off -static -Wl,-z,noexecstack
WORK_SOURCES := tcc lua5.4 sqlite3 iverilog make-dfsg

$(W)/setup.ok: tools/setup.sh tools/packages.txt
	@mkdir -p $(@D)
	$(Q)tools/setup.sh $@ workloads

# The archive may lack Debian's own part of a package; the author's part will do.
$(WORK_SOURCES:%=$(W)/%-src.ok): $(W)/%-src.ok: tools/fetch-source.sh guests/workloads/fetch.sh | $(W)/setup.ok
	$(Q)tools/progress.sh -s $@ "fetching the source of $*" build/log/$*-src.log guests/workloads/fetch.sh $*
# apt takes one at a time
$(W)/lua5.4-src.ok: | $(W)/tcc-src.ok
$(W)/sqlite3-src.ok: | $(W)/lua5.4-src.ok
$(W)/iverilog-src.ok: | $(W)/sqlite3-src.ok
$(W)/make-dfsg-src.ok: | $(W)/iverilog-src.ok
$(W)/tcc-src.ok: | build/e2fsprogs-src.ok

$(W)/make/make: guests/workloads/build-make.sh $(W)/make-dfsg-src.ok
	$(Q)tools/progress.sh "GNU make for guests" build/log/make.log $< build/src/make-dfsg $(W)/make $(CROSS)

$(W)/vvp/vvp: guests/workloads/build-vvp.sh guests/workloads/modules.c $(W)/iverilog-src.ok
	$(Q)tools/progress.sh "vvp (Icarus Verilog) for guests" build/log/vvp.log $< build/src/iverilog $(W)/vvp $(CROSS)

$(W)/tcc/tcc: $(W)/tcc-src.ok
	@mkdir -p $(@D)
	$(call say,CC,tcc)
	$(Q)printf '#define TCC_VERSION "disco"\n#define CONFIG_TCCDIR "/lib/tcc"\n' >$(@D)/config.h
	$(Q)$(CC) $(WORK_CFLAGS) -w -s -I$(@D) -Ibuild/src/tcc -DONE_SOURCE=1 -DTCC_TARGET_X86_64 -o $T build/src/tcc/tcc.c -lm -ldl \
		-lpthread 2>/dev/null && $(whole)

$(W)/sqlite/sqlite3.o: $(W)/sqlite3-src.ok guests/workloads/build-sqlite.sh
	$(Q)tools/progress.sh "SQLite for guests" build/log/sqlite3.log guests/workloads/build-sqlite.sh build/src/sqlite3 $(@D) \
		$(CROSS)

$(W)/database: guests/workloads/database.c $(W)/sqlite/sqlite3.o
	$(call say,CC,$<)
	$(Q)$(CC) $(WORK_CFLAGS) $(WARN_CFLAGS) -s -I$(W)/sqlite -o $T $^ -lm && $(whole)

$(W)/raytrace $(W)/mark: $(W)/%: guests/workloads/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(WORK_CFLAGS) $(WARN_CFLAGS) -s -o $T $< -lm -lpthread && $(whole)

# vvp loads the module that it has in itself (modules.c), so any file will do.
$(W)/soc.vvp: guests/workloads/soc.v | $(W)/setup.ok
	@mkdir -p $(@D)
	$(call say,VERILOG,$<)
	$(Q)iverilog -g2005 -o $T.1 $< && sed -e '/^:vpi_module/{/system/!d;s|"[^"]*"|"/bin/vvp"|;}' $T.1 >$T && \
		rm $T.1 && $(whole)

$(W)/pmake.tar: guests/workloads/pack-pmake.sh guests/workloads/pmake.mk $(W)/lua5.4-src.ok $(W)/tcc-src.ok
	@mkdir -p $(@D)
	$(call say,TAR,$@)
	$(Q)$< $@ build/src/lua5.4 build/src/tcc $(CROSS)

WORK_PROGRAMS := $(W)/make/make $(W)/tcc/tcc $(W)/vvp/vvp $(W)/database $(W)/raytrace $(W)/mark
build/work.cpio: $(WORK_PROGRAMS) $(W)/pmake.tar $(W)/soc.vvp guests/workloads/workload.sh build/busybox/busybox build/gen_init_cpio \
		tools/mkroot.sh $(ROOT_FILES)
	$(call say,CPIO,$@)
	$(Q)tools/mkroot.sh $@ build/gen_init_cpio guests/linux/rootfs build/busybox $(foreach p,$(WORK_PROGRAMS),/bin/$(notdir $p)=$p) \
		/bin/workload=guests/workloads/workload.sh /workload-pmake.tar=$(W)/pmake.tar /workload-soc.vvp=$(W)/soc.vvp

# Pmake alone as the root of guests that share it: its sources lie on the disk, in /pmake.
PMAKE_PROGRAMS := $(W)/make/make $(W)/tcc/tcc
build/pmake-root.cpio: $(PMAKE_PROGRAMS) guests/workloads/pmake.sh build/root.cpio
	$(call say,CPIO,$@)
	$(Q)tools/mkroot.sh $@ build/gen_init_cpio guests/linux/rootfs build/busybox \
		$(foreach p,$(PMAKE_PROGRAMS),/bin/$(notdir $p)=$p) /bin/pmake=guests/workloads/pmake.sh

build/pmake-tree.cpio: $(W)/pmake.tar
	$(call say,CPIO,$@)
	$(Q)rm -rf $(W)/tree && mkdir -p $(W)/tree/pmake && tar -C $(W)/tree/pmake -xf $< && cd $(W)/tree && \
		find pmake | sort | cpio --quiet -o -H newc --owner=0:0 >$(CURDIR)/$T && cd $(CURDIR) && $(whole)

build/pmake.img: build/pmake-root.cpio build/pmake-tree.cpio tools/mkdisk.py
	$(call say,DISK,$@)
	$(Q)tools/mkdisk.py $@ 96 pmake $(filter %.cpio,$^)

# The sources alone: on a disk of the archive for a guest, in the root of the bare machine, which makes a disk of it (workload.sh).
build/pmake-tree.img: build/pmake-tree.cpio tools/mkdisk.py
	$(call say,DISK,$@)
	$(Q)tools/mkdisk.py $@ 8 pmake $<

build/work-disk.cpio: build/work.cpio build/pmake-tree.img build/gen_init_cpio
	$(call say,CPIO,$@)
	$(Q)echo "file /workload.img build/pmake-tree.img 0644 0 0" | build/gen_init_cpio - | cat build/work.cpio - >$T && $(whole)

# ---- parallel programs ----
PARALLEL := radix fft lu barnes ocean cg join pipe quick
$(PARALLEL:%=build/parallel/%): build/parallel/%: guests/workloads/%.c guests/workloads/parallel.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(WORK_CFLAGS) $(WARN_CFLAGS) -I. -s -o $T $< -lm -lpthread && $(whole)

PARALLEL_HOST := $(PARALLEL:%=build/host/parallel/%)
$(PARALLEL_HOST): build/host/parallel/%: guests/workloads/%.c guests/workloads/parallel.h
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)
	$(Q)gcc -O2 -ffp-contract=off $(WARN_CFLAGS) -I. -o $T $< -lm -lpthread && $(whole)

TEST_NEEDS += build/parallel-root.cpio $(PARALLEL_HOST)
build/parallel-root.cpio: $(PARALLEL:%=build/parallel/%) build/root.cpio
	$(call say,CPIO,$@)
	$(Q)tools/mkroot.sh $@ build/gen_init_cpio guests/linux/rootfs build/busybox $(foreach p,$(PARALLEL),/bin/$p=build/parallel/$p)

# What make bench-scaling has speed-ups of
SPEEDUP_PROGRAMS := build/parallel/fft build/parallel/radix $(W)/raytrace $(W)/mark
build/speedup-root.cpio: $(SPEEDUP_PROGRAMS) build/root.cpio
	$(call say,CPIO,$@)
	$(Q)tools/mkroot.sh $@ build/gen_init_cpio guests/linux/rootfs build/busybox $(foreach p,$(SPEEDUP_PROGRAMS),/bin/$(notdir $p)=$p)

# The same as guests by themselves, on the thin OS.
PARALLEL_THIN := $(PARALLEL:%=build/guests/thin/parallel/%.elf)
TEST_NEEDS += $(PARALLEL_THIN)
$(PARALLEL_THIN): build/guests/thin/parallel/%.elf: guests/workloads/%.c guests/workloads/parallel.h $(THIN_NEEDS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(call thin_link,$<)

# Pmake of several users, for machines that share it
PMAKES_PROGRAMS := $(PMAKE_PROGRAMS) $(W)/mark
build/pmakes-root.cpio: $(PMAKES_PROGRAMS) guests/workloads/pmakes.sh $(W)/pmake.tar build/root.cpio
	$(call say,CPIO,$@)
	$(Q)tools/mkroot.sh $@ build/gen_init_cpio guests/linux/rootfs build/busybox \
		$(foreach p,$(PMAKES_PROGRAMS),/bin/$(notdir $p)=$p) /bin/pmakes=guests/workloads/pmakes.sh /pmake.tar=$(W)/pmake.tar
