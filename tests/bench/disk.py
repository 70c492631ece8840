#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a disk costs a Linux guest: entries and instructions of a read that finds its blocks in memory, mapped against copied, by size; what
the second to the eighth guest of one image really read; times against the bare kernel on the same QEMU's device.

Counts are taken under the plugin, with images in the boot archive, and repeat; times in pairs, with images on the host.
Writes build/results/disk.json. usage: disk.py [--pairs N]      (--pairs 0: no times)
       disk.py --profile UNIT      where the monitor's instructions for one read go, by entry and by function; UNIT: read4k, map64k, ...
"""
import argparse
import bisect
import collections
import json
import random
import re
import statistics
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
import bench  # noqa: E402
from machine import ESCAPE, PROMPT, Machine, disk, vm, write_scenario  # noqa: E402

TOP, OUT = bench.TOP, bench.OUT
LIMIT = 300
SIZES = ("512", "4k", "16k", "64k", "256k", "1m")
GUESTS = 8


def units():
    """Those of diskops.h: {name: (number, bytes, reads or writes)}."""
    text = (TOP / "guests/linux/diskops.h").read_text()
    found = re.findall(r"^UNIT\((\d+), (\w+), (\d+), \d+, \d+, (\d+)\)", text, re.M)
    writes = re.findall(r"^WRITE\((\d+), (\w+), \d+, (\d+)\)", text, re.M)
    return {**{name: (int(number), int(size), int(reads)) for number, name, size, reads in found},
            **{name: (int(number), 4096, int(count)) for number, name, count in writes}}


def archive(mode, place):
    """The boot archive of tests/bench/disk.dts for one mode of diskops."""
    dts = OUT / f"disk-{mode}.dts"
    dts.write_text((TOP / "tests/bench/disk.dts").read_text().replace("MODE", mode).replace("PLACE", place))
    subprocess.run([TOP / "tools/mkimage.sh", dts, dts.with_suffix(".cpio")], check=True, cwd=TOP)
    return str(dts.with_suffix(".cpio"))


def run(words, name):
    """QEMU until the guest has ended; what it printed."""
    with subprocess.Popen(list(map(str, words)), cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace") as qemu:
        try:
            said, _ = qemu.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            qemu.kill()
            said, _ = qemu.communicate()
    (OUT / f"disk-{name}.log").write_text(said)
    if "disco.run: status 0" not in said:
        sys.exit(f"bench-disk: {name} did not end well: see {OUT.relative_to(TOP)}/disk-{name}.log")
    return said


INSTANT, CACHED = "in-archive;", "in-archive; seek-us = <1>;"


def count_run(options=(), place=INSTANT):
    """What the plugin says of all units. Blocks of an image that takes no time are its pages; of one that does they are in the cache."""
    print("bench-disk: counting ...", file=sys.stderr, flush=True)
    out = OUT / "disk-count.json"
    plugin = f"build/count.so,out={out}," + ",".join(
        list(options) +
        [f"ebase={bench.symbol('build/disco.elf', 'vectors')}", f"exit={bench.symbol('build/disco.elf', 'guest_exit')}",
         f"exit={bench.symbol('build/disco.elf', 'walk_fast')}"])
    run(["qemu/run.sh", "-q", "-p", plugin, "-a", bench.ONE_TEXT + " exit=1", "-d", archive("count", place)], "count")
    return [json.loads(line) for line in out.read_text().splitlines()]


def counted(place=INSTANT):
    """{name of a unit: its row of the plugin}."""
    rows = {row["unit"]: row for row in count_run(place=place) if "unit" in row}
    return {name: rows[number] for name, (number, _, _) in units().items()}


def by_function(rows):
    """Instructions of the monitor by the function that they are in."""
    text = subprocess.run([bench.CROSS + "nm", "-n", "build/disco.elf"], cwd=TOP, check=True, stdout=subprocess.PIPE, text=True).stdout
    symbols = [(int(at, 16), name) for at, name in re.findall(r"^(\w+) [tT] (\S+)$", text, re.M)]
    places, counts = [at for at, _ in symbols], collections.Counter()
    for row in rows:
        if "pc" in row:
            counts[symbols[bisect.bisect(places, row["pc"]) - 1][1]] += row["runs"]
    return counts


def profile(name):
    number, _, reads = units()[name]
    rows = count_run([f"unit={number}"])
    for row in sorted((row for row in rows if "path" in row), key=lambda row: -row["insns"]):
        print(f"{row['insns'] / reads:10.1f} in {row['paths'] / reads:7.3f} x {row['path']}")
    for function, insns in by_function(rows).most_common():
        print(f"{insns / reads:10.1f} {function}")


def count_rows(rows):
    found = counted()
    reads = {name: n for name, (_, _, n) in units().items()}
    rows.add("disk.read4k.entries", bench.entries(found["read4k"]) / reads["read4k"], "entries")
    rows.add("disk.read4k_queued.entries", bench.entries(found["read4k_queued"]) / reads["read4k_queued"], "entries")
    rows.add("disk.hit.insns", found["read4k"]["insns"]["kernel"] / reads["read4k"], "instructions")
    rows.add("disk.hit_cached.insns", counted(CACHED)["read4k"]["insns"]["kernel"] / reads["read4k"], "instructions")
    for kind in ("own", "alike"):
        rows.add(f"disk.write4k_{kind}.insns", found[f"write4k_{kind}"]["insns"]["kernel"] / reads[f"write4k_{kind}"], "instructions")
    crossing = None
    for size in SIZES:
        cost = {}
        for how in ("map", "copy"):
            number, length, n = units()[how + size]
            cost[how] = found[how + size]["insns"]["kernel"] / n / (length / 1024)
            rows.add(f"disk.{how}{size}.insns_per_kb", cost[how], "instructions")
        if crossing is None and cost["map"] < cost["copy"] and size != "512":
            crossing = units()["map" + size][1]
    rows.add("disk.map_from", crossing, "bytes")


def real_reads(one):
    return sum(map(int, re.findall(r", (\d+) real reads of", "\n".join(one.command("disks")))))


def boot_rows(rows):
    """The first guest boots; then the others, all at once."""
    print(f"bench-disk: booting {GUESTS} guests ...", file=sys.stderr, flush=True)
    names = [f"vm{i + 1}" for i in range(GUESTS)]
    image = TOP / "build/root.img"
    guests = [vm(name, ramdisk=None, memory=48, bootargs=f"console=hvc0 hostname={name} root=/dev/vda rw init=/init", manual=True,
                 disk0=disk(image)) for name in names]
    one = Machine("bench-disk", write_scenario(OUT, guests, nodes=8, memory=1024, name="disk-boot"))
    try:
        one.up()
        one.send("\r")
        one.expect(re.escape(PROMPT))
        reads = []
        for some in (names[:1], names[1:]):
            one.send("".join(f"start {name}\r" for name in some))
            one.expect_all([rf"\[{name}\] Enter 'help' for" for name in some], 240)
            # The boot is over when the shell answers. Linux reads the map of free blocks 0 to 5 s after it has mounted: a write, at once.
            one.send(f"attach {some[0]}\r\recho >/up; sync; echo $((6 * 7)) up\r")
            one.expect(r"42 up", 60)
            one.send(ESCAPE + ".")
            one.expect(re.escape(PROMPT))
            one.send("\r")
            one.expect(re.escape(PROMPT))
            reads.append(real_reads(one))
        one.quit()
    finally:
        one.kill()
    rows.add("disk.boot1.real_requests", reads[0], "requests")
    rows.add("disk.boot2to8.real_requests", reads[1] - reads[0], "requests")


def timed(said):
    return {(name, state): int(ns) / int(reads) for name, state, ns, reads
            in re.findall(r"diskops: (\w+) (cold|warm) (\d+) ns, (\d+) reads", said)}


def time_rows(rows, pairs):
    data, root = OUT / "data.img", TOP / "build/disktest.img"
    bare = ["qemu/run.sh", "-q", "-k", "build/linux-bare/vmlinux", "-n", "1", "-m", "64", "-a",
            'console=ttyS0 root=/dev/vda rw init=/init disco.run="diskops time /dev/vdb"', "--",
            "-drive", f"file={root},if=none,id=a,format=raw,snapshot=on", "-device", "virtio-blk-pci,drive=a,vectors=0",
            "-drive", f"file={data},if=none,id=b,format=raw,readonly=on", "-device", "virtio-blk-pci,drive=b,vectors=0"]
    guest = ["qemu/run.sh", "-q", "-a", "exit=1", archive("time", "")]
    found = []
    for pair in range(pairs):
        print(f"bench-disk: timing, pair {pair + 1} of {pairs} ...", file=sys.stderr, flush=True)
        found.append((timed(run(guest, "time")), timed(run(bare, "bare"))))
    for key in found[0][0] if found else ():
        ratios = [guest_ns[key] / bare_ns[key] for guest_ns, bare_ns in found]
        rows.add("disk.time.{}.{}".format(*key), statistics.median(ratios), "of bare",
                 statistics.median(bare_ns[key] for _, bare_ns in found))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=1)
    parser.add_argument("--profile", choices=units(), metavar="UNIT")
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "data.img").write_bytes(random.Random(1).randbytes(16 << 20))
    if options.profile:
        profile(options.profile)
        return
    rows = bench.Rows()
    count_rows(rows)
    boot_rows(rows)
    time_rows(rows, options.pairs)
    bench.print_rows(rows)
    bench.write_rows(rows, "disk")


if __name__ == "__main__":
    main()
