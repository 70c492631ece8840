# SPDX-License-Identifier: MIT
MONITOR_SRCS += boot/start.S boot/boot.c

# U-Boot as the machine's boot ROM (`make run BOOT=uboot`): Debian's source with the patches of boot/uboot/patches.
UBOOT_PATCHES := boot/uboot/patches/series $(addprefix boot/uboot/patches/,$(shell sed "/^\#/d" boot/uboot/patches/series))

build/u-boot-src.ok: tools/fetch-source.sh | build/setup.mk
	$(Q)tools/progress.sh "fetching U-Boot's source" build/log/u-boot-src.log tools/fetch-source.sh u-boot
	$(Q)rm -rf build/src/u-boot/.pc && touch $@

build/u-boot-patched.ok: build/u-boot-src.ok $(UBOOT_PATCHES) tools/apply-patches.sh
	$(call say,PATCH,u-boot)
	@mkdir -p build/log
	$(Q)flock build/log/u-boot-patch.lock tools/apply-patches.sh build/src/u-boot boot/uboot/patches >build/log/u-boot-patch.log 2>&1 || \
		{ cat build/log/u-boot-patch.log; false; } && touch $@

build/u-boot/u-boot.bin: boot/uboot/uboot.config build/u-boot-patched.ok tools/build-uboot.sh
	$(Q)tools/progress.sh -s $@ "U-Boot" build/log/u-boot.log tools/build-uboot.sh build/src/u-boot build/u-boot $< $(CROSS)
TEST_NEEDS += build/u-boot/u-boot.bin
# U-Boot as a guest (configs/uboot.dts) comes out of the same build.
build/u-boot/guest: build/u-boot/u-boot.bin ;
