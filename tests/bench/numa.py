#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What migration and replication save: the workloads of guests/numa under the timing model (qemu/flash), simulated cycles.

Each workload runs on 8 nodes with each policy, and with memory that is equally near to everybody (uma: static placement, the
bound), from several perturbed starts. Prints the table in the form of the paper's migration figure, what a move costs, and the
targets; writes build/results/numa.json. --sensitivity adds other latencies, thresholds, numbers of nodes, sampled counters, and options of the model that are nearer to FLASH.

usage: numa.py [--only NAME[,NAME]] [--policies NAME[,NAME]] [--starts N] [--jobs N] [--sensitivity] [--set PARAMETER=VALUE,...]
"""
import argparse
import concurrent.futures
import json
import re
import statistics
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(TOP / "tests"), str(TOP / "tests/bench")]
import bench  # pylint: disable=wrong-import-position
import machine  # pylint: disable=wrong-import-position

OUT = TOP / "build/bench/numa"
LIMIT = 300  # seconds for one run
SKEW = 300  # cycles: start n is perturbed by n times this, and more on each further node

# Policy: words for the monitor, options of the model.
POLICIES = {
    "none": ("none", ""),
    "first_touch": ("first-touch", ""),
    "both": ("both", ""),
    "uma": ("none", ",uma=1"),
}


class Workload:
    """kernel: in guests/numa. vms: how many, which share the nodes. paper: figure of the paper, by policy: exec, local stall,
    remote stall, Disco, % local."""

    def __init__(self, kernel, memory=32, l2=1024, vms=1, paper=None, targets=True):
        self.kernel, self.memory, self.l2, self.vms, self.paper, self.targets = kernel, memory, l2, vms, paper or {}, targets


WORKLOADS = {
    "engineering": Workload("engineering", paper={"none": (31.3, 5.5, 63.2, 0, 16), "both": (30.4, 12.9, 13.3, 10.3, 78),
                                                  "uma": (31.4, 17.0, 0, 0, None)}, targets=False),
    "raytrace": Workload("raytrace", l2=256, paper={"none": (42.1, 1.8, 56.1, 0, 6), "both": (41.5, 6.8, 7.1, 6.2, 76),
                                                    "uma": (42.0, 7.4, 0, 0, None)}),
    "shared_text": Workload("shared_text"),
    "phase_change": Workload("phase_change"),
    "engineering_2vm": Workload("engineering", vms=2, targets=False),
}


def say(text):
    print(f"numa: {text}", file=sys.stderr, flush=True)


def scenario(folder, work, nodes):
    """VMs that share the nodes, a VCPU on each."""
    share = nodes // work.vms
    vms = [machine.vm(f"w{i}", f"numa/{work.kernel}.elf", None, work.memory, vcpus=share,
                      node=list(range(i * share, i * share + share))) for i in range(work.vms)]
    return machine.write_scenario(folder, vms, nodes=nodes, memory=max(512, 64 * nodes))


class Case:
    """One run: what it is, and afterwards what came of it."""

    def __init__(self, name, policy, start=0, nodes=8, model="", words=""):
        self.name, self.policy, self.start, self.nodes, self.model, self.words = name, policy, start, nodes, model, words
        self.json = self.sum = self.moves = None

    def __str__(self):
        extra = "".join(" " + text.strip(",") for text in (self.model, self.words) if text)
        return f"{self.name} {self.policy} start {self.start}, {self.nodes} nodes{extra}"

    @property
    def folder(self):
        return OUT / re.sub(r"[^a-z0-9_]+", "-", str(self))

    def run(self):
        work = WORKLOADS[self.name]
        words, model = POLICIES[self.policy]
        self.folder.mkdir(parents=True, exist_ok=True)
        out = self.folder / "model.json"
        options = f"out={out},l2={work.l2},skew={SKEW * self.start}{model}{self.model}"
        one = machine.Machine(f"bench-{self.folder.name}", scenario(self.folder, work, self.nodes),
                              f"policy={words}{self.words}", ["-f", options])
        try:
            sums = one.expect_all([rf"\[w{i}\] {work.kernel}: \d+ workers, sum ([0-9a-f]{{16}})" for i in range(work.vms)]
                                  + [rf"vm: w{i} powered off, code 0" for i in range(work.vms)], LIMIT)
            self.moves = moves_of(one.command("moves"))
            one.quit()
        except AssertionError as why:
            sys.exit(f"numa: {self}: {why}")
        finally:
            one.kill()
        self.sum = {match[1] for match in sums[:work.vms]}
        self.json = json.loads(out.read_text())
        if not self.json["region"]:
            sys.exit(f"numa: {self}: the model saw no mark: {out}")
        say(f"{self}: {self.json['T'] / 1e6:.1f} M cycles, {self.local_pct:.1f} % local")
        return self

    @property
    def time(self):
        return self.json["T"]

    @property
    def local_pct(self):
        return 100.0 if self.policy == "uma" else self.json["local_pct"]

    def parts(self):
        """exec, local stall, remote stall, monitor and idle, in processor cycles. Stalls of the monitor count as its own."""
        total = self.json["total"]
        insns, stalls, stall = total["insns"], total["stall_by"], total["stall"]
        guest = (stalls["kernel"] + stalls["user"]) / max(1, sum(stalls.values()))
        local, remote = stall["local"] + stall["l2"], stall["remote"]
        if self.policy == "uma":
            local, remote = local + remote, 0
        return {"exec": insns["kernel"] + insns["user"], "local": local * guest, "remote": remote * guest,
                "monitor": insns["monitor"] + stalls["monitor"],
                "idle": max(0, self.nodes * self.time - sum(insns.values()) - sum(stalls.values()))}


def moves_of(lines):
    """The monitor's account of moves over all nodes, and of pages that VMs gave back: {kind: (pages, batches, ns in all of waiting, shootdown, copy and the rest)}."""
    found = {"migrated": [0] * 6, "replicated": [0] * 6, "collapsed": [0], "given": [0] * 6}
    for line in lines:
        match = re.match(r"\s*\d+\s+(\w+)\s+(\d+)(?:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+))?$", line)
        if not match:
            continue
        pages, batches, *each = (int(text or 0) for text in match.groups()[1:])
        for index, value in enumerate([pages, batches] + [pages * ns for ns in each]):
            if index < len(found[match[1]]):
                found[match[1]][index] += value
    return found


