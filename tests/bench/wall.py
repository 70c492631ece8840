#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a person in front of the machine waits for, in the host's time: unit operations and the workloads in QEMU's own seconds, the bare
machine and the monitor side by side; threads that spin at barriers; what a machine costs whose guests wait; the way to a shell and to an echo.

The seconds of QEMU are those that it ran in user mode; medians of pairs, with their range. The two of a pair run at the same time: a host that is
itself a guest is now faster, now slower by half, and so is for both. "fastest" is the ratio of the least seconds of each side, which such a host
disturbs least.
Writes build/results/wall.json, where rows of what is not measured this time are kept.
usage: wall.py [--pairs N] [--only PART[,PART]] [--quick]      (PART: units, barriers, run, pmake, ...; --quick: two pairs, no workload)
"""
import argparse
import concurrent.futures
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
import bench  # noqa: E402
import overhead  # noqa: E402
from machine import PROMPT, Machine  # noqa: E402

TOP, OUT = bench.TOP, bench.OUT
LIMIT = 900
IDLE_SECONDS = 20
ECHOES = 30
# Most that a ratio may be; the rest is for the reader.
AIMS = {"fork_exit": 1.5, "fork_exec": 1.5, "ping_pong": 1.3}
AIM_PMAKE, AIM_IDLE, AIM_BARRIER = 110, 3, 3


def say(text):
    print(f"bench-wall: {text}", file=sys.stderr, flush=True)


def host_seconds(pid, kernel=False):
    """What the process has run in user mode, and in the host's kernel too if wanted; /proc counts in hundredths."""
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + (int(words[12]) if kernel else 0)) / os.sysconf("SC_CLK_TCK")


def watch(name, words, begin, end, done):
    """Seconds of QEMU between the lines that match begin and end, whose first group says of what; until done comes."""
    log, marks, seconds = OUT / f"wall-{name}.log", {}, {}
    with open(log, "wb") as sink, subprocess.Popen(words, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                                   stderr=subprocess.STDOUT) as qemu:
        watchdog = threading.Timer(LIMIT, qemu.kill)
        watchdog.start()
        for raw in qemu.stdout:
            now = host_seconds(qemu.pid)
            sink.write(raw)
            line = raw.decode(errors="replace")
            found = re.search(begin, line)
            if found:
                marks[found.group(1)] = now
            found = re.search(end, line)
            if found:
                seconds[found.group(1)] = now - marks[found.group(1)]
            if re.search(done, line):
                qemu.terminate()
        watchdog.cancel()
    if not seconds:
        sys.exit(f"bench-wall: {name}: found no {end!r} in {log.relative_to(TOP)}")
    return seconds


def pair_rows(rows, what, sides, pairs, marks, aims, percent=False):
    """Rows of ratios, ours to bare, of everything between the marks. sides: (bare, ours), commands."""
    found = {}
    for pair in range(pairs):
        say(f"{what}, pair {pair + 1} of {pairs} ...")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            bare, ours = pool.map(lambda side, words: watch(f"{what}-{side}", words, *marks), ("bare", "disco"), sides)
        for name in bare:
            found.setdefault(name, []).append((ours[name], bare[name]))
    for name, times in found.items():
        ratios = [our / plain for our, plain in times if plain]
        if not ratios:
            continue
        factor = 100 if percent else 1
        rows.append({"name": f"{name}.cpu_{'pct' if percent else 'ratio'}", "value": factor * statistics.median(ratios),
                     "unit": "% of bare" if percent else "times bare", "bare": statistics.median(plain for _, plain in times),
                     "least": factor * min(ratios), "most": factor * max(ratios), "pairs": len(ratios), "aim": aims.get(name),
                     "fastest": factor * min(our for our, _ in times) / min(plain for _, plain in times if plain)})


def unit_rows(rows, pairs):
    bare = bench.BARE[:-1] + [bench.BARE[-1] + " units=times"]
    sides = (["qemu/run.sh", "-q", *bare, "--", "-initrd", "build/bench-root.cpio"],
             ["qemu/run.sh", "-q", "build/bench/times.cpio"])
    pair_rows(rows, "units", sides, pairs, (r"unitops: begin (\w+)", r"unitops: end (\w+)", r"unitops: done"), AIMS)


