# SPDX-License-Identifier: MIT
# The Linux guest: kernel (Debian's linux-source-6.1 with guest-patches/) and root (busybox and rootfs/, in one cpio archive).
#
# ROOT_PROGRAMS: programs that other fragments put in the guests' root, as /NAME=FILE.
#
# `make cc FILE=x.c [OUT=x] [DYNAMIC=1]` compiles one program for them: docs/guests.md.

PATCHES := guest-patches/series $(addprefix guest-patches/,$(shell sed -n 's/^\([A-Za-z0-9_.+-]*\.patch\).*/\1/p' guest-patches/series))
build/linux-patched.ok: build/linux-src.ok $(PATCHES) tools/apply-patches.sh
	$(call say,PATCH,linux-source-6.1)
	@mkdir -p build/log
	$(Q)flock build/log/patch.lock tools/apply-patches.sh build/linux-src guest-patches >build/log/patch.log 2>&1 || \
		{ cat build/log/patch.log; false; } && touch $@

# build/linux is the guest's kernel; build/linux-bare the same sources on the bare machine, for comparison in `make bench`.
# One after the other: each uses all processors. A kernel whose build was killed is built again, however new its file is.
UNFINISHED := $(patsubst %/.unfinished,%/vmlinux,$(wildcard build/linux*/.unfinished))
$(UNFINISHED): FORCE
.PHONY: FORCE
build/linux/vmlinux: guests/linux/disco.config build/linux-patched.ok tools/build-linux.sh
	$(Q)tools/progress.sh -s $@ "guest kernel" build/log/linux.log tools/build-linux.sh build/linux-src build/linux $< $(CROSS)

build/linux-bare/vmlinux: guests/linux/bare.config build/linux-patched.ok tools/build-linux.sh | build/linux/vmlinux
	$(Q)tools/progress.sh -s $@ "bare kernel" build/log/linux-bare.log tools/build-linux.sh build/linux-src build/linux-bare $< $(CROSS)

# The same Debian source without a patch of ours, linked for KSEG0: not a part of `make all`.
build/linux-stock-src.ok: tools/unpack-linux.sh | build/setup.mk
	$(Q)tools/progress.sh -s $@ "unpacking linux-source-6.1 once more" build/log/linux-stock-src.log tools/unpack-linux.sh build/linux-stock-src

build/linux-stock/vmlinux: guests/linux/stock.config build/linux-stock-src.ok tools/build-linux.sh
	$(Q)tools/progress.sh -s $@ "Linux without patches" build/log/linux-stock.log tools/build-linux.sh build/linux-stock-src build/linux-stock $< $(CROSS)

build/stock.cpio: guests/linux/stock.dts build/linux-stock/vmlinux build/root.cpio tools/mkimage.sh build/host/dtscheck
	$(call say,IMAGE,$@)
	$(Q)tools/mkimage.sh $< $@

HELP += make stock          an unpatched Linux as a guest (its first build: 9 minutes of processor time); ARGS="words"\n
.PHONY: stock
stock: build/stock.cpio build/disco.elf build/host/strict.so
	@exec qemu/run.sh -a $(call quoted,attach=stock $(value ARGS)) $<

build/busybox-src.ok: tools/fetch-source.sh | build/setup.mk
	$(Q)tools/progress.sh -s $@ "fetching busybox's source" build/log/busybox-src.log tools/fetch-source.sh busybox

build/busybox/busybox: guests/linux/busybox.config build/busybox-src.ok tools/build-busybox.sh
	$(Q)tools/progress.sh -s $@ "busybox" build/log/busybox.log \
		tools/build-busybox.sh build/src/busybox build/busybox $< $(CROSS)

build/gen_init_cpio: build/linux-src.ok
	$(Q)gcc -O1 -o $T build/linux-src/usr/gen_init_cpio.c && $(whole)

ROOT_FILES = $(shell find guests/linux/rootfs -type f ! -name '*[!A-Za-z0-9_.+-]*')
build/root.cpio: build/busybox/busybox build/gen_init_cpio tools/mkroot.sh guests/linux/rootfs $(ROOT_FILES)
	$(call say,CPIO,$@)
	$(Q)tools/mkroot.sh $@ build/gen_init_cpio guests/linux/rootfs build/busybox $(ROOT_PROGRAMS)

# Disks of guests: the root, and an empty file system, as images that any number of them share; and an empty one for each guest that
# keeps what is written. Such an image is made if it is missing, never again, and `make clean` leaves it.
ALL += build/root.img
build/root.img: build/root.cpio tools/mkdisk.py
	$(call say,DISK,$@)
	$(Q)tools/mkdisk.py $@ 32 root $<

ALL += build/empty.img
build/empty.img: tools/mkdisk.py
	$(call say,DISK,$@)
	$(Q)tools/mkdisk.py $@ 64 work

build/work-%.img: | tools/mkdisk.py build/setup.mk
	$(call say,DISK,$@)
	$(Q)tools/mkdisk.py $@ 64 work

# The same root with tests of disks and networks in it.
DISK_TESTS := build/disktest build/diskrecords build/diskops build/netops build/netmesh
build/diskops: guests/linux/diskops.h
build/netops: guests/linux/netops.h
build/netops build/netmesh: guests/linux/names.c guests/linux/names.h
$(DISK_TESTS): build/%: guests/linux/%.c
	$(call say,CC,$<)
	$(Q)$(CC) -O2 -mcompact-branches=never -static $(WARN_CFLAGS) -Wl,-z,noexecstack -I. -s -o $T $(filter %.c,$^) && $(whole)

# apt takes one source at a time.
build/e2fsprogs-src.ok: tools/fetch-source.sh | build/busybox-src.ok
	$(Q)tools/progress.sh -s $@ "fetching e2fsck's source" build/log/e2fsprogs-src.log tools/fetch-source.sh e2fsprogs

build/e2fsck/e2fsck: build/e2fsprogs-src.ok tools/build-e2fsck.sh
	$(Q)tools/progress.sh -s $@ "e2fsck for guests" build/log/e2fsck.log tools/build-e2fsck.sh build/src/e2fsprogs build/e2fsck $(CROSS)

DISK_TESTS += build/e2fsck/e2fsck
build/disktest-root.cpio: build/root.cpio $(DISK_TESTS)
	$(call say,CPIO,$@)
	$(Q)tools/mkroot.sh $@ build/gen_init_cpio guests/linux/rootfs build/busybox $(ROOT_PROGRAMS) \
		$(foreach program,$(DISK_TESTS),/bin/$(notdir $(program))=$(program))

build/disktest.img: build/disktest-root.cpio tools/mkdisk.py
	$(call say,DISK,$@)
	$(Q)tools/mkdisk.py $@ 32 root $<
TEST_NEEDS += build/disktest.img

HELP += make cc FILE=x.c        a program for Linux guests, statically linked: build/programs/x, or OUT=path\n

CC_OUT = $(or $(value OUT),build/programs/$(basename $(notdir $(value FILE))))
.PHONY: cc
cc:
	@if [ ! -f $(call quoted,$(value FILE)) ]; then \
		echo "make cc: FILE: found "$(call quoted,$(value FILE))", allowed: a C source that exists" >&2; exit 2; \
	fi
	@mkdir -p "$$(dirname $(call quoted,$(CC_OUT)))"
	$(Q)$(CC) -O2 -g -Wall -mcompact-branches=never $(if $(DYNAMIC),,-static) -o $(call quoted,$(CC_OUT)) $(call quoted,$(value FILE)) $(LIBS)
	@echo $(call quoted,$(CC_OUT))
