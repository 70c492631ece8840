#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The paper's figure of scalability: the makes of eight users (guests/workloads/pmakes.sh) on a machine of eight processors, in simulated
time on the paper's machine (qemu/flash, preset=paper). On one bare SMP kernel that knows nothing of nodes, its pages on the nodes in turn, which is 100;
and in 1, 2, 4 and 8 guests of 8, 4, 2 and 1 VCPUs, each VCPU on a node of its own; 8nfs: in 8, of which the first serves the files of
all by NFSv3, but the headers of the system; 8nfs4: by NFSv4.1; 8nfsall: by NFSv4.1 these headers, too.
Rows scaling.* of build/results/scaling.json.

usage: pmakes.py [--only bare,1,2,4,8,8nfs,8nfs4,8nfsall] [--processors 8] [--jobs 1] [--words WORDS] [--model OPTIONS]
--processors: and users; no rows but for eight
"""
import argparse
import concurrent.futures
import json
import re
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
import bench  # noqa: E402
import timed  # noqa: E402
from machine import net, vm, write_scenario  # noqa: E402

TOP, OUT = bench.TOP, bench.OUT / "pmakes"
NODES = 8  # and users
MACHINE, GUESTS = 1024, 704  # MB of the machine, of all guests together
UNIT = 64  # of the markers
# The paper's figure: bare = 100; in its order idle, Disco, synchronisation, kernel, stall, user are drawn, and only the whole is given in numbers.
PAPER = {"bare": 100, "1": 136, "2": 92, "4": 64, "8": 60, "8nfs": 86, "8nfs4": 86, "8nfsall": 86}
GOALS = {"1": 115, "8": 60}
# How clients mount the server's files. Each user's are written by nobody else, so that the server need not be asked at each open (nocto)
# what has changed; acregmax is for the file that tells all to begin.
MOUNT = {"nfs": ",vers=3,nocto,acregmax=3", "nfs4": "", "nfsall": ""}
PARTS = ("idle", "monitor", "sync", "kernel", "stall", "user")


def say(text):
    print(f"pmakes: {text}", file=sys.stderr, flush=True)


def locks(kernel):
    """The model's options for where a kernel waits for spin locks."""
    listing = subprocess.run([f"{bench.CROSS}nm", "-S", str(TOP / kernel)], check=True, capture_output=True, text=True).stdout
    begin, end = (int(re.search(rf"^(\w+) T __lock_text_{name}$", listing, re.M)[1], 16) for name in ("start", "end"))
    spin = re.search(r"^(\w+) (\w+) T disco_yield$", listing, re.M)  # what cpu_relax() calls in a guest
    return f"lock={begin:#x},lock_bytes={end - begin:#x}" + (f",spin=0x{spin[1]},spin_bytes=0x{spin[2]}" if spin else "")


def sums_of(text):
    """{user: checksum}"""
    return dict(re.findall(r"pmakes: user (\d+) sum (\w{32})", text))


def guest(index, count, processors, nfs=""):
    each = processors // count
    files = (f" nfs vm0{MOUNT[nfs]}" if index else f" serve {processors}" + (" all" if nfs == "nfsall" else "")) if nfs else ""
    return vm(f"vm{index}", ramdisk="pmakes-root.cpio", memory=GUESTS // count, vcpus=each, node=[index * each + i for i in range(each)],
              bootargs=f'console=hvc0 hostname=vm{index} disco.run="pmakes {index * each} {each}{files}"',
              **({"net0": net(mtu=65535)} if nfs else {}))


def run_guests(name, model, folder, words, processors):
    count, nfs = int(name[0]), name[1:]
    archive = write_scenario(folder, [guest(i, count, processors, nfs) for i in range(count)], nodes=processors, memory=MACHINE)
    with timed.machine(f"bench-pmakes-{name}", archive, words, f"{model},{locks('build/linux/vmlinux')}") as one:
        one.expect_all([rf"vm: vm{i} powered off, code 0" for i in range(count)], timed.LIMIT)
        one.quit()
    return one.log_path.read_text(errors="replace")


