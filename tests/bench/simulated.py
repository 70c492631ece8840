#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What virtualization costs in simulated time, on the paper's machine (qemu/flash, preset=paper), bare and in one VM with one VCPU.

workloads: the four of guests/workloads, as the paper's stacked bars: user, kernel, monitor, stall in each, idle; and Pmake once more with its
sources on a disk (pmake_disk), each request of which takes SEEK_US: of the bare kernel's null_blk, which keeps them in memory, and of the monitor's
modelled disk, one at a time on both. Start n of a workload begins n
times 300 cycles later, against the timer's ticks, than start 0; both sides of a start are compared. The first start is run once more, and
must be equal to the last bit.
services: the unit operations (guests/linux/unitops.c) as the paper's table of kernel services.
Writes build/results/time.json, rows of the other one are kept, and a figure, build/results/time.svg.

usage: simulated.py workloads|services [--only NAME[,NAME]] [--starts N] [--jobs N] [--quick] [--model OPTIONS] [--words WORDS]
--quick: one start, and none again, of Pmake alone unless --only says others; --model: more options of qemu/flash; --words: of the monitor, e.g. off=renew
"""
import argparse
import concurrent.futures
import json
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import bench  # pylint: disable=wrong-import-position
import bars  # pylint: disable=wrong-import-position

TOP = bench.TOP
OUT = TOP / "build/bench/simulated"
RESULTS = TOP / "build/results"
LIMIT = 1800  # seconds for one run
SKEW = 300  # cycles
# A request of the disk of pmake_disk: a seek and half a turn of a disk of the paper's time.
SEEK_US = 10000

# Unit of its markers, goal, and the paper's % of bare: user, kernel, Disco, idle; bare, then under Disco. From its figure, about +-0.5.
WORKLOADS = {
    "pmake": (64, 106, (49.5, 18.7, 0, 31.6), (50.3, 16.2, 24.0, 24.9)),
    "pmake_disk": (64, 106, (49.5, 18.7, 0, 31.6), (50.3, 16.2, 24.0, 24.9)),
    "engineering": (65, 103, (93.8, 5.9, 0, 0), (94.5, 1.2, 9.7, 0)),
    "raytrace": (66, 101.5, (96.3, 3.4, 0, 0), (95.9, 0.8, 6.1, 0)),
    "database": (67, 104, (86.2, 13.6, 0, 0), (87.7, 3.0, 25.3, 0)),
}

# The paper's service, and its split: slowdown; kernel, TLB-write emulation, other privileged instructions, monitor calls and page faults, TLB
# misses of the kernel; all in parts of the bare service's time.
SERVICES = {
    "anon_fault": ("DEMAND_ZERO", 1.42, (0.43, 0.21, 0.16, 0.47, 0.16)),
    "quick_fault": ("QUICK_FAULT", 3.17, (1.27, 0.80, 0.56, 0.00, 0.53)),
    "open": ("open", 1.63, (1.16, 0.08, 0.06, 0.02, 0.30)),
    "touch": ("UTLB_MISS", 1.35, (0.07, 1.22, 0.05, 0.00, 0.02)),
    "tmpfs_write": ("write", 2.14, (1.01, 0.24, 0.21, 0.31, 0.17)),
    "tmpfs_read": ("read", 1.53, (1.10, 0.13, 0.09, 0.01, 0.20)),
    "execve": ("execve", 1.60, (0.97, 0.03, 0.05, 0.17, 0.40)),
}
WORST = 1.6
# Which of the paper's columns the time of an entry belongs to. TLB misses of user programs are what TLB writes of the guest kernel were in
# the paper: the monitor fills its TLB from the guest's tables.
COLUMNS = ("kernel", "TLB writes", "privileged", "calls, faults", "kernel misses")
COLUMN_OF = {"user_miss": 1, "fetch_miss": 1, "tlb": 1, "privileged": 2, "eret": 2, "syscall": 2, "interrupt": 2, "other": 2, "call": 3,
             "fault": 3, "kernel_miss": 4}


def say(text):
    print(f"simulated: {text}", file=sys.stderr, flush=True)


class Run:
    """One run of QEMU: workload or "services", side "bare" or "disco"; result: the model's."""

    def __init__(self, what, side, start, options, again=False):
        self.what, self.side, self.start, self.options, self.again = what, side, start, options, again
        self.result = self.sum = None

    def __str__(self):
        return f"{self.what}, {self.side}, start {self.start}{' again' if self.again else ''}"

    def command(self, out):
        unit = WORKLOADS[self.what][0] if self.what in WORKLOADS else 0
        model = f"preset=paper,out={out},skew={SKEW * self.start}" + (f",unit={unit}" if unit else "")
        words = ["timeout", "-k", "5", str(LIMIT), "qemu/run.sh", "-q", "-f", model + (f",{self.options.model}" if self.options.model else "")]
        if self.side == "disco":
            archive = f"build/overhead/{self.what}.cpio" if unit else "build/bench/guest.cpio"
            return words + ["-a", f"exit=1 {self.options.words}", archive]
        boot, root = (f'disco.run="workload {self.what} {SEEK_US}"', "work.cpio") if unit else ("rdinit=/bench", "bench-root.cpio")
        if self.what == "pmake_disk":
            root = "work-disk.cpio"
        return words + ["-k", "build/linux-bare/vmlinux", "-n", "1", "-m", "256", "-a", f"console=ttyS0 {boot}", "--", "-initrd", f"build/{root}"]

    def run(self):
        say(f"{self} ...")
        name = f"{self.what}-{self.side}-{self.start}{'-again' if self.again else ''}"
        out, log = OUT / f"{name}.json", OUT / f"{name}.log"
        with open(log, "wb") as sink:
            subprocess.run(self.command(out), cwd=TOP, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, check=False)
        found = re.search(rf"workload: {self.what} sum (\w+)|unitops: (done)", log.read_text(errors="replace"))
        if not found:
            sys.exit(f"simulated: {self} did not end well: see {log.relative_to(TOP)}")
        self.sum = found[1] or found[2]
        self.result = json.loads(out.read_text())
        return self

    def unit(self, number):
        return next(unit for unit in self.result["units"] if unit["unit"] == number)


