#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Programs that nobody tuned: those of guests/workloads that are parallel, with eight threads in a Linux guest over eight nodes.

Simulated time of the parallel part on the paper's machine (qemu/flash, preset=paper), by policy and with memory that is equally near to everybody
(uma), against the same kernel on the bare machine with eight processors (bare). `uni` and `bare_uni` are one thread, equally near. Every run's sum must
be this host's. Writes rows NAME.linux.POLICY.time_pct of build/results/numa.json; others that are there stay.

Starts differ in what a shell has done before the program: start n has had n pairs of processes, and begins n times PAUSE later. So Linux puts threads on
other processors, at other moments of its ticks, and the program's addresses are others. Each start is the same to the last bit whenever it is run.

usage: parallel.py [--only NAME[,NAME]] [--policies NAME[,NAME]] [--sizes small|medium|large] [--starts N] [--jobs N] [--resume] [--touched] [--rest US] [--words WORDS] [--model OPTIONS]
--resume: runs of this build whose results are there, of a series that was cut off, are not made again
--touched: what a refill costs in cache misses, by what it touches
--rest: the guest waits so long after the program, 4500000 us are enough for its balloon to report what was freed: what a page costs that it gives back
"""
import argparse
import concurrent.futures
import json
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(TOP / "tests"), str(TOP / "tests/bench")]
import bench  # pylint: disable=wrong-import-position
import machine  # pylint: disable=wrong-import-position
import numa  # pylint: disable=wrong-import-position
import timed  # pylint: disable=wrong-import-position
import touched  # pylint: disable=wrong-import-position

OUT = TOP / "build/bench/parallel"
NODES = 8
MACHINE_MB, GUEST_MB = 512, 384
PAUSE = 1700  # us
BUILT = ["build/disco.elf", "build/flash.so", "build/linux/vmlinux", "build/linux-bare/vmlinux", "build/parallel-root.cpio"]

# What of it, by --sizes.
PROGRAMS = {
    "radix": {"small": 262144, "medium": 786432, "large": 4194304},
    "fft": {"small": 65536, "medium": 262144, "large": 1048576},
    "lu": {"small": 256, "medium": 320, "large": 768},
    "barnes": {"small": 2048, "medium": 2048, "large": 16384},
    "ocean": {"small": 255, "medium": 511, "large": 1023},
    "cg": {"small": 16384, "medium": 65536, "large": 262144},
    "join": {"small": 32768, "medium": 131072, "large": 524288},
    "pipe": {"small": 128, "medium": 384, "large": 1024},
    "quick": {"small": 131072, "medium": 524288, "large": 2097152},
}
# Policy: threads, words for the monitor (None: no monitor), options of the model.
POLICIES = {
    "bare": (NODES, None, ""),
    "none": (NODES, "none", ""),
    "first_touch": (NODES, "first-touch", ""),
    "both": (NODES, "both", ""),
    "uma": (NODES, "none", ",uma=1"),
    "bare_uni": (1, None, ",uma=1"),
    "uni": (1, "none", ",uma=1"),
}
DEFAULT = "bare,none,first_touch,both,uma"
BASE = {policy: "bare_uni" if policy == "uni" else "bare" for policy in POLICIES}


def say(text):
    print(f"parallel: {text}", file=sys.stderr, flush=True)


def line_of(name):
    return rf"{name}: (\d+) threads, \d+ [a-z ]+, sum ([0-9a-f]{{16}}), (\d+) us"


class Case:
    """One run: what it is, and afterwards what came of it."""

    def __init__(self, name, policy, size, start, options):
        self.name, self.policy, self.size, self.start, self.options = name, policy, size, start, options
        self.json = self.sum = self.moves = None

    def __str__(self):
        return f"{self.name} {self.size} {self.policy} start {self.start}"

    def command(self):
        """Start n: n pairs of processes before the program, which then begins n times PAUSE later."""
        before = "uname | cat >/dev/null; " * self.start + f"usleep {PAUSE * self.start}; " if self.start else ""
        after = f"; usleep {self.options.rest}" if self.options.rest else ""
        return f"{before}{self.name} {POLICIES[self.policy][0]} {self.size}{after}"

    def run_guest(self, model, folder):
        guest = machine.vm("w", ramdisk="parallel-root.cpio", memory=GUEST_MB, vcpus=NODES, node=list(range(NODES)),
                           bootargs=f'console=hvc0 disco.run="{self.command()}"')
        archive = machine.write_scenario(folder, [guest], nodes=NODES, memory=MACHINE_MB)
        with timed.machine(f"bench-{folder.name}", archive, f"policy={POLICIES[self.policy][1]} {self.options.words}", model) as one:
            found, _ = one.expect_all([line_of(self.name), "vm: w powered off, code 0"], timed.LIMIT)
            self.moves = numa.moves_of(one.command("moves"))
            one.quit()
        return found

    def resume(self, out, kept):
        """Takes what an earlier run has left; false: there is none of this build, or it was told other things."""
        newest = max((TOP / path).stat().st_mtime for path in BUILT)
        if not kept.exists() or kept.stat().st_mtime < newest:
            return False
        told, self.sum, self.moves = json.loads(kept.read_text())
        self.json = json.loads(out.read_text())
        return told == [self.options.words, self.options.model, self.options.rest]

    def run(self):
        folder = OUT / f"parallel-{self.name}-{self.size}-{self.policy}-{self.start}"
        folder.mkdir(parents=True, exist_ok=True)
        out, log, kept = folder / "model.json", folder / "log", folder / "kept.json"
        if self.options.resume and self.resume(out, kept):
            return self
        for path in (out, kept):
            path.unlink(missing_ok=True)
        model = f"preset=paper,out={out},skew={numa.SKEW * self.start}{POLICIES[self.policy][2]}"
        model += f",{self.options.model}" if self.options.model else ""
        if POLICIES[self.policy][1] is None:
            found = re.search(line_of(self.name), timed.bare(model, NODES, MACHINE_MB, "parallel-root.cpio", self.command(), log))
        else:
            found = self.run_guest(model, folder)
        if not found or not out.exists():
            sys.exit(f"parallel: {self} did not end well: see {folder.relative_to(TOP)}")
        self.sum = found[2]
        self.json = json.loads(out.read_text())
        if not self.json["region"]:
            sys.exit(f"parallel: {self}: the model saw no mark: {out}")
        kept.write_text(json.dumps([[self.options.words, self.options.model, self.options.rest], self.sum, self.moves]))
        say(f"{self}: {self.seconds:.4f} s ({int(found[3]) / 1e6:.4f} s by the program's clock), {self.json['local_pct']:.1f} % local")
        return self

    @property
    def seconds(self):
        return self.json["T"] / 400e6


def host_sum(name, size):
    """What this host computes, with another number of threads than any run."""
    done = subprocess.run([f"build/host/parallel/{name}", "3", str(size)], cwd=TOP, check=True, capture_output=True, text=True)
    return re.search(line_of(name), done.stdout)[2]


def run_all(cases, jobs):
    sums = {key: host_sum(*key) for key in sorted({(case.name, case.size) for case in cases})}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        done = list(pool.map(Case.run, cases))
    for case in done:
        if case.sum != sums[case.name, case.size]:
            sys.exit(f"parallel: {case}: found sum {case.sum}, this host's is {sums[case.name, case.size]}")
    return done


def parts(case):
    """In % of the time of all processors. On the bare machine the kernel is what the model calls the monitor."""
    total = case.json["total"]
    whole = total["cycles"] / 100
    kernel, monitor = ("monitor", "kernel") if case.moves is None else ("kernel", "monitor")
    shown = []
    for who in ("user", kernel, monitor):
        shown += [total["insns"][who] / whole, total["stall_by"][who] / whole]
    return shown + [total["idle"] / whole]


def given(case):
    """What a page has cost the home that the guest gave back, in cycles of the model."""
    pages, batches, *ns = case.moves["given"]
    wait, shootdown, _, rest = (0.4 * value / max(pages, 1) for value in ns)
    return f"{case}: given back {pages} pages in {batches} batches, cycles a page: {wait:.0f} waiting, {shootdown:.0f} shootdown, {rest:.0f} the rest"


def mean(values):
    return sum(values) / len(values)


def percents(cases, base):
    """Of the mean of base's: no start of one machine is the same as that of another."""
    return [100 * case.seconds / mean([other.seconds for other in base]) for case in cases]


