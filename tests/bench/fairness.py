#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a node's neighbours leave each other. Usage: fairness.py [--only NAME,...] [--ms N] [--quick]

A victim that computes shares node 1 of a machine of two nodes with a neighbour that tries to get more than its half
(guests/rivals/neighbour.c); node 0 idles. Then a VM with VCPUs on both nodes asks for shootdowns while the neighbour runs on
node 1. Time is instructions executed (run.sh -d), of all processors together: runs repeat, and what node 0's ticks take counts as
gaps of node 1. Prints a table, writes build/results/fairness.json.
"""
import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(TOP / "tests/bench"), str(TOP / "tests")]
import bench  # noqa: E402
from machine import PATIENCE, vm, write_scenario  # noqa: E402

# Name: (number in neighbour.c, its VCPUs, its memory in MB)
HABITS = {
    "spin": (0, 1, 8), "wake": (1, 2, 8), "set_timer": (2, 1, 8), "compare": (3, 1, 8), "yield": (4, 1, 8), "flood": (5, 1, 8),
    "reset": (6, 1, 128), "ipi": (7, 2, 8), "flush": (8, 1, 8), "all": (9, 9, 32),
}
SHARE_PCT, GAP_MS, SHOOTDOWN_TIMES = 45, 25, 2  # at least; at most; at most, of what it is beside spin
SHOOTDOWN_US = 100  # at most: the VCPU on node 1 sleeps, so that node is not waited for, which would take some ms in this clock
LIMIT = 60  # seconds for a run


def neighbour(name):
    habit, vcpus, memory = HABITS[name]
    return vm("neighbour", "rivals/neighbour.elf", None, memory, vcpus=vcpus, node=1, bootargs=f"habit={habit} megabytes={memory}")


def run(vms, line, clock="-d"):
    """Run these VMs until the line has come, a regular expression; its groups as numbers."""
    with tempfile.TemporaryDirectory() as folder:
        archive = write_scenario(folder, vms, nodes=2, memory=512)
        words = ["qemu/run.sh", "-q", *([clock] if clock else []), str(archive)]
        with subprocess.Popen(["timeout", "-k", "5", str(LIMIT * PATIENCE), *words], cwd=TOP, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as qemu:
            tail = []
            for raw in qemu.stdout:
                text = raw.decode(errors="replace")
                found = re.search(line, text)
                if found:
                    qemu.terminate()
                    return tuple(map(int, found.groups()))
                tail = (tail + [text])[-10:]
    raise AssertionError(f"no line {line!r} came; the last ones:\n" + "".join(tail))


def share_and_gap(name, ms, clock="-d"):
    """(percent of its node that the victim has beside this neighbour, its longest gap in ms)"""
    victim = vm("victim", "rivals/victim.elf", None, 8, node=1, bootargs=f"ms={ms}")
    share, gap = run([neighbour(name), victim], r"\[victim\] share (\d+) per mille, gap (\d+) us", clock)
    return share / 10, gap / 1000


def shootdown_us(name, calls, clock="-d"):
    """(mean of all but the longest fiftieth, longest) wait for a shootdown of the neighbour's node, in us"""
    shooter = vm("shooter", "rivals/shooter.elf", None, 8, vcpus=2, node=[0, 1], bootargs=f"calls={calls}")
    mean, longest = run([neighbour(name), shooter], r"\[shooter\] shootdown (\d+) ns, longest (\d+) us", clock)
    return mean / 1000, float(longest)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.splitlines()[0].split("Usage: ")[1])
    parser.add_argument("--only", default=",".join(HABITS))
    parser.add_argument("--ms", type=int, default=10000)
    parser.add_argument("--quick", action="store_true", help="two minutes: a second each")
    parser.add_argument("--host-clock", action="store_true", help="time is the host's: does not repeat")
    options = parser.parse_args()
    ms, calls, clock = (1000, 300, "-d") if options.quick else (options.ms, 2000, "-d")
    clock = None if options.host_clock else clock
    rows, measure = [], shootdown_us("spin", calls, clock)[0]
    print(f"{'beside':12s}{'share %':>9s}{'gap ms':>9s}{'shootdown us':>14s}{'longest':>9s}{'times spin':>12s}")
    for name in options.only.split(","):
        share, gap = share_and_gap(name, ms, clock)
        mean, longest = shootdown_us(name, calls, clock)
        missed = [what for what, bad in (("share", share < SHARE_PCT), ("gap", gap > GAP_MS),
                                         ("shootdown", mean > min(SHOOTDOWN_US, SHOOTDOWN_TIMES * measure))) if bad]
        print(f"{name:12s}{share:9.1f}{gap:9.1f}{mean:14.1f}{longest:9.0f}{mean / measure:12.2f}"
              f"{'  MISS: ' + ', '.join(missed) if missed else ''}", flush=True)
        for what, value, unit in (("share_pct", share, "% of the node"), ("gap_ms", gap, "ms"), ("shootdown_us", mean, "us"),
                                  ("shootdown_times", mean / measure, "times beside spin")):
            rows.append({"name": f"fairness.{name}.{what}", "value": value, "unit": unit})
    bench.write_rows(rows, "fairness")


if __name__ == "__main__":
    main()
