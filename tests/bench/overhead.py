#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What virtualization costs four workloads (guests/workloads), in the form of the paper's tables.

Each workload runs on the bare machine and under the monitor (1 VM, 1 VCPU), with equal memory. Twice: once under the counting
plugin, for the split of instructions into user, guest kernel and monitor; and in pairs without it, for the ratio of wall-clock times. The unit operations (bench.py) give the table of kernel services. Writes
build/results/overhead.json. Instructions of processors that do not run the guest are not counted.

usage: overhead.py [--only NAME[,NAME]] [--pairs N] [--skip-services]      (--pairs 0: no wall-clock times)
"""
import argparse
import json
import re
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import bench  # pylint: disable=wrong-import-position

TOP = bench.TOP
OUT = TOP / "build/overhead"
LIMIT = 900  # seconds for one run of QEMU

# Workload: unit of its markers, target in per cent, the paper's % of bare: user, kernel, Disco, idle (bare; then Disco's). All
# from a figure, about +-0.5 (docs/experiments/instructions.md).
WORKLOADS = {
    "pmake": (64, 106, (49.5, 18.7, 0, 31.6), (50.3, 16.2, 24.0, 24.9), 116),
    "engineering": (65, 102, (93.8, 5.9, 0, 0), (94.5, 1.2, 9.7, 0), 106),
    "raytrace": (66, 101.5, (96.3, 3.4, 0, 0), (95.9, 0.8, 6.1, 0), 103),
    "database": (67, 103, (86.2, 13.6, 0, 0), (87.7, 3.0, 25.3, 0), 116),
}

# Unit operation: the paper's nearest kernel service and its slowdown there; our targets: entries, ratio of instructions.
SERVICES = {
    "null_syscall": (None, None, 2.0, 1.6),
    "clock_gettime": (None, None, None, None),
    "pipe": (None, None, None, None),
    "ping_pong": (None, None, None, None),
    "anon_fault": ("DEMAND_ZERO", 1.42, 3, 1.4),
    "touch": ("UTLB_MISS", 1.35, 0.5, None),
    "munmap1000": (None, None, None, None),
    "mprotect": (None, None, None, None),
    "fork_exit": (None, None, None, None),
    "fork_exec": (None, None, 35, None),
    "tmpfs_write": ("write", 2.14, None, None),
    "tmpfs_read": ("read", 1.53, None, None),
    "tick": (None, None, 3, None),
    "open": ("open", 1.63, None, None),
    "quick_fault": ("QUICK_FAULT", 3.17, 3, None),
    "execve": ("execve", 1.60, None, None),
}

INSTRUCTIONS = {"insns.l2tlb_hit": 25, "insns.deliver": 50, "insns.eret": 45}


def say(text):
    print(f"overhead: {text}", file=sys.stderr, flush=True)


def command(side, workload, plugin=None):
    words = ["qemu/run.sh", "-q"] + (["-p", plugin] if plugin else [])
    if side == "bare":
        return words + ["-k", "build/linux-bare/vmlinux", "-n", "1", "-m", "256", "-a",
                        f'console=ttyS0 disco.run="workload {workload}"', "--", "-initrd", "build/work.cpio"]
    return words + (["-a", bench.ONE_TEXT] if plugin else []) + [f"build/overhead/{workload}.cpio"]


def run(side, workload, plugin=None):
    """One run: (seconds between the workload's begin and its end, checksum)."""
    log = OUT / f"{workload}-{side}{'-counted' if plugin else ''}.log"
    marks = {}
    with open(log, "wb") as sink, subprocess.Popen(command(side, workload, plugin), cwd=TOP, stdin=subprocess.DEVNULL,
                                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as qemu:
        watchdog = threading.Timer(LIMIT, qemu.kill)
        watchdog.start()
        for raw in qemu.stdout:
            now = time.monotonic()
            sink.write(raw)
            line = raw.decode(errors="replace")
            found = re.search(rf"workload: {workload} (begin|end|sum (\w+))", line)
            if found:
                marks[found.group(1).split()[0]] = found.group(2) or now
            if re.search(r"vm: \S+ (powered off|killed)|Power down|Kernel panic|disco.run: status", line):
                time.sleep(0.5)
                qemu.terminate()
        try:
            qemu.wait(20)
        except subprocess.TimeoutExpired:
            qemu.kill()
        watchdog.cancel()
    if "sum" not in marks:
        sys.exit(f"overhead: {workload} ({side}) did not end well: see {log.relative_to(TOP)}")
    return marks["end"] - marks["begin"], marks["sum"]


def plugin_options(side, workload, out):
    options = [f"build/count.so,out={out}", f"unit={WORKLOADS[workload][0]}"]
    if side == "bare":
        return ",".join(options)
    options += ["ebase=" + bench.symbol("build/disco.elf", "vectors"), "exit=" + bench.symbol("build/disco.elf", "guest_exit"),
                "exit=" + bench.symbol("build/disco.elf", "walk_fast")]
    return ",".join(options)


def counted(side, workload):
    """({segment: instructions}, entries, [paths], checksum) of the workload on one side."""
    out = OUT / f"{workload}-{side}.json"
    say(f"counting {workload}, {side} ...")
    _, checksum = run(side, workload, plugin_options(side, workload, out))
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    units = [row for row in rows if row.get("unit") == WORKLOADS[workload][0]]
    if not units:
        sys.exit(f"overhead: {workload} ({side}): found no unit {WORKLOADS[workload][0]} in {out.relative_to(TOP)}")
    insns = units[0]["insns"]
    split = {"user": insns["user"], "kernel": insns["kernel"], "monitor": 0}
    if side == "disco":
        split.update(kernel=insns["supervisor"], monitor=insns["kernel"])
    return split, sum(units[0]["vectors"].values()), [row for row in rows if "path" in row], checksum


def wall(workload, pairs, checksum):
    """Median over pairs of runs of the ratio of wall-clock times, in per cent, with the bare seconds."""
    ratios, seconds = [], []
    for number in range(pairs):
        say(f"timing {workload}, pair {number + 1} of {pairs} ...")
        bare, bare_sum = run("bare", workload)
        ours, our_sum = run("disco", workload)
        if {bare_sum, our_sum} != {checksum}:
            sys.exit(f"overhead: {workload}: found checksums {bare_sum} (bare), {our_sum} (monitor), expected {checksum}")
        ratios.append(100 * ours / bare)
        seconds.append(bare)
    return statistics.median(ratios), statistics.median(seconds), min(ratios), max(ratios)


CAUSES = (
    (r"0x0[08]0 .* hit", "TLB misses, found in the L2TLB"),
    (r"0x0[08]0 (\w+)>\1", "TLB misses, walked or filled by the monitor"),
    (r"0x0[08]0 ", "TLB misses, delivered to the guest"),
    (r"0x180 syscall", "system calls, delivered"),
    (r"0x180 eret", "guest's ERET"),
    (r"0x180 hypcall (\d+)", "hypercall {}"),
    (r"0x180 (\w+) supervisor", "guest kernel's {}"),
    (r"0x180 fp ", "floating point, first use"),
    (r"0x180 (\w+) user>user", "user's {}, handled by the monitor"),
    (r"0x180 (\w+) user", "user's {}, delivered"),
    (r"0x200 \w+>supervisor|0x200 ", "interrupts"),
)


def cause_of(path):
    for pattern, words in CAUSES:
        found = re.match(pattern, path)
        if found:
            return words.format(*found.groups())
    return path


def print_breakdown(name, ours, bare, paths):
    """What the cost consists of: the guest kernel's own growth, and the monitor's instructions by cause of entry."""
    total = sum(bare.values())
    print(f"\n{name}: what it costs, in % of the bare machine's instructions")
    print(f"  {100 * (ours['kernel'] - bare['kernel']) / total:+8.2f}  guest kernel, beyond the bare kernel's")
    print(f"  {100 * (ours['user'] - bare['user']) / total:+8.2f}  user")
    causes = {}
    for path in paths:
        paths_, insns = causes.get(cause_of(path["path"]), (0, 0))
        causes[cause_of(path["path"])] = (paths_ + path["paths"], insns + path["insns"])
    for cause, (number, insns) in sorted(causes.items(), key=lambda item: -item[1][1])[:12]:
        print(f"  {100 * insns / total:+8.2f}  monitor: {cause}: {number} of {insns / number:.0f} instructions")
    rest = ours["monitor"] - sum(insns for _, insns in causes.values())
    print(f"  {100 * rest / total:+8.2f}  monitor: outside any entry from the guest")


def print_workloads(results):
    print("\nWorkloads, bare machine = 100. Ours: instructions; the paper: time, segments from its figure, about +-0.5.\n")
    print(f"{'':12s}{'bare':>22s}{'under the monitor':>36s}{'':>8s}{'wall':>8s}   {'the paper':>36s}")
    print(f"{'workload':12s}{'G insns':>8s}{'user':>7s}{'kernel':>7s}{'user':>9s}{'kernel':>7s}{'monitor':>8s}{'total':>8s}"
          f"{'target':>7s}{'':2s}{'':3s}{'clock':>8s}   {'user':>7s}{'kernel':>7s}{'Disco':>7s}{'idle':>7s}{'total':>7s}")
    for name, result in results.items():
        bare, ours, total = result["bare"], result["ours"], sum(result["bare"].values())
        percent = [100 * value / total for value in (bare["user"], bare["kernel"], ours["user"], ours["kernel"], ours["monitor"],
                                                     sum(ours.values()))]
        _, target, _, paper, paper_total = WORKLOADS[name]
        mark = " ok " if percent[5] <= target else "MISS"
        clock = f"{result['wall'][0]:.1f}" if result["wall"] else "-"
        print(f"{name:12s}{total / 1e9:8.2f}{percent[0]:7.1f}{percent[1]:7.1f}{percent[2]:9.1f}{percent[3]:7.1f}{percent[4]:8.1f}"
              f"{percent[5]:8.2f}{target:7g} {mark}{clock:>8s}   "
              + "".join(f"{value:7.1f}" for value in paper) + f"{paper_total:7d}")
    for name, result in results.items():
        if result["wall"]:
            median, seconds, low, high = result["wall"]
            print(f"{name}: wall clock {median:.1f} (pairs from {low:.1f} to {high:.1f}), bare {seconds:.1f} s")


def services(rows):
    """The table of kernel services, from bench.py's unit operations."""
    bench.OUT.mkdir(parents=True, exist_ok=True)
    bare, _ = bench.counted("bare")
    ours, paths = bench.counted("guest")
    print("\nKernel services: instructions against the bare kernel, entries to the monitor per operation.\n")
    print(f"{'operation':14s}{'bare':>9s}{'ours':>9s}{'ratio':>7s}{'target':>8s}{'entries':>9s}{'target':>8s}   the paper's nearest")
    for number, (name, ops) in bench.units().items():
        if name not in SERVICES:
            continue
        paper, slowdown, most_entries, most_ratio = SERVICES[name]
        plain, under = (bench.instructions(bench.without_waiting(counts[number], name)) / ops for counts in (bare, ours))
        entries = bench.entries(ours[number]) / ops
        print(f"{name:14s}{plain:9.0f}{under:9.0f}{under / plain:7.2f}{most_ratio or '-':>8}{entries:9.2f}{most_entries or '-':>8}"
              f"   {f'{paper} {slowdown}' if paper else ''}"
              f"{'  MISS' if most_entries and entries > most_entries + 0.1 or most_ratio and under / plain > most_ratio else ''}")
        rows.append({"name": f"{name}.entries", "value": entries, "unit": "entries", "bare": 0, "paper": None})
        rows.append({"name": f"{name}.ratio", "value": under / plain, "unit": "bare = 1", "bare": 1, "paper": slowdown})
    print("\nPaths through the monitor, median instructions:")
    for name, target in INSTRUCTIONS.items():
        value = bench.median(paths, bench.PATHS[name][1])
        print(f"{name:18s}{value if value is not None else 'none seen':>10} (target {target})")
        rows.append({"name": name, "value": value, "unit": "instructions", "bare": None, "paper": None})


def main():
    parser = argparse.ArgumentParser(usage=__doc__.splitlines()[-1].split(":", 1)[1].strip())
    parser.add_argument("--only", default=",".join(WORKLOADS))
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--skip-services", action="store_true")
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    results, rows = {}, []
    for name in options.only.split(","):
        bare, _, _, checksum = counted("bare", name)
        ours, entries, paths, our_checksum = counted("disco", name)
        if checksum != our_checksum:
            sys.exit(f"overhead: {name}: found checksum {our_checksum} under the monitor, {checksum} on the bare machine")
        results[name] = {"bare": bare, "ours": ours, "entries": entries, "paths": paths,
                         "wall": wall(name, options.pairs, checksum) if options.pairs else None}
        rows.append({"name": f"{name}.pct", "value": 100 * sum(ours.values()) / sum(bare.values()), "unit": "% of bare instructions",
                     "bare": 100, "paper": WORKLOADS[name][4]})
        for part in bare:
            rows.append({"name": f"{name}.{part}_pct", "value": 100 * ours[part] / sum(bare.values()),
                         "unit": "% of bare instructions", "bare": 100 * bare[part] / sum(bare.values()), "paper":
                         dict(zip(("user", "kernel", "monitor"), WORKLOADS[name][3]))[part]})
        if options.pairs:
            rows.append({"name": f"{name}.wall_pct", "value": results[name]["wall"][0], "unit": "% of bare seconds", "bare": 100,
                         "paper": WORKLOADS[name][4]})
    print_workloads(results)
    for name, result in results.items():
        print_breakdown(name, result["ours"], result["bare"], result["paths"])
    if not options.skip_services:
        services(rows)
    bench.write_rows(rows, "overhead")


if __name__ == "__main__":
    main()