def report(name, size, runs):
    """The table of a program, and its rows."""
    rows, by = [], {}
    for case in runs:
        by.setdefault(case.policy, []).append(case)
    print(f"\n{name} {size}{'':8s}{'seconds':<26s}{'bare = 100':<22s}{'UMA':>7s}{'% local':>9s}   % of time: user, stall; kernel, stall; monitor, "
          f"stall; idle    moves: migrated, replicated, collapsed")
    for policy, cases in by.items():
        base, uma = by.get(BASE[policy]), by.get("uma") if policy != "uni" else None
        pct = percents(cases, base) if base else []
        over = f"{100 * mean([c.seconds for c in cases]) / mean([c.seconds for c in uma]):.1f}" if uma else ""
        shown = [mean(column) for column in zip(*(parts(case) for case in cases))]
        moved = " ".join(str(cases[0].moves[kind][0]) for kind in ("migrated", "replicated", "collapsed")) if cases[0].moves else ""
        print(f"  {policy:16s}{numa.spread([c.seconds for c in cases], 4):<26s}{numa.spread(pct) if pct else '':<22s}{over:>7s}"
              f"{mean([c.json['local_pct'] for c in cases]):9.1f}   " + " ".join(f"{value:5.1f}" for value in shown) + f"    {moved}")
        if pct and policy not in ("bare", "bare_uni"):
            row = f"{name}.linux.uni_pct" if policy == "uni" else f"{name}.linux.{policy}.time_pct"
            rows.append(numa.row(row, mean(pct), "% of the bare kernel's time", None, pct))
    if "none" in by and "both" in by:
        pct = percents(by["both"], by["none"])
        print(f"  both in % of none: {numa.spread(pct)}; none itself: {numa.spread(percents(by['none'], by['none']))}")
        rows.append(numa.row(f"{name}.linux.both.none_pct", mean(pct), "% of the time with none", None, pct))
    return rows


