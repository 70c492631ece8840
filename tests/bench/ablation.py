#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What each mechanism saves: the unit operations with one switched off at a time, under the counting plugin.

Monitor mechanisms go by off=... on its command line, those of the guest by kernels built without them. Prints instructions (guest and
monitor) and monitor entries for each operation, and writes build/results/ablation.json.
"""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import bench  # pylint: disable=wrong-import-position

# Column: kernel, what is off in the monitor (bench.ONE_TEXT first).
VARIANTS = {
    "all on": ("linux", ""),
    "-fast": ("linux", ",fast"),
    "-walkfast": ("linux", ",walkfast"),
    "-large": ("linux", ",large"),
    "-renew": ("linux", ",renew"),
    "-l2tlb": ("linux", ",l2tlb"),
    "-walker": ("linux-page", ""),
    "-page": ("linux-plain", ""),
    "none": ("linux-plain", ",fast,walkfast,large,renew"),
}
OPERATIONS = ("null_syscall", "ping_pong", "anon_fault", "touch", "munmap1000", "fork_exit", "fork_exec", "tmpfs_write", "tick")


def archive(kernel):
    return "build/bench/guest.cpio" if kernel == "linux" else f"build/bench/{kernel}.cpio"


def counted(name, kernel, words):
    out, log = bench.OUT / f"ablation{name}.json", bench.OUT / f"ablation{name}.log"
    print(f"ablation: {name} ...", file=sys.stderr, flush=True)
    plugin = [f"build/count.so,out={out}", "boot=" + bench.symbol(f"build/{kernel}/vmlinux", "kernel_entry"),
              "ebase=" + bench.symbol("build/disco.elf", "vectors"), "exit=" + bench.symbol("build/disco.elf", "guest_exit"),
                "exit=" + bench.symbol("build/disco.elf", "walk_fast")]
    command = ["qemu/run.sh", "-q", "-d", "-p", ",".join(plugin), "-a", bench.ONE_TEXT + words, archive(kernel)]
    bench.run_to_end("guest", command, log)
    found = {}
    for line in out.read_text().splitlines():
        row = json.loads(line)
        if "unit" in row:
            found.setdefault(row["unit"], row)
    return found


def main():
    numbers = {name: (number, operations) for number, (name, operations) in bench.units().items()}
    rows, results = [], {}
    for name, (kernel, words) in VARIANTS.items():
        results[name] = counted(name.replace(" ", "-"), kernel, words)
    for title, measure in (("Instructions, guest and monitor, for each operation", bench.instructions),
                           ("Monitor entries for each operation", bench.entries)):
        print(f"\n{title}\n{'':14s}" + "".join(f"{name:>11s}" for name in VARIANTS))
        for operation in OPERATIONS:
            number, operations = numbers[operation]
            values = {}
            for name, found in results.items():
                if number in found:
                    values[name] = measure(found[number]) / operations
            print(f"{operation:14s}" + "".join(f"{values[n]:11.1f}" if n in values else f"{'-':>11s}" for n in VARIANTS))
            unit = "instructions" if measure is bench.instructions else "entries"
            rows += [{"name": f"{operation}.{name}", "value": round(value, 2), "unit": unit} for name, value in values.items()]
    path = bench.TOP / "build/results/ablation.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


if __name__ == "__main__":
    main()
