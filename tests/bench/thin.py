#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a program gains without an operating system: Radix and others on the thin OS (guests/thin) in a VM on eight nodes, beside the same program under
Linux on the bare machine with eight processors. Simulated time on the paper's machine (qemu/flash, preset=paper), pages stay where they are.

NAME.pct: the whole run, with Linux from before the program's exec to behind its end, with the thin OS from its first instruction to the VM's end, memory
zeroed and threads started in both. NAME.parallel_pct: the threads alone. NAME.speedup.N: one thread's time on N nodes in parts of N threads', the threads
alone. Of Radix's phases the mean of all threads is shown. start: instructions from the thin OS's entry to main(). radix_own is `radix THREADS KEYS own`. Sums must be this host's. Writes build/results/thin.json.

usage: thin.py [--only NAME[,NAME]] [--sizes small|large] [--speedup NAME[,NAME]] [--policy NAME] [--jobs N]
"""
import argparse
import concurrent.futures
import json
import re
import subprocess
import sys

import bench
import machine
import numa
import parallel

TOP = bench.TOP
OUT = TOP / "build/bench/thin"
LIMIT = 1200 # seconds for one run
NODES = 8
RUN_UNIT, START_UNIT = 64, 65 # guests/thin/thin.h
CALLS = {70: "null_call", 71: "monitor_call", 72: "mutex", 73: "clock_gettime", 74: "malloc_free", 75: "create_join"}
OPS = 1000 # of thin_calls.c
PAPER = {"radix": 34, "radix_own": 34} # SPLASH-2's Radix fills in its keys as radix_own does
PROGRAMS = ["radix", "radix_own", "fft", "lu", "barnes"]
MEMORY = {"small": 64, "large": 192}
PHASE_UNIT = 80 # guests/workloads/parallel.h: + 8 * phase + thread
PHASES = {"radix": ["fill in", "count 1", "count 2", "find places", "move 1", "move 2", "barriers", "check"]}
SIDES = {"bare": (("program", "user"), ("kernel", "monitor")), "thin": (("program", "kernel"), ("monitor", "monitor"))}


class Run:
    """One run. side: "bare" or "thin"; whole: all of it in place of its parallel part."""

    def __init__(self, side, name, threads, whole, options):
        self.side, self.name, self.threads, self.whole, self.options = side, name, threads, whole, options
        self.program, _, self.word = name.partition("_")
        self.size = parallel.PROGRAMS[self.program][options.sizes] if self.program in parallel.PROGRAMS else 0
        self.words = f"{threads} {self.size} {self.word}".rstrip()
        self.json = self.sum = None

    def __str__(self):
        return f"{self.side}-{self.name}-{self.size}-{self.threads}{'-whole' if self.whole else ''}"

    def bare(self, model):
        command = f"{self.program} {self.words}"
        if self.whole:
            command = f"mark begin {RUN_UNIT}; {command}; mark end {RUN_UNIT}"
        return ["-f", model, "-k", "build/linux-bare/vmlinux", "-n", str(NODES), "-m", str(parallel.MACHINE_MB), "-a",
                f'console=ttyS0 disco.run="{command}"', "--", "-initrd", "build/bench/thin-root.cpio"]

    def thin(self, model, folder):
        program = "thin/calls.elf" if self.name == "calls" else f"thin/parallel/{self.program}.elf"
        guest = machine.vm("w", program, None, MEMORY[self.options.sizes], self.words, vcpus=self.threads,
                           node=list(range(self.threads)))
        archive = machine.write_scenario(folder, [guest], nodes=max(2, self.threads), memory=parallel.MACHINE_MB)
        return ["-f", model, "-a", f"exit=1 policy={self.options.policy}", str(archive)]

    def run(self):
        folder = OUT / str(self)
        folder.mkdir(parents=True, exist_ok=True)
        out, log = folder / "model.json", folder / "log"
        out.unlink(missing_ok=True)
        model = f"preset=paper,out={out}" + (f",unit={RUN_UNIT}" if self.whole else "")
        words = self.bare(model) if self.side == "bare" else self.thin(model, folder)
        with open(log, "wb") as sink:
            subprocess.run(["timeout", "-k", "5", str(LIMIT), "qemu/run.sh", "-q", *words], cwd=TOP, stdin=subprocess.DEVNULL, stdout=sink,
                           stderr=subprocess.STDOUT, check=False)
        text = log.read_text(errors="replace")
        found = re.search(parallel.line_of(self.program), text) if self.size else re.search("(calls): (done)", text)
        if not found or not out.exists():
            sys.exit(f"thin: {self} did not end well: see {log.relative_to(TOP)}")
        self.sum = found[2]
        self.json = json.loads(out.read_text())
        if self.size and not self.json["region"]:
            sys.exit(f"thin: {self}: the model saw no mark: {out}")
        print(f"thin: {self}" + (f": {self.seconds:.4f} s" if self.size else ""), file=sys.stderr, flush=True)
        return self

    @property
    def seconds(self):
        return self.json["T"] / 400e6

    def unit(self, number):
        return next(unit for unit in self.json["units"] if unit["unit"] == number)

    def shares(self):
        """In % of the time of all processors: the program and what is linked with it, the kernel below it if there is one, the monitor. On the bare
        machine the kernel is what the model calls the monitor."""
        total = self.json["total"]
        whole = total["cycles"] / 100
        return ", ".join([f"{name} {total['insns'][who] / whole:.1f} + {total['stall_by'][who] / whole:.1f} stall" for name, who in SIDES[self.side]]
                         + [f"idle {total['idle'] / whole:.1f}"])


def show_phases(run):
    """The mean of the threads, in ms, of each phase: what was executed, and what it waited for memory; and the longest one's."""
    by = {unit["unit"]: unit for unit in run.json["units"]}
    for i, phase in enumerate(PHASES.get(run.program, ())):
        threads = [by[unit] for unit in range(PHASE_UNIT + 8 * i, PHASE_UNIT + 8 * i + NODES) if unit in by]
        if not threads:
            continue
        ms = len(threads) * 400e3
        parts = [f"{name} {sum(t['insns'][who] for t in threads) / ms:.2f} + {sum(t['stall_by'][who] for t in threads) / ms:.2f}" for name, who in
                 SIDES[run.side]]
        print(f"    {phase:12s}{len(threads)} threads: {', '.join(parts)}, idle {sum(t['idle'] for t in threads) / ms:.2f}; all "
              f"{sum(t['cycles'] for t in threads) / ms:.2f}, longest {max(t['cycles'] for t in threads) / 400e3:.2f}")


