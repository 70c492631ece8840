#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The paper's migration figure with Linux and user processes: Engineering (as many simulations as processors) and Raytrace (as many threads) in one guest
with a VCPU on each node, under the timing model; by policy, with memory that is equally near (uma), and on the bare kernel, its pages on the nodes in turn.
And speed-up: Raytrace, FFT, Radix (in one machine, one after the other) and Pmake on 1 to 16 processors, bare beside monitor. Rows migration.* and speedup.* of build/results/scaling.json.

usage: migration.py [--only engineering,raytrace] [--policies bare,none,both,uma] [--processors N] [--size N] [--jobs 1] [--words WORDS] [--model OPTIONS]
       migration.py --speedup programs,pmake [--policies bare,both] [--processors 1,2,4,8,16] [--jobs 1] [--words WORDS] [--model OPTIONS]
--processors: and nodes; without it Engineering has 8 and Raytrace 16, as in the paper, and with another number there are no rows
--size: pixels of a row of Raytrace, blocks of data of each simulation of Engineering; nor are there with another size
"""
import argparse
import concurrent.futures
import json
import re
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
import bench  # noqa: E402
import timed  # noqa: E402
from machine import vm, write_scenario  # noqa: E402

TOP, OUT = bench.TOP, bench.OUT / "migration"
MACHINE, GUEST = 1024, 512  # MB
NODES_MIN = 2  # of the monitor; a guest of one VCPU leaves the other alone
LOCAL, OVER_UMA = 88, 115  # % at least, and at most
PROCESSORS = {"engineering": 8, "raytrace": 16}  # of the figure
PAPER_LOCAL, PAPER_TIME = {"engineering": 78, "raytrace": 76}, {"engineering": 140, "raytrace": 126}
POLICIES = {"bare": (None, ",interleave=1"), "none": ("none", ""), "first_touch": ("first-touch", ""), "both": ("both", ""), "uma": ("none", ",uma=1")}


class Program:
    """command: with the number of processors, and how much it does (--size). unit: of its markers. sums: what it says of what it has made, by name. l2: KB."""

    def __init__(self, root, command, unit, sums, l2=1024, size=0):
        self.root, self.command, self.unit, self.sums, self.l2, self.size = root, command, unit, sums, l2, size


PARALLEL_SUM = r"%s: \d+ threads, \d+ [a-z ]+, sum ([0-9a-f]{16}), (\d+) us"  # parallel.h: its threads alone
PROGRAMS = {
    "engineering": Program("work.cpio", "workload engineering {n} {size}", 65, {"engineering": r"workload: engineering sum (\w{32})"}, size=1),
    "raytrace": Program("work.cpio", "workload raytrace {n} {size}", 66, {"raytrace": r"workload: raytrace sum (\w{32})"}, 256, 800),  # KB as in the paper
    # For speed-ups: one machine does the programs one after the other.
    "programs": Program("speedup-root.cpio", "fft {n} 65536; radix {n} 262144; mark begin 66; raytrace 160 {n}; mark end 66", 66,
                        {"raytrace": r"raytrace 160x120 (\w{16})", "fft": PARALLEL_SUM % "fft", "radix": PARALLEL_SUM % "radix"}),
    "pmake": Program("pmakes-root.cpio", "pmakes 0 8", 64, {"pmake": r"pmakes: user \d+ sum (\w{32})"}),
}
SPEEDUP = ("programs", "pmake")


def say(text):
    print(f"migration: {text}", file=sys.stderr, flush=True)


class Case:
    """One run, and afterwards what came of it."""

    def __init__(self, name, policy, processors, options):
        self.name, self.policy, self.processors, self.options = name, policy, processors, options
        self.command = PROGRAMS[name].command.format(n=processors, size=options.size or PROGRAMS[name].size)
        self.json, self.sums, self.seconds = None, {}, {}

    def __str__(self):
        return f"{self.name} {self.policy} on {self.processors}"

    def run_guest(self, model, folder):
        guest = vm("w", ramdisk=PROGRAMS[self.name].root, memory=GUEST, vcpus=self.processors, node=list(range(self.processors)),
                   bootargs=f'console=hvc0 disco.run="{self.command}"')
        archive = write_scenario(folder, [guest], nodes=max(NODES_MIN, self.processors), memory=MACHINE)
        with timed.machine(f"bench-migration-{folder.name}", archive, f"policy={POLICIES[self.policy][0]} {self.options.words}", model) as one:
            if one.expect("vm: w powered off, code 0|PANIC|vm: w killed", timed.LIMIT)[0] != "vm: w powered off, code 0":
                sys.exit(f"migration: {self} did not end well: see {one.log_path}")
            for what in ("policy", "moves"):  # why pages stayed and what those cost that did not, for who reads the log
                one.command(what)
            one.quit()
        return one.log_path.read_text(errors="replace")

    def run(self):
        say(f"{self} ...")
        folder = OUT / f"{self.name}-{self.policy}-{self.processors}"
        folder.mkdir(parents=True, exist_ok=True)
        out, program = folder / "model.json", PROGRAMS[self.name]
        out.unlink(missing_ok=True)
        model = f"preset=paper,out={out},unit={program.unit},l2={program.l2}{POLICIES[self.policy][1]}" + (f",{self.options.model}" if self.options.model else "")
        text = (self.run_guest(model, folder) if POLICIES[self.policy][0]
                else timed.bare(model, self.processors, MACHINE, program.root, self.command, folder / "log"))
        found = {name: re.findall(line, text) for name, line in program.sums.items()}
        if not all(found.values()) or not out.exists():
            sys.exit(f"migration: {self} did not end well: see {folder.relative_to(TOP)}")
        self.json = json.loads(out.read_text())
        for name, lines in found.items():  # one that tells its threads' time has (sum, us); the region of interest is another's
            tells = isinstance(lines[0], tuple)
            self.seconds[name] = int(lines[0][1]) / 1e6 if tells else self.json["T"] / 400e6
            self.sums[name] = sorted(line[0] if tells else line for line in lines)
        say(f"{self}: " + ", ".join(f"{name} {seconds:.4f} s" for name, seconds in self.seconds.items()) + f", {self.json['local_pct']:.1f} % local")
        return self

    def parts(self):
        """In % of the time of the program's processors: user and its stalls, kernel and its stalls, monitor and its stalls, idle."""
        its = self.json["processors"][:self.processors]
        whole, bare = sum(each["cycles"] for each in its) / 100, self.policy == "bare"
        shown = []
        for who in ("user", "monitor" if bare else "kernel", "kernel" if bare else "monitor"):
            shown += [sum(each[part][who] for each in its) / whole for part in ("insns", "stall_by")]
        return shown + [sum(each["idle"] for each in its) / whole]


