#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The paper's figure of memory: eight Pmakes from one disk, in 1, 2, 4 and 8 guests that have 8/N processors and 256/N MB each; what they
would use each for itself, what the machine uses for all of them, and one bare kernel with 256 MB that runs the same eight. Looked at when
all have ended and lie idle. And the paper's figure of NFS: seven guests of 32 MB make the same from the files of a server, and read one of
them. Writes build/results/memory.json.

usage: memory.py [--guests 1,2,4,8] [--jobs 2] [--variants share,report] [--only-nfs | --only-forks | --only-zero]
--variants: what the largest number of guests uses without sharing, without page reporting (off= of the monitor)
"""
import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "system")]
import bench  # noqa: E402
from linux_disks import ask  # noqa: E402
from machine import PROMPT, Machine, disk, net, vm, write_scenario  # noqa: E402

TOP, OUT = bench.TOP, bench.OUT
IMAGE = TOP / "build/pmake.img"
PMAKES = 8  # in all guests together
NODES = 8
MEMORY = 256  # MB of all guests together, and of the bare machine
MACHINE = 512  # MB
MOVABLE = "movablecore=50%"  # what can be shared lies apart from what the kernel has for itself
LIMIT = 1500  # seconds for Pmake in all guests
SERVER = 64  # MB of the server of files, beside clients of 32
FILE_KB = 32768  # what all clients read, each with twice as much memory
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
    return when_made(f"memory-{count}", [guest(i, count, jobs) for i in range(count)], sums, without)


def nfs_guests(words, server=SERVER, client=MEMORY // PMAKES):
    """A server, and clients with these words. What is made is the server's, on its disk. All on one node: one thread of the host plays
    all processors, so that who waits for another node's answer waits until each busy processor has had its turn."""
    def one(name, memory, more):
        return vm(name, ramdisk=None, memory=memory, node=1, disk0=disk(IMAGE), net0=net(),
                  bootargs=f"console=hvc0 hostname={name} root=/dev/vda rw init=/init {more}")
    return [one("server", server, "serve=/"),
            *(one(f"client{i}", client, f"nfs=server {words}") for i in range(1, PMAKES))]


def nfs_rows(jobs, sums, rows, variants):
    """A file that seven clients read: what the machine has of it; then Pmake from a server's files in all seven."""
    for without in (None, "remap") if variants else (None,):
        suffix = f".without_{without}" if without else ""
        rows.add(f"nfs.copies{suffix}", copies(without), "copies")
        found = when_made("memory-nfs", nfs_guests(f'disco.run="pmake {jobs} 1 /mnt"'), sums, without, ("server",), 2)
        for name, value in found.items():
            rows.add(f"memory.nfs8{suffix}.{name}", value, "MB")
        ports = (OUT / f"memory-nfs{f'-{without}' if without else ''}.log").read_text()
        rows.add(f"memory.nfs8{suffix}.requests", int(re.search(r"(?m)^server net0: .*\n.*\n  received (\d+) frames", ports)[1]), "frames")
        rows.add(f"memory.nfs8{suffix}.saved_pct", 100 * (1 - found["machine"] / found["virtual"]), "%")


def shared(one, guests):
    """KB of each of the guests that others have, too."""
    mem = "\n".join(one.command("mem"))
    return [kilobytes(rf"(?m)^{name} has .* of these shared (\d+) KB", mem) for name in guests]


def copies(without=None):
    """How often the machine has a file that a server wrote and seven clients have read: what of it is not shared by a client is a copy.
    A file before it gets the clients their buffers, which are shared, too, and some 460 KB of them not any more afterwards. What the guests
    use as a whole says less: they have free memory, which copies lie in."""
    print(f"bench-memory: a file in seven clients{f', off={without}' if without else ''} ...", file=sys.stderr, flush=True)
    guests = nfs_guests("", 96, 64)
    one = Machine("bench-nfs-copies", write_scenario(OUT, guests, nodes=2, memory=1024, name="nfs-copies"),
                  words=f"off={without}" if without else "")
    clients = [client["label"] for client in guests[1:]]
    try:
        one.expect_all([rf"\[{name}\] {name}: Linux [^\n]*shell after" for name in clients], LIMIT)
        one.send("\r")
        one.expect(re.escape(PROMPT))
        for name, kb in (("first", 2048), ("file", FILE_KB)):
            ask(one, "server", f"head -c {kb}k /dev/urandom >/{name}; sync", LIMIT)
            before = shared(one, clients)
            for client in clients:
                ask(one, client, f"cat /mnt/{name} >/dev/null", LIMIT)
        after = shared(one, clients)
        one.quit()
    finally:
        one.kill()
    return 1 + sum(max(0, FILE_KB - (now - then)) for now, then in zip(after, before)) / FILE_KB