def compare(name, runs):
    rows = []
    for whole, what in ((True, "pct"), (False, "parallel_pct")):
        bare, thin = (next(run for run in runs if (run.side, run.name, run.threads, run.whole) == (side, name, NODES, whole)) for side in ("bare", "thin"))
        pct = 100 * thin.seconds / bare.seconds
        paper = PAPER.get(name) if whole else None
        rows.append({"name": f"thin.{name}.{what}", "value": pct, "unit": "% of bare Linux's simulated time", "bare": bare.seconds, "ours": thin.seconds,
                     **({"paper": paper} if paper else {})})
        print(f"{name:8s}{'whole' if whole else 'threads alone':15s}{bare.seconds:9.4f} s bare, {thin.seconds:.4f} s thin: {pct:.1f} of 100"
              + (f", the paper {paper}" if paper else ""))
        for run in (bare, thin):
            print(f"    {run.side}: {run.shares()}; {run.json['local_pct']:.1f} % of misses local")
            if whole:
                show_phases(run)
    return rows


def speedup(name, runs):
    by = {run.threads: run.seconds for run in runs if run.side == "thin" and run.name == name and not run.whole}
    print(f"{name:8s}speed-up: " + ", ".join(f"{n}: {by[1] / by[n]:.2f}" for n in sorted(by)))
    return [{"name": f"thin.{name}.speedup.{n}", "value": by[1] / by[n], "unit": "one thread = 1"} for n in sorted(by)]


def calls(run):
    rows = []
    start = run.unit(START_UNIT)
    rows.append({"name": "thin.start_insns", "value": start["insns"]["kernel"], "unit": "instructions from the entry to main()",
                 "monitor": start["insns"]["monitor"], "cycles": start["cycles"]})
    print(f"start to main(): {start['insns']['kernel']} instructions, {start['insns']['monitor']} of the monitor's, {start['cycles']} cycles")
    for number, name in CALLS.items():
        unit = run.unit(number)
        own, monitor = (unit["insns"][who] / OPS for who in ("kernel", "monitor"))
        rows.append({"name": f"thin.{name}.insns", "value": own + monitor, "unit": "instructions", "monitor": monitor, "cycles": unit["cycles"] / OPS})
        print(f"{name:15s}{own:9.1f} instructions, {monitor:.1f} of the monitor's, {unit['cycles'] / OPS:.1f} cycles")
    return rows


def main():
    parser = argparse.ArgumentParser(usage=next(line for line in __doc__.splitlines() if line.startswith("usage:"))[7:])
    parser.add_argument("--only", default=",".join(PROGRAMS))
    parser.add_argument("--sizes", choices=sorted(MEMORY), default="small")
    parser.add_argument("--speedup", default="radix,lu")
    parser.add_argument("--policy", default="none")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    names, scaled = options.only.split(","), [name for name in options.speedup.split(",") if name]
    if not set(names) | set(scaled) <= set(PROGRAMS):
        sys.exit(f"thin: found {options.only} and {options.speedup}, allowed {','.join(PROGRAMS)}")
    runs = [Run("thin", "calls", 1, False, options)]
    runs += [Run(side, name, NODES, whole, options) for name in names for side in ("bare", "thin") for whole in (True, False)]
    runs += [Run("thin", name, n, False, options) for name in scaled for n in (1, 2, 4, 8, 16) if (name, n) not in [(one, NODES) for one in names]]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(Run.run, runs))
    for run in runs:
        if run.size and run.sum != (wanted := parallel.host_sum(run.program, run.size)):
            sys.exit(f"thin: {run}: found sum {run.sum}, this host's is {wanted}")
    rows = calls(runs[0])
    for name in names:
        rows += compare(name, runs)
    for name in scaled:
        rows += speedup(name, runs)
    for row in rows:
        row.setdefault("policy", options.policy)
    bench.write_rows(rows, "thin", keep=True)


if __name__ == "__main__":
    main()
