#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The paper's figure of memory: eight Pmakes from one disk, in 1, 2, 4 and 8 guests that have 8/N processors and 256/N MB each; what they
would use each for itself, what the machine uses for all of them, and one bare kernel with 256 MB that runs the same eight. Looked at when
all have ended and lie idle. Writes build/results/memory.json.

usage: memory.py [--guests 1,2,4,8] [--jobs 2] [--variants share,report]
--variants: what the largest number of guests uses without sharing, without page reporting (off= of the monitor)
"""
import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
import bench  # noqa: E402
from machine import PROMPT, Machine, disk, vm, write_scenario  # noqa: E402

TOP, OUT = bench.TOP, bench.OUT
IMAGE = TOP / "build/pmake.img"
PMAKES = 8  # in all guests together
NODES = 8
MEMORY = 256  # MB of all guests together, and of the bare machine
MACHINE = 512  # MB
MOVABLE = "movablecore=50%"  # what can be shared lies apart from what the kernel has for itself
LIMIT = 1500  # seconds for Pmake in all guests
SETTLE = 15  # seconds in which guests report the pages that they do not need


def boot_words(jobs, count):
    return f'root=/dev/vda rw init=/init disco.run="pmake {jobs} {count}"'


def guest(index, count, jobs):
    """One of count guests, which have the nodes in turn."""
    vcpus = NODES // count
    name = f"vm{index + 1}"
    return vm(name, ramdisk=None, memory=MEMORY // count, vcpus=vcpus, node=[index * vcpus + i for i in range(vcpus)],
              bootargs=f"console=hvc0 hostname={name} {boot_words(jobs, PMAKES // count)}", disk0=disk(IMAGE))


def kilobytes(pattern, text):
    return sum(map(int, re.findall(pattern, text)))


def measure(count, jobs, sums, without=None):
    """MB by name for so many guests."""
    print(f"bench-memory: Pmake in {count} guests{f', off={without}' if without else ''} ...", file=sys.stderr, flush=True)
    name = f"memory-{count}{f'-{without}' if without else ''}"
    guests = [guest(i, count, jobs) for i in range(count)]
    one = Machine(f"bench-{name}", write_scenario(OUT, guests, nodes=NODES, memory=MACHINE, name=name), words=f"off={without}" if without else "")
    try:
        found = one.expect_all([rf"\[{one_guest['label']}\] pmake: sum (\w{{32}}), " for one_guest in guests], LIMIT)
        sums.update(match[1] for match in found)
        time.sleep(SETTLE)
        one.send("\r")
        one.expect(re.escape(PROMPT))
        mem, disks = "\n".join(one.command("mem")), "\n".join(one.command("disks"))
        (OUT / f"{name}.log").write_text(mem + "\n" + disks + "\n")
        one.quit()
    finally:
        one.kill()
    monitor, kernel = kilobytes(r"(?m)^monitor (\d+) KB", mem), kilobytes(r"kernel images and ramdisks (\d+) KB", mem)
    return {part: kb / 1024 for part, kb in {
        "virtual": kilobytes(r" has \d+ KB, uses (\d+) KB", mem) + monitor - kernel,
        "virtual.kernel": kilobytes(r"of the shared (\d+) KB", mem),
        "virtual.cache": kilobytes(r"of these shared (\d+) KB", mem) - kilobytes(r"of the shared (\d+) KB", mem),
        "machine": kilobytes(r"guests use (\d+) KB", mem) + monitor,
        "machine.kernel": kernel,
        "machine.cache": kilobytes(r"what knows them (\d+) KB", mem),
        "machine.written": kilobytes(r"modified (\d+) KB", disks),
        "private": kilobytes(r"private (\d+) KB; replicas", mem),
        "monitor": monitor - kernel,
    }.items()}


def bare(jobs, sums, count):
    """MB that the bare kernel uses after so many Pmakes at once."""
    print(f"bench-memory: {count} Pmakes on the bare machine ...", file=sys.stderr, flush=True)
    words = ["qemu/run.sh", "-q", "-k", "build/linux-bare/vmlinux", "-n", "1", "-m", str(MEMORY), "-a", "console=ttyS0 " + boot_words(jobs, count),
             "--", "-drive", f"file={IMAGE},if=none,id=a,format=raw,snapshot=on", "-device", "virtio-blk-pci,drive=a,vectors=0"]
    with subprocess.Popen(words, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace") as qemu:
        for line in qemu.stdout:
            found = re.search(r"pmake: sum (\w{32}), MemFree: +(\d+) kB", line)
            if found or "Kernel panic" in line or "disco.run: status" in line:
                break
        qemu.kill()
    if not found:
        sys.exit("bench-memory: the bare kernel did not end Pmake")
    sums.add(found[1])
    return MEMORY - int(found[2]) / 1024


FORKED = ("fork_exit", "fork_exec", "pipe", "anon_fault")  # of the units of unitops.h


def after_reading(words):
    """The units' counts in a guest that booted from a shared disk and has read 30 MB of it, with these words for its kernel."""
    guests = [vm("bench", ramdisk=None, memory=64, node=2, bootargs=f"root=/dev/vda init=/bench read=30 {words}",
                 disk0=disk("bench/root.img", in_archive=True))]
    write_scenario(OUT, guests, nodes=4, memory=512, name="shared")
    return bench.counted("shared")[0]


def fork_rows(rows):
    """What sharing costs the kernel's large pages: units of such a guest against one without a disk."""
    alone = bench.counted("guest")[0]
    numbers = {name: number for number, (name, _) in bench.units().items()}
    for row, words in (("memory", ""), ("memory.movable", MOVABLE)):
        found = after_reading(words)
        for name in FORKED:
            rows.add(f"{row}.{name}.ratio", bench.instructions(found[numbers[name]]) / bench.instructions(alone[numbers[name]]),
                     "of a guest without a disk")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--guests", default="1,2,4,8")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--variants", default="share,report")
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    rows, sums = bench.Rows(), set()
    fork_rows(rows)
    alone = bare(options.jobs, sums, PMAKES)
    rows.add("memory.bare", alone, "MB")
    rows.add("memory.bare_one", bare(options.jobs, sums, 1), "MB")
    counts = [int(count) for count in options.guests.split(",")]
    runs = [(count, None) for count in counts] + [(max(counts), without) for without in options.variants.split(",") if without]
    for count, without in runs:
        found = measure(count, options.jobs, sums, without)
        row = f"memory.vms{count}{f'.without_{without}' if without else ''}"
        for name, value in found.items():
            rows.add(f"{row}.{name}", value, "MB")
        rows.add(f"{row}.saved_pct", 100 * (1 - found["machine"] / found["virtual"]), "%")
        rows.add(f"{row}.vs_bare", found["machine"] / alone, "of bare")
    if len(sums) != 1:
        sys.exit(f"bench-memory: Pmake made different files: {sums}")
    bench.print_rows(rows)
    out = TOP / "build/results/memory.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(rows, indent=1) + "\n")
    print(f"\n{out.relative_to(TOP)}: {len(rows)} rows")


if __name__ == "__main__":
    main()