SPLIT = "% of its time: user, stall; kernel, stall; monitor, stall; idle:"


def run_all(cases, jobs):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        done = list(pool.map(Case.run, cases))
    for case in done:  # Engineering has as many simulations as processors
        same = [other for other in done if other.name == case.name and (other.processors == case.processors or case.name != "engineering")]
        if any(other.sums != case.sums for other in same):
            sys.exit(f"migration: {case}: its sums differ from those of other runs")
    return done


def figure(done):
    rows = []
    for name in dict.fromkeys(case.name for case in done):
        by = {case.policy: case for case in done if case.name == name}
        uma = by.get("uma")
        print(f"\n{name}, {next(iter(by.values())).processors} processors{'':6s}{'seconds':>10s}{'UMA = 100':>11s}{'% local':>9s}   {SPLIT}")
        for policy, case in by.items():
            pct = 100 * case.seconds[name] / uma.seconds[name] if uma else None
            counts = case.processors == PROCESSORS[name] and case.options.size in (0, PROGRAMS[name].size)
            missed = counts and policy == "both" and (case.json["local_pct"] < LOCAL or (pct or 0) > OVER_UMA)
            print(f"  {policy:26s}{case.seconds[name]:12.4f}{f'{pct:11.1f}' if pct else '':>11s}{case.json['local_pct']:9.1f}   " +
                  " ".join(f"{value:5.1f}" for value in case.parts()) + ("   MISS" if missed else ""))
            if not counts:
                continue
            rows.append({"name": f"migration.{name}.{policy}.local_pct", "value": case.json["local_pct"], "unit": "% of misses",
                         **({"paper": PAPER_LOCAL[name], "goal": LOCAL} if policy == "both" else {})})
            if pct:
                rows.append({"name": f"migration.{name}.{policy}.time_pct", "value": pct, "unit": "% of the UMA bound",
                             **({"paper": PAPER_TIME[name], "goal": OVER_UMA} if policy == "both" else {})})
    return rows


def speedup(done):
    rows = []
    for name in dict.fromkeys(name for case in done for name in case.seconds):
        print(f"\n{name:18s}" + "".join(f"{n:>9d}{'speed-up':>10s}" for n in sorted({case.processors for case in done})) + "   s on so many processors")
        for policy in dict.fromkeys(case.policy for case in done):
            by = {case.processors: case.seconds[name] for case in done if name in case.seconds and case.policy == policy}
            side, first = "bare" if policy == "bare" else "monitor", by.get(1)
            print(f"  {side:16s}" + "".join(f"{seconds:9.4f}{f'{first / seconds:.2f}' if first else '-':>10s}" for _, seconds in sorted(by.items())))
            rows += [{"name": f"speedup.{name}.{side}.{n}", "value": first / seconds, "unit": "on one = 1", "seconds": seconds}
                     for n, seconds in sorted(by.items()) if first]
    print(f"\n{SPLIT}")
    for case in done:
        print(f"  {str(case):28s}{case.json['local_pct']:6.1f} % local; " + " ".join(f"{value:5.1f}" for value in case.parts()))
    return rows


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("--only", default=",".join(PROCESSORS))
    parser.add_argument("--policies", default="")
    parser.add_argument("--speedup", default="")
    parser.add_argument("--processors", default="")
    parser.add_argument("--size", type=int, default=0, help="pixels of a row of raytrace, blocks of engineering")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--words", default="", help="for the monitor")
    parser.add_argument("--model", default="", help="more options of the model")
    options = parser.parse_args()
    names = (options.speedup or options.only).split(",")
    policies = (options.policies or ("bare,both" if options.speedup else "bare,none,both,uma")).split(",")
    for found, allowed in ((names, SPEEDUP if options.speedup else PROCESSORS), (policies, POLICIES)):
        if not set(found) <= set(allowed):
            sys.exit(f"migration: found {','.join(found)}, allowed {','.join(allowed)}")
    given = [int(n) for n in options.processors.split(",") if n]
    cases = [Case(name, policy, n, options) for name in names for policy in policies
             for n in given or ([1, 2, 4, 8, 16] if options.speedup else [PROCESSORS[name]])]
    rows = (speedup if options.speedup else figure)(run_all(cases, options.jobs))
    if rows:
        bench.write_rows(rows, "scaling", keep=True)


if __name__ == "__main__":
    main()
