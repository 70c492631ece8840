#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""mkboot.py OUT.img MONITOR.elf ARCHIVE.cpio SCENARIO [NAME=VALUE...] - the disk that U-Boot boots the monitor from: an ext4 image with
SCENARIO.fit, U-Boot's image of the monitor and the boot archive with checks of both, and boot.env, boot/uboot/boot.env with these
variables of U-Boot's behind it.

Monitor and archive come to lie where QEMU's -kernel and -initrd put them: the archive 64 KB aligned behind the monitor's last byte.
"""
import re
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
CROSS = "mipsisa64r6el-linux-gnuabi64-"
UNIT = 0x10000
KSEG0, KSEG0_END = 0xffffffff80000000, 0xffffffff90000000
UBOOT = 8 << 20  # at the end of the first 256 MB, of smaller machines at the end of memory

FIT = """/dts-v1/;
/ {{
	description = "Disco and the boot archive of {scenario}";
	timestamp = <1577836800>;
	#address-cells = <2>;
	images {{
		monitor {{
			description = "monitor";
			data = /incbin/("monitor.bin");
			type = "kernel";
			arch = "{arch}";
			os = "linux";
			compression = "none";
			load = <{load}>;
			entry = <{entry}>;
			hash {{ algo = "crc32"; value = <{monitor_crc:#x}>; }};
		}};
		archive {{
			description = "boot archive";
			data = /incbin/("archive.cpio");
			type = "ramdisk";
			arch = "mips";
			os = "linux";
			compression = "none";
			load = <{archive_load}>;
			hash {{ algo = "crc32"; value = <{archive_crc:#x}>; }};
		}};
	}};
	configurations {{
		default = "disco";
		disco {{ kernel = "monitor"; ramdisk = "archive"; }};
	}};
}};
"""


def fail(text):
    sys.exit(f"mkboot.py: {text}")


def cells(address):
    return f"{address >> 32:#x} {address & 0xffffffff:#x}"


def round_up(value):
    return -(-value // UNIT) * UNIT


def read_elf(path):
    """The entry, and (first address, last) of what is loaded; only what the boot ROM would take."""
    elf = Path(path).read_bytes()
    if elf[:4] != b"\x7fELF" or len(elf) < 64:
        fail(f"{path}: found no ELF file, needed the monitor, build/disco.elf")
    machine, = struct.unpack_from("<H", elf, 18)
    if (elf[4], elf[5], machine) != (2, 1, 8):
        fail(f"{path}: found class {elf[4]}, byte order {elf[5]}, machine {machine}; needed 2, 1, 8: 64 bits, little-endian, MIPS")
    entry, headers = struct.unpack_from("<QQ", elf, 24)
    size, count = struct.unpack_from("<HH", elf, 54)
    if headers + size * count > len(elf):
        fail(f"{path}: found an ELF file that ends before its program headers")
    loads = [struct.unpack_from("<IIQQQQQ", elf, headers + size * n) for n in range(count)]
    loads = [one for one in loads if one[0] == 1 and one[6]]
    if not loads or any(offset + filed > len(elf) for _, _, offset, _, _, filed, _ in loads):
        fail(f"{path}: found an ELF file without segments, or one that ends before they do")
    first, last = min(one[3] for one in loads), max(one[3] + one[6] for one in loads)
    if not KSEG0 <= first < last <= KSEG0_END:
        fail(f"{path}: found addresses {first:#x} to {last:#x}, needed {KSEG0:#x} to {KSEG0_END:#x}")
    return entry, first, last


def make_fit(work, monitor, archive, scenario, archive_at=None, cut=0, arch="mips", crc=0):
    """SCENARIO.fit in the folder work, and where U-Boot may load it: behind all that it holds. For tests: the
    archive elsewhere, an image without its last bytes, of another processor, with another checksum of the monitor."""
    entry, load, end = read_elf(monitor)
    subprocess.run([CROSS + "objcopy", "-O", "binary", monitor, work / "monitor.bin"], check=True)
    code, cpio = (work / "monitor.bin").read_bytes(), Path(archive).read_bytes()
    (work / "archive.cpio").write_bytes(cpio)
    at = archive_at or round_up(end)
    (work / "fit.dts").write_text(FIT.format(scenario=scenario, arch=arch, load=cells(load), entry=cells(entry), archive_load=cells(at),
                                             monitor_crc=zlib.crc32(code) ^ crc, archive_crc=zlib.crc32(cpio)))
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", work / f"{scenario}.fit", work / "fit.dts"], check=True)
    whole = (work / f"{scenario}.fit").read_bytes()
    (work / f"{scenario}.fit").write_bytes(whole[:len(whole) - cut])
    return round_up(max(at + len(cpio), end))


def make(out, monitor, archive, scenario, variables, **fit):
    if not re.fullmatch(r"[A-Za-z0-9_.+-]{1,63}", scenario):
        fail(f"found the scenario {scenario!r}, allowed: 1 to 63 of letters, digits and _ . + -")
    for one in variables:
        if not re.fullmatch(r"[a-z]+=[^\n\0]*", one):
            fail(f"found the variable {one!r}, allowed: NAME=VALUE in one line")
    with tempfile.TemporaryDirectory(prefix=out.name + ".", suffix=".tmp", dir=out.parent) as folder:
        work = Path(folder).resolve()
        at = make_fit(work, monitor, archive, scenario, **fit)
        size = (work / f"{scenario}.fit").stat().st_size
        if at + size > KSEG0_END - UBOOT:
            fail(f"{archive}: found {size >> 20} MB with the monitor, allowed {(KSEG0_END - UBOOT - at) >> 20}: they are in memory twice, "
                 "within the 256 MB that U-Boot uses")
        text = (TOP / "boot/uboot/boot.env").read_text()
        text += "".join(f"{one}\n" for one in (f"scenario={scenario}", f"fit={at:#x}", *variables))
        (work / "boot.env").write_text(text)
        names = f"boot.env\n{scenario}.fit\n"
        disk = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "--owner=0:0"], cwd=work, check=True, input=names.encode(),
                              stdout=subprocess.PIPE).stdout
        (work / "disk.cpio").write_bytes(disk)
        subprocess.run([TOP / "tools/mkdisk.py", out, str(8 + len(disk) * 9 // 8 // 1000000), "boot", work / "disk.cpio"], check=True)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        fail("found " + " ".join(sys.argv[1:]) + "; needed: OUT.img MONITOR.elf ARCHIVE.cpio SCENARIO, then variables")
    make(Path(sys.argv[1]), *sys.argv[2:5], sys.argv[5:])
