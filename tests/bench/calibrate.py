#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How many cache misses a charged TLB miss stands for: the injected delays (numa/latency.c) against the timing model (qemu/flash).

Runs each access pattern of guests/numa/patterns.c in memory of another node, in several sizes: under the model, which counts the remote
misses, and without it, with delays, where the monitor counts what it charged. D of a class of patterns is the ratio of the two, the
median of its runs. What D is worth: each pattern is predicted with the D of the other patterns of its class, which have never
seen it; the error is that of the predicted time of remote misses. Prints both and writes build/results/calibration.json.
"""
import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests"))
from machine import vm, write_scenario  # pylint: disable=wrong-import-position

OUT = TOP / "build/results/calibration"
LIMIT = 300
# In the order of the guest's table. Class, and rounds for 2 MB.
PATTERNS = {
    "stream": ("sequential", 8), "stream_write": ("sequential", 8), "scan": ("sequential", 4), "stencil": ("sequential", 4),
    "uniform": ("scattered", 8), "update": ("scattered", 8), "chase": ("scattered", 8), "zipf": ("scattered", 40),
    "runs": ("clustered", 8), "records": ("clustered", 8), "matmul": ("scattered", 4), "blocked": ("scattered", 6),
}
SIZES = (2048, 4096, 8192) # KB; the cache has 1024
REMOTE_NS = 600 # what a remote miss costs more than a local one


def run(archive, log, options):
    command = ["timeout", "-k", "5", str(LIMIT), "qemu/run.sh", "-q", *options, str(archive)]
    with open(log, "wb") as out:
        subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, check=False)
    text = log.read_text(errors="replace")
    found = re.search(r"patterns: charged (\d+), (\d+) ns.*?sum ([0-9a-f]+)", text, re.S)
    if not found:
        sys.exit(f"calibrate: found no result in {log}")
    return int(found[1]), int(found[2]), found[3]


def measure(name, size, folder):
    """Remote misses under the model; charged misses without it."""
    rounds = max(1, PATTERNS[name][1] * SIZES[0] // size)
    bootargs = f"pattern={list(PATTERNS).index(name)} kb={size} rounds={rounds}"
    one = vm("p", "numa/patterns.elf", None, 32, bootargs=bootargs, vcpus=2, node=[0, 1])
    archive = write_scenario(folder, [one], nodes=2, memory=256)
    out = OUT / f"{name}-{size}.json"
    *_, model_sum = run(archive, OUT / f"{name}-{size}-model.log", ["-a", "exit=1 policy=none", "-f", f"out={out}"])
    count, ns, layer_sum = run(archive, OUT / f"{name}-{size}-layer.log", ["-a", f"exit=1 policy=none latency={PATTERNS[name][0]}"])
    if model_sum != layer_sum:
        sys.exit(f"calibrate: {name}, {size} KB: the sums differ")
    used = json.loads(out.read_text())["processors"][1]
    misses = used["data_misses"]["remote"] + used["upgrades"]["remote"]
    return {"pattern": name, "class": PATTERNS[name][0], "kb": size, "misses": misses, "charged": count}


def misses_for_each(runs):
    """D: the median of the runs' ratios."""
    return statistics.median(one["misses"] / one["charged"] for one in runs)


def hold_out(runs):
    """Into each run, in per cent: what a D that has not seen its pattern makes of it."""
    for one in runs:
        others = [other for other in runs if other["class"] == one["class"] and other["pattern"] != one["pattern"]]
        predicted = one["charged"] * misses_for_each(others)
        one["error_pct"] = round(100 * (predicted / one["misses"] - 1), 1)


def row(name, value, unit):
    return {"name": name, "value": round(value, 3), "unit": unit}


def report(runs):
    rows, classes = [], sorted({one["class"] for one in runs})
    print(f"{'pattern':14s}{'class':12s}{'KB':>6s}{'misses':>10s}{'charged':>9s}{'ratio':>8s}{'hold-out':>10s}")
    for one in runs:
        print(f"{one['pattern']:14s}{one['class']:12s}{one['kb']:6d}{one['misses']:10d}{one['charged']:9d}"
              f"{one['misses'] / one['charged']:8.2f}{one['error_pct']:+9.1f} %")
    for name in classes:
        mine = [one for one in runs if one["class"] == name]
        error = statistics.fmean(abs(one["error_pct"]) for one in mine)
        rows += [row(f"calibration.{name}.misses", misses_for_each(mine), "misses"), row(f"calibration.{name}.error_pct", error, "%")]
        print(f"{name}: D = {misses_for_each(mine):.2f} misses for each one charged; hold-out error {error:.1f} %")
    rows.append(row("calibration.error_pct", statistics.fmean(abs(one["error_pct"]) for one in runs), "%"))
    single = misses_for_each(runs)
    rows.append(row("calibration.single.error_pct",
                    statistics.fmean(abs(one["charged"] * single / one["misses"] - 1) * 100 for one in runs), "%"))
    print(f"all: hold-out error {rows[-2]['value']:.1f} %; with one D = {single:.2f} for everything {rows[-1]['value']:.1f} %")
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patterns", default=",".join(PATTERNS), help="some of them; at least two of a class")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="KB")
    parser.add_argument("--out", default=TOP / "build/results/calibration.json", type=Path)
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.patterns.split(","):
            for size in map(int, options.sizes.split(",")):
                print(f"calibrate: {name}, {size} KB ...", file=sys.stderr, flush=True)
                runs.append(measure(name, size, folder))
    hold_out(runs)
    rows = report(runs)
    options.out.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
