#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What VCPUs cost under the timing model (qemu/flash). Each other: switches, wake-ups, interrupts, flushes (vcpu_costs.c). And moves between nodes, while
the four VCPUs of guests/numa/raytrace.c run, two of them to each of two nodes, and back, by the prompt. Writes build/results/scaling.json.

usage: scaling.py [--times 12]      so many times all four go to the other nodes
"""
import argparse
import re
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
import bench  # noqa: E402
import timed  # noqa: E402
from machine import vm, write_scenario  # noqa: E402

MHZ = 400
PLACES = ("3-4", "1-2")  # node 0 has the prompt
LIMIT = 120  # seconds of the host for one round


def nodes_of(one):
    return [int(match[1]) for match in (re.match(r"rays */\d+ +(\d+) ", line) for line in one.command("vcpus", LIMIT)) if match]


def moved(one):
    """[(moves, ns of one)] of the nodes."""
    return [(int(match[1]), int(match[2])) for match in
            (re.match(r" *\d+  VCPUs +(\d+) .* (\d+)$", line) for line in one.command("moves", LIMIT)) if match]


def measure(times):
    rays = vm("rays", "numa/raytrace.elf", None, 16, "passes=1000000", vcpus=4, node=[1, 2, 1, 2])
    with timed.machine("bench-scaling", write_scenario(bench.OUT, [rays], nodes=5, memory=512, name="scaling")) as one:
        one.expect(r"vm: rays started", LIMIT)
        for i in range(times):
            one.command(f"move rays {PLACES[i % 2]}", LIMIT)
            wanted, give_up = {1, 2} if i % 2 else {3, 4}, time.monotonic() + LIMIT
            while set(nodes_of(one)) != wanted:
                if time.monotonic() > give_up:
                    sys.exit(f"bench-scaling: VCPUs do not arrive: see {one.log_path}")
        found = moved(one)
        one.quit()
    return found


# What vcpu_costs.c measures: the row's name, in cycles or us, and what it is.
COSTS = (
    ("switch", "vcpu_switch", "cycles", "VCPU to another of its VM and node, by YIELD"),
    ("ipi_one_node", "ipi.one_node", "cycles", "interrupt to a VCPU that sleeps on the same node, which then runs in the sender's place"),
    ("ipi_two_nodes", "ipi.two_nodes", "cycles", "interrupt to a VCPU that runs on another node, until the sender sees what its handler has stored"),
    ("wakeup", "wakeup.us", "us", "from the call of who interrupts to the next instruction of a VCPU in WAIT on another node, behind its handler"),
    *((f"flush.{n}", f"flush.{n}", "cycles", f"MMU_FLUSH of a page with {n} other running VCPU{'s' if n > 1 else ''}, each on a node") for n in (1, 2, 4, 8)),
    ("flush.8_asleep", "flush.8_asleep", "cycles", "the same with eight in WAIT, which flush when they wake"),
    ("flush.none", "flush.none", "cycles", "the same of nobody: the call alone"),
)
COUNT_CYCLES = 6 * MHZ / 1000  # of a tick


def costs():
    """Rows of what VCPUs cost each other."""
    guest = vm("costs", "bench/vcpu_costs.elf", None, 16, None, vcpus=10, node=[1, *range(1, 10)])
    archive = write_scenario(bench.OUT, [guest], nodes=10, memory=512, name="vcpu-costs")
    with timed.machine("bench-vcpu-costs", archive, model="preset=paper,quantum=100") as one:
        one.expect(r"vm: costs powered off, code 0", LIMIT)
        one.quit()
    found = {name: COUNT_CYCLES * int(ticks) / int(times) for name, ticks, times in
             re.findall(r"vcpu_costs: (\S+) (\d+) ticks of (\d+)", one.log_path.read_text())}
    print("\nWhat VCPUs cost each other, a thousand times each:")
    rows = []
    for name, row, unit, what in COSTS:
        value = found[name] / MHZ if unit == "us" else found[name]
        print(f"{value:9.{2 if unit == 'us' else 0}f} {unit:7s}{what}")
        rows.append({"name": f"scaling.{row}", "value": round(value, 2), "unit": unit})
    return rows


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--times", type=int, default=12)
    options = parser.parse_args()
    rows = costs()
    found = measure(options.times)
    count = sum(moves for moves, _ in found)
    ns = sum(moves * each for moves, each in found) / count
    print(f"\n{count} moves of a VCPU that runs, from the last look on its node to the run queue of the next (the paper's successor: 37 us "
          f"in a node, 520 us to another; reach <= 20 us): {ns / 1000:.1f} us, {ns * MHZ / 1000:.0f} cycles")
    bench.write_rows(rows + [{"name": "scaling.vcpu_move", "value": round(ns * MHZ / 1000), "unit": "cycles"},
                             {"name": "scaling.vcpu_move.us", "value": round(ns / 1000, 2), "unit": "us"}], "scaling", keep=True)


if __name__ == "__main__":
    main()