def run_all(runs, jobs):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(Run.run, runs))


def row(name, values, unit, **more):
    return {"name": name, "value": sum(values) / len(values), "unit": unit, "low": min(values), "high": max(values), **more}


# ---- workloads ----

def parts(unit, side):
    """Cycles by part of the bar; on the bare machine the kernel is what the model calls the monitor."""
    insns, stall = unit["insns"], unit["stall_by"]
    kernel, monitor = ("monitor", "kernel") if side == "bare" else ("kernel", "monitor")
    return {"user": insns["user"], "user stall": stall["user"], "kernel": insns[kernel], "kernel stall": stall[kernel],
            "monitor": insns[monitor], "monitor stall": stall[monitor], "idle": unit["idle"]}


def print_causes(name, ours, bare):
    print(f"\n{name}: the monitor's time by cause of entry (start 0), in % of the bare machine's time; beside it the bare kernel's refills")
    for cause, (number, cycles) in sorted(ours["entries"].items(), key=lambda item: -item[1][1]):
        print(f"  {100 * cycles / bare['cycles']:+7.2f}  {cause}: {number} of {cycles / number:.0f} cycles")
    number, cycles = bare["entries"].get("user_miss", (0, 0))
    print(f"  {100 * cycles / bare['cycles']:7.2f}  bare: {number} refills of {cycles / max(1, number):.0f} cycles")


def compare(name, runs):
    """Rows of one workload, and its bars, in % of the bare time of the same start."""
    number, goal, *paper = WORKLOADS[name]
    sides = {side: [run.unit(number) for run in runs if run.side == side and not run.again] for side in ("bare", "disco")}
    total = [100 * ours["cycles"] / bare["cycles"] for ours, bare in zip(sides["disco"], sides["bare"])]
    rows = [row(f"{name}.sim_pct", total, "% of bare simulated time", bare=100, goal=goal, paper=round(sum(paper[1])))]
    shown = {}
    for side, units in sides.items():
        shown[side] = {}
        for part in parts(units[0], side):
            values = [100 * parts(unit, side)[part] / bare["cycles"] for unit, bare in zip(units, sides["bare"])]
            shown[side][part] = sum(values) / len(values)
            rows.append(row(f"{name}.sim.{side}.{part.replace(' ', '_')}_pct", values, "% of bare simulated time"))
    print(f"{name:12s}{sides['bare'][0]['cycles'] / 4e8:8.2f} s bare; {rows[0]['value']:.2f} ({min(total):.2f}..{max(total):.2f}) of 100, goal {goal}"
          f"{'' if rows[0]['value'] <= goal else ' MISS'}, the paper {rows[0]['paper']}")
    for side, values in shown.items():
        print(f"  {side:6s}" + "".join(f"  {part} {value:.2f}" for part, value in values.items()))
    print(f"  the paper: user {paper[0][0]} kernel {paper[0][1]} idle {paper[0][3]}; user {paper[1][0]} kernel {paper[1][1]} Disco {paper[1][2]} idle "
          f"{paper[1][3]}")
    print_causes(name, sides["disco"][0], sides["bare"][0])
    return rows, shown


