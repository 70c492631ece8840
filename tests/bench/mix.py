#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""More VCPUs than processors (mix.c), under the timing model (qemu/flash, preset=paper): what four VMs of eight VCPUs get done that pass a lock on
and yield while they wait for it, on eight processors, with gangs and directed yields and without; and how late somebody wakes who sleeps most of
the time, alone, beside a batch on the same processor, and beside batches of eight VCPUs. Rows scaling.* of build/results/scaling.json.

usage: mix.py [--only NAME[,NAME]] [--ms 100] [--wakes 150]
"""
import argparse
import re
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
import bench  # noqa: E402
import timed  # noqa: E402
from machine import vm, write_scenario  # noqa: E402

NODES, VMS = 8, 4
LIMIT = 900  # seconds of the host for one run
ALL = list(range(NODES))


def guest(label, role, nodes, **more):
    words = f"role={role} vcpus={len(nodes)} " + " ".join(f"{key}={value}" for key, value in more.pop("words", {}).items())
    return vm(label, "bench/mix.elf", None, 8, words.strip(), vcpus=len(nodes), node=nodes, **more)


def run(name, vms, lines, words="", nodes=NODES):
    """The first matches of the lines, each once."""
    archive = write_scenario(bench.OUT, vms, nodes=nodes, memory=512, name=f"mix-{name}")
    with timed.machine(f"bench-mix-{name}", archive, words, "preset=paper") as one:
        return one.expect_all(lines, LIMIT)


# Gangs, directed yields: each by its name in the rows.
SMP = {"plain": (False, False), "direct": (False, True), "gang": (True, False), "both": (True, True)}


def smp(name, options):
    gang, direct = SMP[name]
    vms = [guest(f"vm{i}", 0, ALL, words={"ms": options.ms}, **({"gang": True} if gang else {})) for i in range(VMS)]
    found = run(name, vms, [rf"\[vm{i}\] mix: (\d+) rounds" for i in range(VMS)], "" if direct else "off=direct")
    rounds = [1000 * int(match[1]) / options.ms for match in found]
    print(f"{name:8s}{'gangs' if gang else '-':>8s}{'directed' if direct else '-':>10s}{sum(rounds):12.0f} rounds a second of all four, "
          f"{min(rounds):.0f} to {max(rounds):.0f} of each")
    return [{"name": f"scaling.smp4x8.{name}.rounds", "value": sum(rounds), "unit": "a second", "low": min(rounds), "high": max(rounds)}]


BESIDE = {
    "alone": ("nobody", []),
    "batch": ("a batch on its processor", [("batch", [1])]),
    "batch2": ("two batches on its processor", [("batch", [1]), ("more", [1])]),
    "smp": ("a batch of eight VCPUs on eight processors", [("batch", ALL)]),
    "smp4": ("four of these", [(f"batch{i}", ALL) for i in range(VMS)]),
}


def wakes(name, options):
    what, others = BESIDE[name]
    vms = [guest("types", 2, [1], words={"wakes": options.wakes}), *(guest(label, 1, nodes) for label, nodes in others)]
    found = run(name, vms, [r"mix: late 50 (\d+), 99 (\d+), most (\d+) ns"], nodes=NODES if any(len(nodes) > 1 for _, nodes in others) else 2)[0]
    p50, p99, most = (int(found[i]) / 1000 for i in (1, 2, 3))
    print(f"{name:8s}{p50:10.1f}{p99:10.1f}{most:10.1f}   us late, 50 %, 99 %, most; beside {what}")
    return [{"name": f"scaling.wake.{name}.{part}", "value": value, "unit": "us"} for part, value in (("p50_us", p50), ("p99_us", p99), ("most_us", most))]


def main():
    parser = argparse.ArgumentParser(usage=next(line for line in __doc__.splitlines() if line.startswith("usage:"))[7:])
    parser.add_argument("--only", default=",".join([*SMP, *BESIDE]))
    parser.add_argument("--ms", type=int, default=100)
    parser.add_argument("--wakes", type=int, default=150)
    options = parser.parse_args()
    names = options.only.split(",")
    if not set(names) <= set(SMP) | set(BESIDE):
        sys.exit(f"mix: found {options.only}, allowed {','.join([*SMP, *BESIDE])}")
    rows = [row for name in names for row in (smp if name in SMP else wakes)(name, options)]
    bench.write_rows(rows, "scaling", keep=True)


if __name__ == "__main__":
    main()
