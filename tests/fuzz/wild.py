#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""wild.py SEED OUT.cpio - a boot archive of six guests whose kernels are random code, and one good neighbour.

The code is half privileged instructions, loads, stores, branches and monitor calls, half anything. An exception or the
timer takes a guest back to a random place of its code, with CP0 good enough to go on, so that it runs until the monitor
ends it or for ever.
"""
import pathlib
import random
import struct
import sys

import seeds

TOP = pathlib.Path(__file__).resolve().parents[2]
GUESTS = 6
CODE, VECTORS, START = 0x20000, 0x10000, 0x1000  # physical; csseg is 0xc0000000 above
WORDS = 16000


def words(*values):
    return b"".join(struct.pack("<I", value & 0xFFFFFFFF) for value in values)


def lui(register, value):
    return 0x3C000000 | register << 16 | value


# Compare = Count + 65536; EPC = CODE + Count & 0xfffc; EBase; Status = CU1, FR, IM7, 64-bit segments, EXL, IE; eret
BACK_TO_CODE = words(0x401A4800, lui(27, 1), 0x037AD82D, 0x409B5800, 0x335AFFFC, lui(27, 0xC002), 0x035BD025, 0x40BA7000,
                     lui(27, 0xC001), 0x409B7801, lui(27, 0x2400), 0x377B80E3, 0x409B6000, 0x000000C0, 0x42000018)


def cop0_move(r):
    return (0x40000000 | r.choice([0, 1, 2, 4, 5, 6, 10, 14]) << 21 | r.randrange(32) << 16 | r.randrange(32) << 11
            | r.choice([0, 0, 0, 1, 2, r.randrange(8)]))


def cop0_operation(r):
    # TLBR, TLBWI, TLBINV, TLBINVF, TLBWR, TLBP, ERET, ERETNC, HYPCALL, any; DI, EI, DVP, EVP
    if r.random() < 0.3:
        return 0x41600000 | r.randrange(32) << 16 | r.choice([0x6000, 0x6020, 4, 0x24])
    return 0x42000000 | r.choice([1, 2, 3, 4, 6, 8, 0x18, 0x58, 0x28, 0x28, r.randrange(64)])


def memory(r):
    op = r.choice([0x20, 0x21, 0x23, 0x25, 0x28, 0x29, 0x2B, 0x31, 0x35, 0x37, 0x39, 0x3D, 0x3F])
    return op << 26 | r.randrange(1 << 26)


def branch(r):
    op = r.choice([1, 4, 5, 6, 7, 8, 0x16, 0x17, 0x18, 0x36, 0x3E])
    return op << 26 | r.randrange(32) << 21 | r.choice([r.randrange(32), 0, 1, 0x11]) << 16 | r.randrange(-40, 40) & 0xFFFF


def jump(r):
    return r.randrange(32) << 21 | r.choice([0, 31]) << 11 | 9


def address(r):
    return lui(r.randrange(32), r.choice([0xC000, 0xC001, 0x4000, 0xD000, 0xDFFF, 0x8000, 0xFFFF, 0x1000, r.randrange(65536)]))


def call_number(r):
    # every monitor call but stopping the VCPU and ending the VM
    return 0x24020000 | r.choice([0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 14])


def anything(r):
    return r.getrandbits(32)


KINDS = ((cop0_move, 25), (cop0_operation, 15), (memory, 18), (branch, 10), (jump, 3), (address, 5), (call_number, 3),
         (anything, 21))


def image(seed):
    """One guest's kernel."""
    r = random.Random(seed)
    kinds, weights = zip(*KINDS)
    code = words(*(kind(r) for kind in r.choices(kinds, weights, k=WORDS))) + words(lui(8, 0xC002), 0x01000009, 0)
    vectors = bytearray(0x1000)
    for offset in (0x000, 0x080, 0x100, 0x180, 0x200):
        vectors[offset:offset + len(BACK_TO_CODE)] = BACK_TO_CODE
    start = words(lui(9, 0xC001), 0x40897801, lui(8, 0x2400), 0x350880E1, 0x40886000, 0x000000C0)  # EBase, Status
    start += words(*(lui(register, r.choice([0xC001, 0xC002, 0xD000, 0x4000, 0, 0x1000])) for register in range(2, 26)))
    start += words(lui(8, 0xC002), 0x01000009, 0)
    return seeds.elf([(START, start, 0x1000), (VECTORS, bytes(vectors), 0x1000), (CODE, code, 0x100000)])


def archive(seed):
    """Everything on three nodes; `good` shares its node with two of the others."""
    vms, files = "", []
    for i in range(GUESTS):
        vms += (f'v{i} {{ compatible = "disco,vm"; label = "wild{i}"; kernel = "wild{i}.elf"; memory-mb = <8>; '
                f"vcpus = <{1 + i % 2}>; node = <{i % 3}>; }};\n")
        files.append((f"wild{i}.elf", image(seed * GUESTS + i)))
    vms += 'good { compatible = "disco,vm"; label = "good"; kernel = "good.elf"; memory-mb = <8>; node = <1>; };'
    files.append(("good.elf", (TOP / "build/guests/tests/neighbour.elf").read_bytes()))
    tree = seeds.dtb('/dts-v1/; / { compatible = "disco,machine"; nodes = <3>; memory-mb = <128>; vms { ' + vms + " }; };")
    return seeds.newc([("disco.dtb", tree), *files])


if __name__ == "__main__":
    pathlib.Path(sys.argv[2]).write_bytes(archive(int(sys.argv[1])))
