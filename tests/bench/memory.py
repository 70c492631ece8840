#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The paper's figure of memory: 1, 2, 4 and 8 guests that run Pmake from one disk; what they would use each for itself, what the machine
uses for all of them, and one bare kernel. Looked at when all have ended and lie idle. Writes build/results/memory.json.

usage: memory.py [--guests 1,2,4,8] [--jobs 2]
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
MEMORY = 48  # MB of each guest, and of the bare machine
LIMIT = 900  # seconds for Pmake in all guests
SETTLE = 6  # seconds in which guests report the pages that they do not need


def boot_words(jobs):
    return f'root=/dev/vda rw init=/init disco.run="pmake {jobs}"'


def kilobytes(pattern, text):
    return sum(map(int, re.findall(pattern, text)))


def measure(count, jobs, sums):
    """MB by name for so many guests."""
    print(f"bench-memory: Pmake in {count} guests ...", file=sys.stderr, flush=True)
    names = [f"vm{i + 1}" for i in range(count)]
    guests = [vm(name, ramdisk=None, memory=MEMORY, node=i, bootargs=f"console=hvc0 hostname={name} {boot_words(jobs)}", disk0=disk(IMAGE))
              for i, name in enumerate(names)]
    one = Machine(f"bench-memory-{count}", write_scenario(OUT, guests, nodes=8, memory=1024, name=f"memory-{count}"))
    try:
        found = one.expect_all([rf"\[{name}\] pmake: sum (\w{{32}}), " for name in names], LIMIT)
        sums.update(match[1] for match in found)
        time.sleep(SETTLE)
        one.send("\r")
        one.expect(re.escape(PROMPT))
        mem, disks = "\n".join(one.command("mem")), "\n".join(one.command("disks"))
        (OUT / f"memory-{count}.log").write_text(mem + "\n" + disks + "\n")
        one.quit()
    finally:
        one.kill()
    monitor = kilobytes(r"monitor (\d+) KB", mem)
    return {name: kb / 1024 for name, kb in {
        "virtual": kilobytes(r" has \d+ KB, uses (\d+) KB", mem) + monitor,
        "machine": kilobytes(r"guests use (\d+) KB", mem) + monitor,
        "private": kilobytes(r"private (\d+) KB", mem),
        "cache": kilobytes(r"image \S+: (\d+) KB in memory", disks),
        "monitor": monitor,
    }.items()}


def bare(jobs, sums):
    """MB that the bare kernel uses after the same."""
    print("bench-memory: Pmake on the bare machine ...", file=sys.stderr, flush=True)
    words = ["qemu/run.sh", "-q", "-k", "build/linux-bare/vmlinux", "-n", "1", "-m", str(MEMORY), "-a", "console=ttyS0 " + boot_words(jobs),
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--guests", default="1,2,4,8")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    rows, sums = bench.Rows(), set()
    alone = bare(options.jobs, sums)
    rows.add("memory.bare", alone, "MB")
    for count in map(int, options.guests.split(",")):
        found = measure(count, options.jobs, sums)
        for name, value in found.items():
            rows.add(f"memory.vms{count}.{name}", value, "MB")
        rows.add(f"memory.vms{count}.saved_pct", 100 * (1 - found["machine"] / found["virtual"]), "%")
        rows.add(f"memory.vms{count}.vs_bare", found["machine"] / alone, "of bare")
    if len(sums) != 1:
        sys.exit(f"bench-memory: Pmake made different files: {sums}")
    bench.print_rows(rows)
    out = TOP / "build/results/memory.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(rows, indent=1) + "\n")
    print(f"\n{out.relative_to(TOP)}: {len(rows)} rows")


if __name__ == "__main__":
    main()
