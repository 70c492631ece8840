#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a network between guests costs: TCP by size of message, with pages that are passed on against pages that are copied (off=remap),
against the loopback inside one guest, and files of an NFS server against a local disk. Counts are of the sender's and the receiver's
node, by who spends them, taken under the plugin, with images in the boot archive. Writes build/results/net.json.

usage: net.py [--times N]           N pairs of transfers are timed, too; 0: none
       net.py --profile UNIT        where the instructions go for a KB of it, by side, entry and function: file64k, nfs_read, ...
              --copied              the same with off=remap
              --behind UNITS        behind these units, not alone: nfs_read,nfs_write
              --in-turn             one processor after the other, not in step
       net.py --cycles UNIT         which cycles of the timing model a page of it takes, by side: instructions, and waits for memory;
              --copied, --loopback
"""
import argparse
import bisect
import collections
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
import bench  # noqa: E402
from machine import disk, net, vm, write_scenario  # noqa: E402

TOP, OUT = bench.TOP, bench.OUT
LIMIT = 900
SIZES = ("64", "256", "1k", "4k", "16k", "64k", "256k", "1m")
PACKETS = ("64", "256", "1k", "4k", "16k", "60k")
SENDER, PEER, STORM = 1, 2, 3  # nodes
LOOPBACK = 100


def units():
    """Those of netops.h: {name: (number, KB)}."""
    text = (TOP / "guests/linux/netops.h").read_text()
    return {name: (int(number), int(size) * int(times) / 1024)
            for number, name, size, times in re.findall(r"^UNIT\((\d+), (\w+), \w+, (\d+), (\d+)\)", text, re.M)}


def guest(label, node, program, words, image, in_archive):
    more = {"in_archive": True} if in_archive else {}
    return vm(label, ramdisk=None, memory=64, node=node,
              bootargs=f'console=hvc0 hostname={label} root=/dev/vda rw init=/init work=/dev/vdb {words} disco.run="netops {program}"',
              disk0=disk("disktest.img", **more), disk1=disk(image, **more), net0=net())


# Who has the processor: each in its turn until a timer is due, which on QEMU is long enough for a sender to fill all buffers; or all in step,
# by the scheduler of the timing model without its caches.
IN_TURN, IN_STEP, SIMULATED = ["-d"], ["-f", "cache=0"], ["-f", ""]


def run(name, program, off="", plugin=None, clock=(), storm=False):
    """Both guests, and a third one that storms, until they have ended; what they printed. off: what the monitor is to do without."""
    counted = plugin is not None
    guests = [guest("peer", PEER, "peer", "serve=/data", "bench/small.img", counted),
              guest("sender", SENDER, program, "nfs=peer", "bench/small.img", counted)]
    if storm:
        guests.append(guest("storm", STORM, "storm peer sender", "", "bench/small.img", counted))
    archive = write_scenario(OUT, guests, nodes=4, memory=512, name=f"net-{name}")
    without = ",".join(([bench.ONE_TEXT.removeprefix("off=")] if counted else []) + ([off] if off else []))
    words = (f"off={without} " if without else "") + "exit=1"
    command = ["qemu/run.sh", "-q", *clock, *(["-p", plugin] if counted else []), "-a", words, archive]
    with subprocess.Popen(list(map(str, command)), cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace") as qemu:
        try:
            said, _ = qemu.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            qemu.kill()
            said, _ = qemu.communicate()
    log = OUT / f"net-{name}.log"
    log.write_text(said)
    if said.count("disco.run: status 0") != len(guests):
        sys.exit(f"bench-net: {name} did not end well: see {log.relative_to(TOP)}")
    return said


def counts(name, off="", options=(), unit="", clock=IN_STEP):
    """The plugin's rows of all units, or of one."""
    print(f"bench-net: counting, {name} ...", file=sys.stderr, flush=True)
    out = OUT / f"net-{name}.json"
    elf = "build/disco.elf"
    run(name, f"count peer /mnt/file /data/file {unit}", off, f"build/count.so,out={out}," + ",".join(
        [*options, f"ebase={bench.symbol(elf, 'vectors')}", f"exit={bench.symbol(elf, 'guest_exit')}",
         f"exit={bench.symbol(elf, 'walk_fast')}"]), clock)
    return [json.loads(line) for line in out.read_text().splitlines()]


def by_unit(rows):
    """{(number, node): row}"""
    return {(row["unit"], row["cpu"]): row for row in rows if "unit" in row}


def per_kb(found, name, loop=False):
    """{who: instructions for a KB}, the guests' own and the monitor's on both nodes; and entries for 4 KB."""
    number, kb = units()[name]
    nodes = {"sender": SENDER} if loop else {"sender": SENDER, "receiver": PEER}
    rows = {where: found[number + (LOOPBACK if loop else 0), node] for where, node in nodes.items()}
    cost = {where: (row["insns"]["supervisor"] + row["insns"]["user"]) / kb for where, row in rows.items()}
    cost["monitor"] = sum(row["insns"]["kernel"] for row in rows.values()) / kb
    return cost, sum(bench.entries(row) for row in rows.values()) / (kb / 4)


