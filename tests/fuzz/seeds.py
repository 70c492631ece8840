#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""seeds.py FOLDER - writes the seed corpus of each fuzzer: FOLDER/elf, FOLDER/reloc, FOLDER/cpio, FOLDER/vmdesc, FOLDER/vqueue.

Small good inputs, so that the fuzzers start behind the first checks.
"""
import pathlib
import struct
import subprocess
import sys

TREES = {
    "two": """/dts-v1/; / { compatible = "disco,machine"; nodes = <8>; memory-mb = <512>; vms {
        vm0 { compatible = "disco,vm"; label = "alpha"; kernel = "vmlinux"; ramdisk = "root.cpio"; memory-mb = <64>;
              vcpus = <1>; node = <1>; bootargs = "quiet"; };
        vm1 { compatible = "disco,vm"; label = "beta"; kernel = "vmlinux"; memory-mb = <64>; manual; }; }; };""",
    "several-nodes": """/dts-v1/; / { compatible = "disco,machine"; nodes = <4>; memory-mb = <256>; vms {
        vm0 { compatible = "disco,vm"; label = "smp"; kernel = "smp.elf"; memory-mb = <16>; vcpus = <8>;
              node = <0 1 2 3>; }; }; };""",
    "disks": """/dts-v1/; / { compatible = "disco,machine"; nodes = <2>; memory-mb = <128>; vms {
        a { compatible = "disco,vm"; label = "a"; kernel = "k"; memory-mb = <4>;
            disk0 { compatible = "disco,disk"; image = "root.img"; mode = "cow"; limit-mb = <8>; };
            disk1 { compatible = "disco,disk"; image = "work.img"; mode = "persistent"; serial = "work"; }; };
        b { compatible = "disco,vm"; label = "b"; kernel = "k"; memory-mb = <4>;
            disk0 { compatible = "disco,disk"; image = "root.img"; mode = "cow"; read-only; };
            disk1 { compatible = "disco,disk"; image = "a.img"; mode = "cow"; in-archive; seek-us = <1>;
                    kb-per-second = <2>; }; }; }; };""",
    "nets": """/dts-v1/; / { compatible = "disco,machine"; nodes = <2>; memory-mb = <128>;
        uplink { compatible = "disco,uplink"; subnet = "lan"; };
        vms {
        a { compatible = "disco,vm"; label = "a"; kernel = "k"; memory-mb = <4>;
            net0 { compatible = "disco,net"; subnet = "lan"; mtu = <9000>; };
            net1 { compatible = "disco,net"; subnet = "other"; any-source; }; };
        b { compatible = "disco,vm"; label = "b"; kernel = "k"; memory-mb = <4>;
            net0 { compatible = "disco,net"; subnet = "lan"; forward = <2222 22>; }; }; }; };""",
    "none": '/dts-v1/; / { compatible = "disco,machine"; nodes = <2>; memory-mb = <128>; vms { }; };',
    "same-label": """/dts-v1/; / { compatible = "disco,machine"; nodes = <2>; memory-mb = <128>; vms {
        a { compatible = "disco,vm"; label = "x"; kernel = "k"; memory-mb = <4>; };
        b { compatible = "disco,vm"; label = "x"; kernel = "k"; memory-mb = <4>; }; }; };""",
}


def elf(segments):
    """An ELF64 LE MIPS64R6 executable with (offset in csseg, bytes, memory size) segments."""
    entry = 0xFFFFFFFFC0000000 + segments[0][0]
    head = struct.pack("<4s4B8x2H1I3QI6H", b"\x7fELF", 2, 1, 1, 0, 2, 8, 1, entry, 64, 0, 0xA0000007,
                       64, 56, len(segments), 0, 0, 0)
    offset = 64 + 56 * len(segments)
    table, body = b"", b""
    for phys, data, memsz in segments:
        address = 0xFFFFFFFFC0000000 + phys
        table += struct.pack("<2I6Q", 1, 7, offset + len(body), address, address, len(data), memsz, 4096)
        body += data
    return head + table + body


def kernel_with_relocations():
    """An executable at 0x80100000 of one word and a 64-bit address, each with its relocation."""
    base = 0xFFFFFFFF80100000
    text = struct.pack("<IIQ", 0x3C028010, 0, base + 8)
    relocations = struct.pack("<QI4Bq", base, 1, 0, 0, 0, 5, 8) + struct.pack("<QI4Bq", base + 8, 1, 0, 0, 0, 18, 8)
    symbols = bytes(24) + struct.pack("<IBBHQQ", 0, 0, 0, 1, base, 0)
    head = struct.pack("<4s4B8x2H1I3QI6H", b"\x7fELF", 2, 1, 1, 0, 2, 8, 1, base, 64, 120 + len(text + relocations + symbols),
                       0xA0000007, 64, 56, 1, 64, 4, 0)
    segment = struct.pack("<2I6Q", 1, 7, 120, base, base, len(text), 4096, 4096)
    at = 120 + len(text)
    sections = bytes(64) + struct.pack("<IIQQQQIIQQ", 0, 1, 2, base, 120, len(text), 0, 0, 8, 0)
    sections += struct.pack("<IIQQQQIIQQ", 0, 4, 0, 0, at, len(relocations), 3, 1, 8, 24)
    sections += struct.pack("<IIQQQQIIQQ", 0, 2, 0, 0, at + len(relocations), len(symbols), 0, 0, 8, 24)
    return head + segment + text + relocations + symbols + sections


def newc(files):
    out = b""
    for name, data in [*files, ("TRAILER!!!", b"")]:
        fields = [1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        out += b"070701" + b"".join(b"%08x" % f for f in fields) + name.encode() + b"\0"
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(out) % 4)
    return out


def dtb(source):
    return subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb"], input=source.encode(), check=True,
                          stdout=subprocess.PIPE).stdout


def virtqueue(descriptors, heads, setup=97):
    """The input of fuzz_vqueue: a queue of 16 with indirect descriptors and event indices, (address, bytes, flags, next) at 0."""
    memory = bytearray(8192)
    for i, descriptor in enumerate(descriptors):
        struct.pack_into("<QIHH", memory, 16 * i, *descriptor)
    struct.pack_into(f"<{2 + len(heads)}H", memory, 2048, 0, len(heads), *heads)
    return bytes([4, setup, 0, 0, 0, 0, 0, 0]) + bytes(range(2, 66)) + bytes(memory)


def main(folder):
    one = elf([(0x10000, b"\0" * 32, 64)])
    seeds = {
        "elf": {"one": one, "two": elf([(0x100000, b"\0" * 16, 16), (0x200000, b"\1" * 8, 4096)])},
        "reloc": {"two": kernel_with_relocations()},
        "cpio": {"empty": newc([]), "two": newc([("disco.dtb", b"tree"), ("vmlinux", one)])},
        "vqueue": {"chain": virtqueue([(6000, 16, 1, 1), (7000, 512, 3, 2), (6016, 1, 2, 0)], [0, 2, 1]),
                   "indirect": virtqueue([(64, 48, 4, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (6000, 16, 1, 1),
                                          (7000, 512, 3, 2), (6016, 1, 2, 0)], [0, 0]),
                   "page": virtqueue([(64, 48, 4, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (6000, 16, 1, 1),
                                      (8192, 4096, 3, 2), (6016, 1, 2, 0)], [0, 0, 0], setup=225)},
        "blockmap": {"small": bytes([5, 3, *range(1, 60)]), "large": bytes([255, 27, *[7 * i % 251 for i in range(126)]])},
        "vmdesc": {name: dtb(source) for name, source in TREES.items()},
    }
    for fuzzer, files in seeds.items():
        place = pathlib.Path(folder) / fuzzer
        place.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (place / name).write_bytes(data)


if __name__ == "__main__":
    main(sys.argv[1])