def main():
    parser = argparse.ArgumentParser(usage=next(line for line in __doc__.splitlines() if line.startswith("usage:"))[7:])
    parser.add_argument("--only", default=",".join(PROGRAMS))
    parser.add_argument("--policies", default=DEFAULT)
    parser.add_argument("--sizes", choices=("small", "medium", "large"), default="small")
    parser.add_argument("--starts", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--touched", action="store_true")
    parser.add_argument("--rest", type=int, default=0)
    parser.add_argument("--words", default="", help="more words for the monitor")
    parser.add_argument("--model", default="", help="more options of the model")
    options = parser.parse_args()
    names, policies = options.only.split(","), options.policies.split(",")
    for found, allowed in ((names, PROGRAMS), (policies, POLICIES)):
        if not set(found) <= set(allowed):
            sys.exit(f"parallel: found {','.join(found)}, allowed {','.join(allowed)}")
    cases = [Case(name, policy, PROGRAMS[name][options.sizes], start, options) for name in names for policy in policies
             for start in range(options.starts)]
    done = run_all(cases, options.jobs)
    rows = []
    for name in names:
        rows += report(name, PROGRAMS[name][options.sizes], [case for case in done if case.name == name])
    for case in done if options.rest else ():
        if case.moves:
            print(given(case))
    for case in done if options.touched else ():
        print(f"\n{case}: one entry, by cause")
        print("\n".join(touched.lines(case.json["total"])))
    bench.write_rows(rows, "numa", keep=True)


if __name__ == "__main__":
    main()