def size_rows(rows, remap, copy):
    """Each size by remap and by copies: the crossing is where the former costs less from then on."""
    for how, sizes in (("send", SIZES), ("file", SIZES), ("packet", PACKETS)):
        cheaper = []
        for size in sizes:
            costs = {}
            for word, found in (("remap", remap), ("copy", copy)):
                cost, _ = per_kb(found, how + size)
                for part, value in cost.items():
                    rows.add(f"net.{how}{size}.{word}.{part}", value, "instructions/KB")
                costs[word] = sum(cost.values())
                rows.add(f"net.{how}{size}.{word}.insns_per_kb", costs[word], "instructions/KB")
            cheaper.append(costs["remap"] < costs["copy"])
        first = next((i for i in range(len(sizes)) if all(cheaper[i:])), None)
        rows.add(f"net.{how}.remap_from", None if first is None else sizes[first], "bytes")


def count_rows(rows):
    remap, copy = by_unit(counts("remap")), by_unit(counts("copy", "remap"))
    size_rows(rows, remap, copy)
    rows.add("net.stream.entries_per_page", per_kb(remap, "file64k")[1], "entries", per_kb(copy, "file64k")[1])
    for how in ("send", "file"):
        across, inside = sum(per_kb(remap, f"{how}64k")[0].values()), sum(per_kb(remap, f"{how}64k", True)[0].values())
        rows.add(f"net.{how}64k.loopback.insns_per_kb", inside, "instructions/KB")
        rows.add(f"net.tcp.{how}.insns_vs_loopback", inside / across, "of loopback")
    for name in ("ask1", "ask4k"):
        times = units()[name][1] * 1024 / {"ask1": 1, "ask4k": 4096}[name]
        for loop, where in ((False, "remote"), (True, "loopback")):
            cost = sum(per_kb(remap, name, loop)[0].values()) * units()[name][1] / times
            rows.add(f"net.{name}.{where}.insns", cost, "instructions")
    for what in ("read", "write"):
        for name in (f"nfs_{what}", f"disk_{what}"):
            for part, value in per_kb(remap, name)[0].items():
                rows.add(f"net.{name}.{part}", value, "instructions/KB")
            rows.add(f"net.{name}.insns_per_kb", sum(per_kb(remap, name)[0].values()), "instructions/KB",
                     sum(per_kb(copy, name)[0].values()))
    rows.add("net.nfs_read.entries_per_page", per_kb(remap, "nfs_read")[1], "entries", per_kb(copy, "nfs_read")[1])


def times(name, rounds, clock=(), storm=False):
    """{(unit, remote or loopback): [ns of each round]}, each of so many bytes."""
    found, sizes = collections.defaultdict(list), {}
    said = run(name, f"time peer {rounds}{' storm' if storm else ''}", clock=clock, storm=storm)
    for where, unit, ns, size in re.findall(r"netops: (\w+) (\w+) (\d+) ns, (\d+) bytes", said):
        found[unit, where].append(int(ns))
        sizes[unit] = int(size)
    return found, sizes


def time_rows(rows, rounds):
    """By the host's clock: it plays all processors in turn."""
    if not rounds:
        return
    print("bench-net: timing ...", file=sys.stderr, flush=True)
    found, sizes = times("time", rounds)
    for name in ("send64k", "file64k"):
        pairs = list(zip(found[name, "remote"], found[name, "loopback"]))
        speed = {where: sizes[name] / statistics.median(found[name, where]) * 1e9 / 2**20 for where in ("remote", "loopback")}
        rows.add(f"net.tcp.{name}.mb_per_s", speed["remote"], "MB/s", speed["loopback"])
        rows.add(f"net.tcp.{name}.host_vs_loopback", statistics.median(loopback / remote for remote, loopback in pairs), "of loopback")


def simulated_rows(rows):
    """By the clock of the timing model, in which each guest has a processor of its own; and what is left of it beside a third guest that
    sends both of them all that it can."""
    print("bench-net: simulating ...", file=sys.stderr, flush=True)
    found, sizes = times("simulated", 1, SIMULATED)
    beside, _ = times("storm", 1, SIMULATED, storm=True)
    for name in ("send64k", "file64k", "ask1"):
        rows.add(f"net.storm.{name}.left", found[name, "remote"][0] / beside[name, "remote"][0], "of calm",
                 found[name, "loopback"][0] / beside[name, "loopback"][0])
    for name in ("send64k", "file64k"):
        remote, loopback = found[name, "remote"][0], found[name, "loopback"][0]
        rows.add(f"net.tcp.{name}.simulated_mb_per_s", sizes[name] / remote * 1e9 / 2**20, "MB/s", sizes[name] / loopback * 1e9 / 2**20)
        rows.add("net.tcp.vs_loopback" if name == "file64k" else f"net.tcp.{name}.vs_loopback", loopback / remote, "of loopback")
    for name, size in (("ask1", 1), ("ask4k", 4096)):
        remote, loopback = (found[name, where][0] / (sizes[name] / size) for where in ("remote", "loopback"))
        rows.add(f"net.{name}.simulated_ns", remote, "ns", loopback)


