# SPDX-License-Identifier: MIT
# Whole-machine tests need what `make all` builds.

.PHONY: smoke
smoke: build/disco.elf build/default.cpio $(if $(filter uboot,$(BOOT)),build/u-boot/u-boot.bin)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/system/smoke.py default $(if $(filter uboot,$(BOOT)),-b)

CUTS ?= 100
HELP += make power-cuts     the power fails while a guest writes to its disk: CUTS=100 times, and four times as often with what no flush covered lost\n
.PHONY: power-cuts
power-cuts: build/disco.elf build/disktest.img build/linux/vmlinux build/host/strict.so build/host/dtscheck
	@PYTHONDONTWRITEBYTECODE=1 DISCO_CUTS=$(CUTS) $(PYTHON) -m pytest -c tests/pytest.ini --rootdir=. tests/system/test_power_cut.py

NET_ROUNDS ?= 20
HELP += make net-torture    eight Linux guests send each of the others NET_ROUNDS=20 messages by TCP and by UDP, all at once, while pages move\n
.PHONY: net-torture
net-torture: build/disco.elf build/disktest.img build/linux/vmlinux build/host/strict.so build/host/dtscheck
	@PYTHONDONTWRITEBYTECODE=1 DISCO_NET_ROUNDS=$(NET_ROUNDS) $(PYTHON) -m pytest -c tests/pytest.ini --rootdir=. tests/system/test_subnet.py -k all_pairs

NFS_FILES ?= 200
HELP += make nfs-torture    seven clients of a file server write, copy and compare trees of NFS_FILES=200 files each, copied and compared, while guests end\n
.PHONY: nfs-torture
nfs-torture: build/disco.elf build/nfs.cpio build/disktest.img build/empty.img build/linux/vmlinux build/host/strict.so build/host/dtscheck
	@PYTHONDONTWRITEBYTECODE=1 DISCO_NFS_FILES=$(NFS_FILES) $(PYTHON) -m pytest -c tests/pytest.ini --rootdir=. tests/system/test_nfs.py
