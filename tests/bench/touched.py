#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What entries to the exception vectors cost in cache misses, by what they touch: a table from the model's results (qemu/flash).

For each cause: its number, cycles of one, of these instructions; and for each kind of memory that it touches beyond the first-level cache, for one
entry: second-level hits, misses and upgrades (first writes to a line that was read), local and remote, and the cycles of stall. On the bare machine what
a kernel touches, page tables too, is "guest".

usage: touched.py FILE.json [CAUSE ...]
"""
import json
import sys

KINDS = {"l2tlb": "L2TLB", "pmap": "pmap", "guest": "guest memory", "text": "text", "monitor": "other"}
CAUSES = ("user_miss", "kernel_miss", "fetch_miss", "fault")


def lines(counts, causes=CAUSES):
    """counts: the model's, of a processor, a unit or in total."""
    yield f"{'cause':12s}{'entries':>10s}{'cycles':>8s}{'insns':>7s}  {'touches':13s}{'L2 hit':>8s}{'local':>8s}{'remote':>8s}{'upgr. l':>8s}{'upgr. r':>8s}{'stall':>8s}"
    for cause in causes:
        if cause not in counts["entries"]:
            continue
        number, cycles = counts["entries"][cause]
        touched = counts["touched"][cause]
        stall = sum(row[-1] for row in touched.values())
        head = f"{cause:12s}{number:10d}{cycles / number:8.1f}{(cycles - stall) / number:7.1f}  "
        for kind, name in KINDS.items():
            if any(touched[kind]):
                yield f"{head:39s}{name:13s}" + "".join(f"{value / number:8.3f}" for value in touched[kind][:-1]) + f"{touched[kind][-1] / number:8.1f}"
                head = ""
        if head:
            yield head


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.splitlines()[-1])
    with open(sys.argv[1], encoding="utf-8") as file:
        result = json.load(file)
    print("\n".join(lines(result["total"], sys.argv[2:] or CAUSES)))


if __name__ == "__main__":
    main()