def workloads(options):
    names, runs = options.only.split(",") if options.only else list(WORKLOADS), []
    for name in names:
        for side in ("bare", "disco"):
            runs += [Run(name, side, start, options) for start in range(options.starts)]
            if not options.quick:
                runs.append(Run(name, side, 0, options, again=True))
    run_all(runs, options.jobs)
    for run in runs:
        first = next(one for one in runs if (one.what, one.side) == (run.what, run.side))
        if run.sum != next(one.sum for one in runs if one.what == run.what):
            sys.exit(f"simulated: {run}: found checksum {run.sum}, which another run of it has not")
        if run.again and run.result != first.result:
            sys.exit(f"simulated: {run}: the results differ from those of the first time")
    rows, drawn = [], {}
    for name in names:
        more, drawn[name] = compare(name, [run for run in runs if run.what == name])
        rows += more
    (RESULTS / "time.svg").write_text(bars.draw(drawn))
    return rows


# ---- services ----

def split(bare, ours):
    """The columns, in parts of the bare service's time. What is left of the guest's is the program's own, and in "kernel"."""
    found = [0] * len(COLUMNS)
    for cause, (_, cycles) in ours["entries"].items():
        found[COLUMN_OF[cause]] += cycles
    found[0] = ours["cycles"] - ours["idle"] - sum(found)
    return [value / bare["cycles"] for value in found]


def services(options):
    bare, ours = run_all([Run("services", side, 0, options) for side in ("bare", "disco")], options.jobs)
    rows, worst = [], ("", 0)
    print(f"\nKernel services in simulated time, cycles of 2.5 ns; the split in parts of the bare service's time.\n\n{'':14s}{'bare':>9s}{'ours':>9s}"
          f"{'ratio':>7s}" + "".join(f"{column:>15s}" for column in COLUMNS) + "   the paper's")
    for number, (name, ops) in bench.units().items():
        if name == "boot":
            continue
        one, two = (bench.without_waiting(run.unit(number), name) for run in (bare, ours))
        ratio = two["cycles"] / one["cycles"]
        columns = split(one, two)
        paper = SERVICES.get(name)
        print(f"{name:14s}{one['cycles'] / ops:9.0f}{two['cycles'] / ops:9.0f}{ratio:7.2f}" + "".join(f"{value:15.2f}" for value in columns)
              + (f"   {paper[0]} {paper[1]} = " + " ".join(f"{value:.2f}" for value in paper[2]) if paper else ""))
        rows.append({"name": f"{name}.sim_ratio", "value": ratio, "unit": "bare = 1", "bare": one["cycles"] / ops, "ours": two["cycles"] / ops,
                     "paper": paper and paper[1]})
        rows += [{"name": f"{name}.sim.{column.replace(', ', '_').replace(' ', '_')}", "value": value, "unit": "of the bare service's time",
                  "paper": paper and paper[2][i]} for i, (column, value) in enumerate(zip(COLUMNS, columns))]
        if paper and ratio > worst[1]:
            worst = (name, ratio)
    print(f"\nThe worst of the paper's services: {worst[0]} {worst[1]:.2f}, goal {WORST}{'' if worst[1] <= WORST else ' MISS'}, the paper 3.17")
    rows.append({"name": "services.worst_sim_ratio", "value": worst[1], "unit": "bare = 1", "goal": WORST, "paper": 3.17})
    return rows


def main():
    parser = argparse.ArgumentParser(usage=next(line for line in __doc__.splitlines() if line.startswith("usage:"))[7:])
    parser.add_argument("what", choices=("workloads", "services"))
    parser.add_argument("--only", help="some of the workloads")
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--model", default="")
    parser.add_argument("--words", default="")
    options = parser.parse_args()
    if options.quick:
        options.starts, options.only = 1, options.only or "pmake"
    OUT.mkdir(parents=True, exist_ok=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    rows = workloads(options) if options.what == "workloads" else services(options)
    bench.write_rows(rows, "time", keep=True)


if __name__ == "__main__":
    main()
