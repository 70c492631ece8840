#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What VCPUs cost that move between nodes: under the timing model (qemu/flash), while the four VCPUs of guests/numa/raytrace.c run, two of
them to each of two nodes, and back, by the prompt. Writes build/results/scaling.json.

usage: scaling.py [--times 12]      so many times all four go to the other nodes
"""
import argparse
import re
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
import bench  # noqa: E402
from machine import Machine, vm, write_scenario  # noqa: E402

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
    one = Machine("bench-scaling", write_scenario(bench.OUT, [rays], nodes=5, memory=512, name="scaling"), "", ["-f", ""])
    try:
        one.expect(r"vm: rays started", LIMIT)
        for i in range(times):
            one.command(f"move rays {PLACES[i % 2]}", LIMIT)
            wanted, give_up = {1, 2} if i % 2 else {3, 4}, time.monotonic() + LIMIT
            while set(nodes_of(one)) != wanted:
                if time.monotonic() > give_up:
                    sys.exit(f"bench-scaling: VCPUs do not arrive: see {one.log_path}")
        found = moved(one)
        one.quit()
    except AssertionError as why:
        sys.exit(f"bench-scaling: {why}")
    finally:
        one.kill()
    return found


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--times", type=int, default=12)
    found = measure(parser.parse_args().times)
    count = sum(moves for moves, _ in found)
    ns = sum(moves * each for moves, each in found) / count
    print(f"\n{count} moves of a VCPU that runs, from the last look on its node to the run queue of the next (the paper's successor: 37 us "
          f"in a node, 520 us to another; reach <= 20 us): {ns / 1000:.1f} us, {ns * MHZ / 1000:.0f} cycles")
    bench.write_rows([{"name": "scaling.vcpu_move", "value": round(ns * MHZ / 1000), "unit": "cycles"},
                      {"name": "scaling.vcpu_move.us", "value": round(ns / 1000, 2), "unit": "us"}], "scaling", keep=True)


if __name__ == "__main__":
    main()