def when_made(name, guests, sums, without=None, others=(), nodes=NODES):
    """MB by name when all guests have made Pmake, those of others aside."""
    print(f"bench-memory: Pmake in {name}{f', off={without}' if without else ''} ...", file=sys.stderr, flush=True)
    name += f"-{without}" if without else ""
    makers = [one_guest["label"] for one_guest in guests if one_guest["label"] not in others]
    one = Machine(f"bench-{name}", write_scenario(OUT, guests, nodes=nodes, memory=MACHINE, name=name), words=f"off={without}" if without else "")
    try:
        found = one.expect_all([rf"\[{label}\] pmake: sum (\w{{32}}), " for label in makers], LIMIT)
        sums.update(match[1] for match in found)
        time.sleep(SETTLE)
        one.send("\r")
        one.expect(re.escape(PROMPT))
        mem, disks, ports = ("\n".join(one.command(word)) for word in ("mem", "disks", "net"))
        (OUT / f"{name}.log").write_text(f"{mem}\n{disks}\n{ports}\n")
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
        # What `disks` says of each disk counts a block twice that two have alike; as machine pages each is there once.
        "machine.written": kilobytes(r"what knows them (\d+) KB", mem) - kilobytes(r"(?m)^image [^\n]*?: (\d+) KB in memory", disks),
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


def forked(name, **more):
    """The units' counts in a guest that runs them twice: [first pass, second pass]. more: what the guest has."""
    write_scenario(OUT, [vm("bench", memory=64, node=2, **more)], nodes=4, memory=512, name=name)
    return bench.counted_passes(name)[0]


def after_reading(words):
    """The same in a guest that booted from a shared disk and has read 30 MB of it, with these words for its kernel."""
    return forked("shared", ramdisk=None, bootargs=f"root=/dev/vda init=/bench units=twice read=30 {words}",
                  disk0=disk("bench/root.img", in_archive=True))


def fork_rows(rows):
    """What sharing costs the kernel's large pages: units of such a guest against one without a disk. The first pass uses memory for the
    first time, in a guest with a disk more of it: the guest without one had its root's files there."""
    alone = forked("alone", ramdisk="bench-root.cpio", bootargs="rdinit=/bench units=twice")
    numbers = {name: number for number, (name, _) in bench.units().items()}
    for row, words in (("memory", ""), ("memory.movable", MOVABLE)):
        found = after_reading(words)
        for name in FORKED:
            for when, ours, other in zip(("", ".again"), found, alone):
                rows.add(f"{row}.{name}{when}.ratio", bench.instructions(ours[numbers[name]]) / bench.instructions(other[numbers[name]]),
                         "of a guest without a disk")


ZERO = {80: "read", 81: "read_again", 82: "read_write", 83: "write", 84: "write_after_read"}  # units of thin_zero.c
ZERO_PAGES = {84: 256}  # of these; 4096 in the others


def zero_units(where, words):
    """Instructions for a page of each unit, program and monitor, of a thin guest whose memory is given in blocks or page by page."""
    out = OUT / f"zero-{where}.json"
    out.unlink(missing_ok=True)
    nodes = [0, 1] if where == "pages" else [1]
    archive = write_scenario(OUT, [vm("w", "thin/zero.elf", None, 64, vcpus=len(nodes), node=nodes)], nodes=2, memory=256, name=f"zero-{where}")
    with open(OUT / "zero.log", "wb") as log:
        subprocess.run(["timeout", "-k", "5", "600", "qemu/run.sh", "-q", "-f", f"out={out}", "-a", f"exit=1 {words}", str(archive)], cwd=TOP,
                       stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False)
    if "zero: done" not in (OUT / "zero.log").read_text(errors="replace") or not out.exists():
        sys.exit("bench-memory: the guest that reads zeroes did not end well: see build/bench/zero.log")
    return {unit["unit"]: sum(unit["insns"].values()) / ZERO_PAGES.get(unit["unit"], 4096) for unit in json.loads(out.read_text())["units"]}


def zero_rows(rows):
    """What it costs to use memory for the first time by what is done with it first; in the column beside it, without zero pages."""
    for where, words in (("blocks", "policy=none"), ("pages", "policy=first-touch")):
        found, given = (zero_units(where, words + off) for off in ("", " off=zero"))
        for number, name in ZERO.items():
            rows.add(f"memory.zero.{where}.{name}.insns", found[number], "instructions a page", given[number])


def vms_rows(options, sums, rows):
    """The figure: each number of guests, and the largest without what is to be done without, against one bare kernel."""
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--guests", default="1,2,4,8")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--variants", default="share,report")
    parser.add_argument("--only-nfs", action="store_true")
    parser.add_argument("--only-forks", action="store_true")
    parser.add_argument("--only-zero", action="store_true")
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    rows, sums = bench.Rows(), set()
    some = options.only_nfs or options.only_forks or options.only_zero
    if options.only_zero or not some:
        zero_rows(rows)
    if options.only_forks or not some:
        fork_rows(rows)
    if not some:
        vms_rows(options, sums, rows)
    if options.only_nfs or not some:
        nfs_rows(options.jobs, sums, rows, options.variants)
    if len(sums) > 1:
        sys.exit(f"bench-memory: Pmake made different files: {sums}")
    bench.print_rows(rows)
    bench.write_rows(rows, "memory", keep=some)


if __name__ == "__main__":
    main()
