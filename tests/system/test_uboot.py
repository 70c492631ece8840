# SPDX-License-Identifier: MIT
"""The machine booted by U-Boot: monitor and archive from a disk, all of the machine, and what is refused in words."""
import re
import subprocess
import sys

import pytest

from machine import TOP, vm, write_scenario
from smoke import smoke

sys.path.insert(0, str(TOP / "tools"))
import mkboot  # noqa: E402

QUICK = {"kernel": "exc_sys.elf", "ramdisk": None, "memory": 16}


def test_smoke():
    """The default scenario to both shells; what U-Boot says on the way, in its order."""
    smoke("default", "-b")
    said = (TOP / "build/results/logs/smoke-default-b.log").read_text(encoding="utf-8")
    at = 0
    for step in ["U-Boot 20", "bytes read in", "Verifying Hash Integrity", "Disco, a virtual machine monitor", "8 nodes up, 1024 MB, 2 VMs"]:
        assert step in said[at:], f"no {step!r} behind the step before it"
        at += said[at:].index(step)


@pytest.mark.parametrize("nodes, memory", [(2, 128), (9, 416), (16, 2048)])
def test_sizes(machine, tmp_path, nodes, memory):
    """Processors from the ninth on come through U-Boot's reset vector; U-Boot finds out how much memory there is."""
    archive = write_scenario(tmp_path, [vm("last", node=nodes - 1, **QUICK)], nodes=nodes, memory=memory)
    one = machine(archive, "exit=1", options=["-b"])
    one.expect(rf"\[0\] main: {nodes} nodes up, {memory} MB")
    one.expect(r"\[last\] PASS exc_sys")
    one.expect(rf"\[{nodes - 1}\] vm: last powered off, code 0")
    assert one.end() == 0


def test_prompt(machine, tmp_path):
    """U-Boot's prompt: the variables are the boot script's and the monitor's; who changes them is heard."""
    one = machine(write_scenario(tmp_path, [vm("quick", **QUICK)], memory=256), "log=unused", options=["-B"])
    one.expect("u-boot> ")
    one.send("printenv ememsize scenario words\r")
    one.expect(r"ememsize=268435456\r*\nscenario=scenario\r*\nwords=log=unused")
    one.send("setenv ememsize 201326592\r")
    one.expect("u-boot> ")
    one.send("setenv words exit=1\r")
    one.expect("u-boot> ")
    one.send("run boot\r")
    one.expect(r"memory-mb: found 256, allowed at most 192 \(this machine\)")
    one.expect(r"\[quick\] PASS exc_sys")
    assert one.end() == 0


def test_guest(machine):
    """U-Boot as a guest, at its prompt: its commands, the board that it finds, what it cost, and what is in the way of more."""
    one = machine("uboot", "attach=firmware exit=1")
    for step in [r"U-Boot 2023\.01", r"Board: MIPS Malta CoreLV", r"DRAM:  64 MiB", r"Bus 0: not available", r"Bad device specification ide 0",
                 r"u-boot> "]:
        one.expect(step)

    def answer(command):
        one.send(command + "\r")
        one.expect(re.escape(command) + r"\r*\n")
        one.expect("u-boot> ")
        return one.before

    assert "U-Boot 2023.01" in answer("version")
    info = answer("bdinfo")
    assert re.search(r"-> start += 0xffffffff80000000", info) and re.search(r"-> size += 0x0000000004000000", info), info
    place = int(re.search(r"relocaddr += 0x(\w+)", info)[1], 16)
    assert 0xffffffff83000000 < place < 0xffffffff84000000, info
    # The first bytes of its copy, before and behind the move: a branch, and the words that say which board it was built for.
    first, moved = (re.findall(r": ((?:\w{8} ){4})", answer(f"md {at:x} 8")) for at in (0xffffffff80100000, place))
    assert first == moved and first[0].startswith("1000") and first[1].startswith("00000420"), (first, moved)
    answer("mw ffffffff80300000 12345678 4")
    assert answer("md ffffffff80300000 4").count("12345678") == 4
    assert re.search(r"Date: 20\d\d-\d\d-\d\d", answer("date"))
    buses = answer("pci")
    assert all(re.search(rf"00\.{at} +0x{ids}", buses) for at, ids in (("00.00", "11ab +0x4620"), ("0a.00", "8086 +0x7110"), ("0a.01", "8086 +0x7111")))
    one.detach()
    told = "\n".join(one.command("stats firmware"))
    emulated, places = (int(re.search(what, told)[1]) for what in (r"fetches and (\d+) accesses emulated", r"patched: (\d+) places"))
    assert places > 1000 and 1000 < emulated < 100000, told # a million without patches
    one.attach("firmware")
    one.send("reset\r")
    one.expect("firmware powered off, code 0")
    assert one.end() == 0


def bss_of_monitor():
    symbols = subprocess.run(["mipsisa64r6el-linux-gnuabi64-nm", TOP / "build/disco.elf"], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"^(\w+) \w bss_start$", symbols, re.M)[1], 16)


CASES = {
    "no-image": (["scenario=other"], {}, r"other\.fit"),
    "truncated": ([], {"cut": 5000}, r"Bad FIT kernel image format"),
    "other-processor": ([], {"arch": "x86_64"}, r"Unsupported Architecture"),
    "changed": ([], {"crc": 1}, r"Bad hash value for 'hash' hash node in 'monitor' image node"),
}


def start_from(machine, folder, variables, fit):
    archive = write_scenario(folder, [vm("quick", **QUICK)])
    mkboot.make(folder / "boot.img", TOP / "build/disco.elf", archive, "scenario", ["words=exit=1", *variables], **fit)
    return machine(archive, options=["-b"], qemu=["-set", f"drive.boot.file={folder}/boot.img"])


@pytest.mark.parametrize("case", CASES)
def test_refused_by_uboot(machine, tmp_path, case):
    variables, fit, line = CASES[case]
    one = start_from(machine, tmp_path, variables, fit)
    one.expect(line)
    one.expect("nothing was started; reset ends the machine")
    one.send("reset\r")
    assert one.end() == 0


@pytest.mark.parametrize("at", ["text", "bss"])
def test_archive_in_memory_of_the_monitor(machine, tmp_path, at):
    """U-Boot loads the archive, then the monitor over it, or knows nothing of what the monitor keeps behind its file and clears."""
    place = 0xffffffff80110000 if at == "text" else -(-bss_of_monitor() // 65536) * 65536
    one = start_from(machine, tmp_path, [], {"archive_at": place})
    one.expect(r"PANIC: found the boot archive at \w+ to \w+, allowed \w+, behind the monitor, to ")


@pytest.mark.parametrize("change, line", [(lambda elf: b"#!/bin/sh", "found no ELF file"),
                                          (lambda elf: elf[:18] + b"\x3e" + elf[19:], "machine 62; needed 2, 1, 8"),
                                          (lambda elf: elf[:5000], "one that ends before they do|ends before its program headers")])
def test_refused_by_the_disk_maker(tmp_path, change, line):
    (tmp_path / "bad.elf").write_bytes(change((TOP / "build/disco.elf").read_bytes()))
    done = subprocess.run([TOP / "tools/mkboot.py", tmp_path / "out.img", tmp_path / "bad.elf", TOP / "build/one.cpio", "one"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1 and re.search(line, done.stderr), done.stderr
    assert not (tmp_path / "out.img").exists()