def symbols_of(elf):
    """Addresses in order, and the function that is at each."""
    text = subprocess.run([bench.CROSS + "nm", "-n", elf], cwd=TOP, check=True, stdout=subprocess.PIPE, text=True).stdout
    found = [(int(at, 16), word) for at, word in re.findall(r"^(\w+) [tT] (\S+)$", text, re.M)]
    return [at for at, _ in found], [word for _, word in found]


def function_at(symbols, address):
    places, words = symbols
    place = bisect.bisect(places, address)
    return words[place - 1] if place and address >= places[0] else "user"


def print_spent(spent, kb, least):
    for words, insns in spent.most_common():
        if insns / kb >= least:
            print(f"{insns / kb:10.1f} {words}")


def profile(name, off, clock, behind):
    """By side: entries with what the guest was doing, then where the instructions of the monitor and of the guest's kernel go."""
    number, kb = units()[name]
    rows = counts("profile", off, [f"unit={number}"], f"{behind.replace(',', ' ')} {name}", clock)
    monitor, kernel = symbols_of("build/disco.elf"), symbols_of("build/linux/vmlinux")
    for side, cpu in (("sender", SENDER), ("receiver", PEER)):
        paths, insns, spent = collections.Counter(), collections.Counter(), collections.Counter()
        for row in rows:
            if row.get("cpu") != cpu:
                continue
            if "path" in row:
                cause = row["path"] + " in " + function_at(kernel, row["from"])
                paths[cause] += row["paths"]
                insns[cause] += row["insns"]
            elif "runs" in row:
                who, at = ("monitor", monitor) if "pc" in row else ("guest", kernel)
                spent[who + " " + function_at(at, row.get("pc", row.get("guest_pc")))] += row["runs"]
        print(f"\n{side}: {sum(n for cause, n in paths.items() if ' hit' not in cause) / kb * 4:.3f} entries a page")
        for cause, n in insns.most_common():
            if n / kb >= 1:
                print(f"{n / kb:10.1f} in {paths[cause] / kb * 4:7.3f} a page x {cause}")
        for who in ("monitor", "guest"):
            print(f"{sum(n for words, n in spent.items() if words.startswith(who)) / kb:10.1f} {who}, all")
        print_spent(spent, kb, 5)


def print_side(side, row, pages):
    """A processor's part of the region; what an entry has touched: second-level hits, misses and upgrades, local and remote, by kind."""
    part = {f"{who}, {what}": row[of][who] for who in ("user", "kernel", "monitor") for what, of in (("instructions", "insns"), ("memory", "stall_by"))}
    print(f"\n{side}: {row['cycles'] / pages:.0f} cycles a page, of these idle {row['idle'] / pages:.0f}")
    print("".join(f"{cycles / pages:10.0f} {what}\n" for what, cycles in part.items()), end="")
    misses = {f"{what}, {where}": row[of][where] for what, of in (("misses", "data_misses"), ("upgrades", "upgrades")) for where in ("local", "remote")}
    print("".join(f"{count / pages:10.2f} {what}\n" for what, count in misses.items()), end="")
    for cause, (times, cycles) in sorted(row["entries"].items(), key=lambda entry: -entry[1][1]):
        if cycles / pages < 50:
            continue
        print(f"{cycles / pages:10.0f} in {times / pages:6.3f} entries of {cycles / times:.0f}: {cause}; memory: "
              + ", ".join(f"{kind} {touched[5] / pages:.0f}" for kind, touched in row["touched"].get(cause, {}).items() if touched[5] / pages >= 10))


def cycles(name, off, loop):
    number, kb = units()[name]
    out = OUT / "net-cycles.json"
    run("cycles", f"count peer /mnt/file /data/file {name}", off, clock=["-f", f"out={out},unit={number + (LOOPBACK if loop else 0)}"])
    rows = json.loads(out.read_text())["processors"]
    for side, node in (("sender", SENDER), ("receiver", PEER))[:1 if loop else 2]:
        print_side(side, rows[node], kb / 4)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--profile", choices=units(), metavar="UNIT")
    parser.add_argument("--cycles", choices=units(), metavar="UNIT")
    parser.add_argument("--loopback", action="store_true")
    parser.add_argument("--copied", action="store_true")
    parser.add_argument("--behind", default="", metavar="UNITS")
    parser.add_argument("--in-turn", action="store_true")
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    off = "remap" if options.copied else ""
    if options.cycles:
        cycles(options.cycles, off, options.loopback)
        return
    if options.profile:
        profile(options.profile, off, IN_TURN if options.in_turn else IN_STEP, options.behind)
        return
    rows = bench.Rows()
    count_rows(rows)
    simulated_rows(rows)
    time_rows(rows, options.times)
    bench.print_rows(rows, "against", 40)
    bench.write_rows(rows, "net")


if __name__ == "__main__":
    main()