def workload_rows(rows, names, pairs):
    for name in names:
        marks = (r"workload: (\w+) begin", r"workload: (\w+) end", r"workload: \w+ sum")
        pair_rows(rows, name, [overhead.command(side, name) for side in ("bare", "disco")], pairs, marks, {"pmake": AIM_PMAKE}, True)


def barrier_rows(rows):
    say("barriers ...")
    one = Machine("bench-barrier", "build/bench/wall.cpio")
    try:
        one.expect(r"unitops: done", LIMIT)
    finally:
        one.kill()
    times = re.findall(r"barrier: (\d) threads (\d+) ms", one.log_path.read_text())
    alone, four = ([int(ms) for threads, ms in times if threads == which] for which in "14")
    ratios = [b / a for a, b in zip(alone, four)]
    rows.append({"name": "spin_barrier.ratio", "value": statistics.median(ratios), "unit": "times one thread", "bare": None,
                 "least": min(ratios), "most": max(ratios), "pairs": len(ratios), "aim": AIM_BARRIER})


def run_rows(rows):
    """The default machine as `make run` shows it."""
    say("the default machine ...")
    one = Machine("bench-run", "default")
    try:
        one.expect_all([r"\[alpha\] alpha: Linux [^\n]* shell ", r"\[beta\] beta: Linux [^\n]* shell "], 180)
        seconds = time.monotonic() - one.started
        one.send("\r")
        one.expect(re.escape(PROMPT))
        time.sleep(2)
        start, before = time.monotonic(), host_seconds(one.line.pid, True)
        time.sleep(IDLE_SECONDS)
        idle = (host_seconds(one.line.pid, True) - before) / (time.monotonic() - start) * 100
        one.attach("alpha")
        one.send("\r")
        one.expect(r"alpha:[^\n]*# ")
        echoes = []
        for number in range(ECHOES):
            key = "abcdefghij"[number % 10]
            time.sleep(0.05)
            start = time.monotonic()
            one.line.send(key)
            one.expect(key)
            echoes.append(1000 * (time.monotonic() - start))
    finally:
        one.kill()
    rows.append({"name": "run.seconds", "value": seconds, "unit": "s to both shells", "bare": None})
    rows.append({"name": "idle.host_cpu_pct", "value": idle, "unit": "% of a processor", "bare": None, "aim": AIM_IDLE})
    rows.append({"name": "echo.ms", "value": statistics.median(echoes), "unit": "ms from a key to its echo", "bare": None,
                 "least": min(echoes), "most": max(echoes)})


def print_rows(rows):
    print(f"{'row':28s}{'value':>9s}{'least':>9s}{'most':>9s}{'fastest':>9s}{'aim':>7s}   unit")
    for row in rows:
        least, most, fastest = (f"{row[key]:9.2f}" if key in row else " " * 9 for key in ("least", "most", "fastest"))
        aim = row.get("aim")
        miss = "  MISS" if aim and row["value"] > aim else ""
        print(f"{row['name']:28s}{row['value']:9.2f}{least}{most}{fastest}{aim if aim else '-':>7}   {row['unit']}{miss}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    parts = ["units", "barriers", "run", *([] if options.quick else overhead.WORKLOADS)]
    chosen = options.only.split(",") if options.only else parts
    for part in chosen:
        if part not in ["units", "barriers", "run", *overhead.WORKLOADS]:
            sys.exit(f"bench-wall: found --only {part}, allowed units, barriers, run, {', '.join(overhead.WORKLOADS)}")
    OUT.mkdir(parents=True, exist_ok=True)
    overhead.OUT.mkdir(parents=True, exist_ok=True)
    rows, pairs = [], 2 if options.quick else options.pairs
    if "units" in chosen:
        unit_rows(rows, pairs)
    if "barriers" in chosen:
        barrier_rows(rows)
    if "run" in chosen:
        run_rows(rows)
    workload_rows(rows, [part for part in chosen if part in overhead.WORKLOADS], pairs)
    print_rows(rows)
    bench.write_rows(rows, "wall", keep=True)


if __name__ == "__main__":
    main()