def run_all(cases, jobs):
    """All of them, jobs at a time; the native sums are compared with theirs."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        done = list(pool.map(Case.run, cases))
    for key in {(case.name, case.nodes) for case in done}:
        sums = set().union(*(case.sum for case in done if (case.name, case.nodes) == key))
        if len(sums) != 1:
            sys.exit(f"numa: {key[0]} on {key[1]} nodes: found results {sorted(sums)}, expected the same from every run")
    return done


def spread(values, digits=1):
    low, high = min(values), max(values)
    return f"{statistics.mean(values):.{digits}f} ({low:.{digits}f}..{high:.{digits}f})"


# ---- what is measured ----

PARTS = ("exec", "local", "remote", "monitor", "idle")


def mean(values):
    return statistics.mean(values)


class Results:
    """All runs of one workload by policy, with starts in the same order."""

    def __init__(self, name, runs):
        self.name = name
        self.runs = {}
        for case in runs:
            self.runs.setdefault(case.policy, []).append(case)

    def local(self, policy):
        return [case.local_pct for case in self.runs[policy]]

    def time(self, policy):
        """In per cent of the bound from the same start; of the first policy if the bound was not measured."""
        base = self.runs.get("uma") or next(iter(self.runs.values()))
        return [100 * case.time / other.time for case, other in zip(self.runs[policy], base)]

    def figure(self, policy):
        """PARTS in per cent of the time with static placement (or of the first policy's)."""
        base = self.runs.get("none") or next(iter(self.runs.values()))
        whole = mean([case.nodes * case.time for case in base])
        parts = [case.parts() for case in self.runs[policy]]
        return [100 * mean([part[name] for part in parts]) / whole for name in PARTS]

    def rate(self, kind):
        """Pages a second, in the time between the marks (moves before it count too: few)."""
        return mean([case.moves[kind][0] / (case.time / 400e6) for case in self.runs["both"]])


def print_figure(all_results):
    print("\nThe paper's migration figure: time in % of static placement; the paper's own bars below ours.")
    print("Stalls of the monitor are in its own column.\n")
    print(f"{'':22s}{'exec':>7s}{'local':>7s}{'remote':>8s}{'monitor':>9s}{'idle':>6s}{'total':>7s}  {'% local':<20s}{'time, UMA = 100':<22s}")
    for result in all_results:
        print(result.name)
        for policy in result.runs:
            row = result.figure(policy)
            print(f"  {policy:20s}" + "".join(f"{value:{width}.1f}" for value, width in zip(row, (7, 7, 8, 9, 6)))
                  + f"{sum(row):7.1f}  {spread(result.local(policy)):<20s}{spread(result.time(policy)):<22s}")
            paper = WORKLOADS[result.name].paper.get(policy)
            if paper:
                exec_, local, remote, disco, percent = paper
                bound = sum(WORKLOADS[result.name].paper["uma"][:4])
                print(f"    {'the paper':18s}{exec_:7.1f}{local:7.1f}{remote:8.1f}{disco:9.1f}{'':6s}{sum(paper[:4]):7.1f}  "
                      f"{percent or '':<20}{100 * sum(paper[:4]) / bound:.0f}")
        if "both" in result.runs:
            print(f"  {'moves a second':20s}{result.rate('migrated'):7.0f} migrations, {result.rate('replicated'):.0f} replications, "
                  f"{result.rate('collapsed'):.0f} collapses")


def cost(all_results, kind):
    """[cycles of one move: shootdown, copy, bookkeeping, waiting for the VM's lock], over all runs with policy both; None: there was none."""
    runs = [case for result in all_results for case in result.runs.get("both", ())]
    pages = sum(case.moves[kind][0] for case in runs)
    return [sum(case.moves[kind][part] for case in runs) / pages * 0.4 for part in (3, 4, 5, 2)] if pages else None


def print_costs(all_results, rows):
    print("\nOne move in cycles, at the node that gains (the paper: 23,000 to 41,000 in all; reach, with waiting: <= 25,000):\n")
    print(f"{'':14s}{'shootdown':>10s}{'copy':>8s}{'bookkeeping':>13s}{'in all':>8s}{'and waiting for others':>24s}")
    for kind, name in (("migrated", "migration"), ("replicated", "replication")):
        parts = cost(all_results, kind)
        if not parts:
            continue
        print(f"{name:14s}{parts[0]:10.0f}{parts[1]:8.0f}{parts[2]:13.0f}{sum(parts[:3]):8.0f}{parts[3]:24.0f}"
              f"{'  MISS' if sum(parts) > 25000 else ''}")
        rows.append(row(f"{name}.cycles", sum(parts[:3]), "cycles", "23000..41000"))
        rows.append(row(f"{name}.cycles_and_waiting", sum(parts), "cycles", "23000..41000"))
        for part, value in zip(("shootdown", "copy", "bookkeeping", "waiting"), parts):
            rows.append(row(f"{name}.{part}", value, "cycles", None))


def row(name, value, unit, paper, values=None):
    one = {"name": name, "value": value, "unit": unit, "paper": paper}
    if values:
        one.update(low=min(values), high=max(values))
    return one


def rows_of(result):
    paper = WORKLOADS[result.name].paper
    for policy in result.runs:
        bars = paper.get(policy)
        local, time = result.local(policy), result.time(policy)
        yield row(f"{result.name}.{policy}.local_pct", mean(local), "% of misses", bars and bars[4], local)
        yield row(f"{result.name}.{policy}.time_pct", mean(time), "% of the UMA bound",
                  bars and round(100 * sum(bars[:4]) / sum(paper["uma"][:4])), time)


def print_targets(all_results):
    print("\nTargets:")
    for result in all_results:
        if not {"none", "both", "uma"} <= set(result.runs):
            continue
        local, time, static = (mean(result.local("both")), mean(result.time("both")), mean(result.time("none")))
        if WORKLOADS[result.name].targets:
            print(f"  {result.name:16s} local {local:5.1f} % (88 or more)  {'ok' if local >= 88 else 'MISS'}")
            print(f"  {'':16s} time {time:6.1f} % (115 or less) {'ok' if time <= 115 else 'MISS'}")
        print(f"  {result.name:16s} {100 * time / static:5.1f} % of static placement (103 or less) {'ok' if time <= 1.03 * static else 'MISS'}")


# ---- sensitivity: one start each ----

def compare(title, name, cases, jobs):
    """A line for each case; times in % of the first one's."""
    done = run_all(cases, jobs)
    print(f"\n{title}: {name}\n")
    for case in done:
        moved = f"{case.moves['migrated'][0]} + {case.moves['replicated'][0]} moves"
        what = f"{case.policy}{case.model}{case.words}, {case.nodes} nodes"
        print(f"  {what:52s}{case.local_pct:6.1f} % local{100 * case.time / done[0].time:8.1f} % of the first's time   {moved}")
    return [row(f"{name}.{title}.{case.policy}{case.model}{case.words}.{case.nodes}", 100 * case.time / done[0].time, "% of the first", None)
            for case in done]


def sensitivity(names, jobs):
    rows = []
    for name in names:
        for remote in (600, 900, 1200, 3000):
            rows += compare("latency", name, [Case(name, "uma")] + [Case(name, policy, model=f",remote={remote}")
                                                                     for policy in ("none", "both")], jobs)
        rows += compare("thresholds", name, [Case(name, "uma")] + [Case(name, "both", words=f",trigger={trigger},sharing={trigger // 4}")
                                                                    for trigger in (16, 32, 64, 128, 255)], jobs)
        for model in ("tlb=64", "dirty=1", "occupancy=100", "tlb=64,dirty=1,occupancy=100"):
            rows += compare("machine", name, [Case(name, policy, model="," + model) for policy in ("uma", "none", "both")], jobs)
        for nodes in (2, 4, 8, 16):
            rows += compare("nodes", name, [Case(name, policy, nodes=nodes) for policy in ("uma", "none", "both")], jobs)
    return rows


def main():
    parser = argparse.ArgumentParser(usage=__doc__.splitlines()[-1].split(":", 1)[1].strip())
    parser.add_argument("--only", default=",".join(WORKLOADS))
    parser.add_argument("--policies", default=",".join(POLICIES))
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sensitivity", action="store_true")
    parser.add_argument("--set", default="", help="parameters of the policy, as at the prompt's policy command")
    options = parser.parse_args()
    words = "," + options.set if options.set else ""
    names = options.only.split(",")
    cases = [Case(name, policy, start, words=words) for name in names for policy in options.policies.split(",")
             for start in range(options.starts)]
    done = run_all(cases, options.jobs)
    all_results = [Results(name, [case for case in done if case.name == name]) for name in names]
    rows = [one for result in all_results for one in rows_of(result)]
    print_figure(all_results)
    print_costs(all_results, rows)
    print_targets(all_results)
    if options.sensitivity:
        rows += sensitivity(names, options.jobs)
    write(rows)


def write(rows):
    """build/results/numa.json, with the calibration's error if that was measured."""
    calibration = TOP / "build/results/calibration.json"
    if calibration.exists():
        rows += [one for one in json.loads(calibration.read_text()) if one["name"] == "calibration.error_pct"]
    bench.write_rows(rows, "numa")


if __name__ == "__main__":
    main()