class Case:
    """One run: "bare", or so many guests; afterwards what came of it."""

    def __init__(self, name, options):
        self.name, self.options = name, options
        self.json = self.sums = self.requests = None

    def run(self):
        say(f"{self.name} ...")
        folder = OUT / self.name
        folder.mkdir(parents=True, exist_ok=True)
        out = folder / "model.json"
        out.unlink(missing_ok=True)
        model = f"preset=paper,out={out},unit={UNIT}" + (f",{self.options.model}" if self.options.model else "")
        processors = self.options.processors
        text = (timed.bare(f"{model},interleave=1,{locks('build/linux-bare/vmlinux')}", processors, MACHINE, "pmakes-root.cpio", f"pmakes 0 {processors}",
                           folder / "log") if self.name == "bare" else run_guests(self.name, model, folder, self.options.words, processors))
        self.sums = sums_of(text)
        self.requests = re.findall(r"pmakes: user \d+ requests (\d+: [^\r\n]*)", text)
        if len(self.sums) != processors or not out.exists():
            sys.exit(f"pmakes: {self.name} did not end well: found sums of {len(self.sums)} users of {processors}: see {folder.relative_to(TOP)}")
        self.json = json.loads(out.read_text())
        say(f"{self.name}: {self.seconds:.4f} s, {self.json['local_pct']:.1f} % local")
        return self

    @property
    def seconds(self):
        return self.json["T"] / 400e6

    def parts(self):
        """In % of the whole. What spin locks take, with their stalls and the monitor's share, is sync; stall is all other stalls of guest and program."""
        total, whole = self.json["total"], self.json["total"]["cycles"] / 100
        lock, insns, stall = total["lock"], total["insns"], total["stall_by"]
        kernel = "monitor" if self.name == "bare" else "kernel"
        monitor = 0 if self.name == "bare" else insns["monitor"] + stall["monitor"]
        found = {"idle": total["idle"], "monitor": monitor - (lock["monitor"] if monitor else 0), "sync": sum(lock.values()),
                 "kernel": insns[kernel] + stall[kernel] - lock[kernel], "stall": stall["user"], "user": insns["user"]}
        return {part: value / whole for part, value in found.items()}


def report(cases):
    base = next((case for case in cases if case.name == "bare"), None)
    whose = "the bare kernel's" if base else "its own"
    print(f"\n{'':9s}{'seconds':>9s}{'pct':>8s}{'paper':>7s}{'local':>8s}   in % of {whose} time: " + ", ".join(PARTS))
    rows = []
    for case in cases:
        pct = 100 * case.seconds / base.seconds if base else 100
        parts = {part: value * pct / 100 for part, value in case.parts().items()}
        name = case.name if case.name == "bare" else f"vm{case.name}"
        goal = GOALS.get(case.name) if base else None
        print(f"{name:9s}{case.seconds:9.4f}{pct:8.1f}{PAPER[case.name]:7d}{case.json['local_pct']:8.1f}   " +
              "".join(f"{parts[part]:8.2f}" for part in PARTS) + (f"   goal {goal}{'' if pct <= goal else ' MISS'}" if goal else ""))
        if case.requests:
            counts = sorted((int(one.split(":")[0]), one) for one in case.requests)
            print(f"{'':9s}a client's requests of the server: {counts[0][0]} to {counts[-1][0]}; of one: {counts[len(counts) // 2][1]}")
        rows.append({"name": f"scaling.{name}.pct", "value": pct, "unit": "% of the bare kernel's time", "paper": PAPER[case.name], "goal": goal})
        rows += [{"name": f"scaling.{name}.{part}_pct", "value": parts[part], "unit": "% of the bare kernel's time"} for part in PARTS]
    return rows if base else []


def main():
    parser = argparse.ArgumentParser(usage=next(line for line in __doc__.splitlines() if line.startswith("usage:"))[7:])
    parser.add_argument("--only", default=",".join(PAPER))
    parser.add_argument("--processors", type=int, default=NODES, help="and users")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--words", default="", help="for the monitor")
    parser.add_argument("--model", default="", help="more options of the model")
    options = parser.parse_args()
    names = options.only.split(",")
    if not set(names) <= set(PAPER):
        sys.exit(f"pmakes: found {options.only}, allowed {','.join(PAPER)}")
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        cases = list(pool.map(Case.run, [Case(name, options) for name in names]))
    if any(case.sums != cases[0].sums for case in cases):
        sys.exit("pmakes: the checksums of the runs differ: " + ", ".join(case.name for case in cases if case.sums != cases[0].sums))
    rows = report(cases)
    if rows and options.processors == NODES:
        bench.write_rows(rows, "scaling", keep=True)


if __name__ == "__main__":
    main()
