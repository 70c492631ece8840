#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What virtualization costs: instruction counts under the monitor beside the same kernel on the bare machine.

Runs Linux with the unit operations (guests/linux/unitops.c) under the counting plugin (qemu/plugin/count.c), alone, crowded and
bare; prints tables and writes build/results/monitor.json. Counts, not times, except for the seconds to a shell.
"""
import json
import re
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
OUT = TOP / "build/bench"
CROSS = "mipsisa64r6el-linux-gnuabi64-"
BOOT_RUNS = 3
BARE_RUNS = 3
LIMIT = 300  # seconds for one run of QEMU

# For comparison, what the prototype measured (docs/guest-linux.md): A is the privileged instructions of a bare kernel, B the
# entries under a monitor that emulates each.
PROTOTYPE = {
    "null_syscall": (15, 16.1), "pipe": (46, 45.2), "ping_pong": (134, 142.6), "anon_fault": (40.8, 43.2), "touch": (3.9, 4.9),
    "munmap1000": (2217, 258), "mprotect": (120, 150.6), "fork_exit": (538, 490), "fork_exec": (1197, 1242),
    "tmpfs_write": (33, 33.0), "tmpfs_read": (17, 19.4), "clock_gettime": (16.2, 17.2), "tick": (44, 43),
}


def units():
    """The units of unitops.h: {number: (name, operations)}."""
    text = (TOP / "guests/linux/unitops.h").read_text()
    return {int(n): (name, int(ops)) for n, name, ops in re.findall(r"^UNIT\((\d+), (\w+), (\d+)\)", text, re.M)}


def symbol(elf, name):
    listing = subprocess.run([CROSS + "nm", str(TOP / elf)], check=True, stdout=subprocess.PIPE, text=True).stdout
    found = re.search(rf"^([0-9a-f]+) \w {name}$", listing, re.M)
    if not found:
        sys.exit(f"bench: {elf}: found no symbol {name}")
    return "0x" + found.group(1)


BARE = ["-k", "build/linux-bare/vmlinux", "-n", "1", "-m", "256", "-a", "console=ttyS0 rdinit=/bench"]
ONE_TEXT = "off=text"  # the plugin knows one copy of the monitor's text


def command(kind, plugin=None):
    words = ["qemu/run.sh", "-q"]
    if plugin:
        words += ["-p", plugin]
    if plugin and kind != "bare":
        words += ["-a", ONE_TEXT, "-d"]  # time is instructions executed: the same ticks in each run. Bare Linux hangs with it.
    if kind == "bare":
        return words + BARE + ["--", "-initrd", "build/bench-root.cpio"]
    return words + [f"build/bench/{kind}.cpio"]


def plugin_options(kind, out):
    options = [f"build/count.so,out={out}"]
    if kind == "bare":
        return ",".join(options + ["boot=" + symbol("build/linux-bare/vmlinux", "kernel_entry")])
    options += ["boot=" + symbol("build/linux/vmlinux", "kernel_entry")]
    options += ["ebase=" + symbol("build/disco.elf", "vectors"), "exit=" + symbol("build/disco.elf", "guest_exit"),
                "exit=" + symbol("build/disco.elf", "walk_fast")]
    for name, where in (("switch", "arch_vcpu_switch_in"), ("idle", "arch_idle"), ("walk", "walk_fast"),
                        ("window", "vector_window")):
        options.append(f"probe={name}:" + symbol("build/disco.elf", where))
    return ",".join(options)


def write_rows(rows, name, keep=False):
    """Into build/results/NAME.json. keep: rows that are there under other names stay."""
    out = TOP / f"build/results/{name}.json"
    if keep and out.exists():
        known = {row["name"] for row in rows}
        rows = [row for row in json.loads(out.read_text()) if row["name"] not in known] + rows
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(rows, indent=1) + "\n")
    print(f"\n{out.relative_to(TOP)}: {len(rows)} rows")


def run_to_end(kind, words, log):
    """Run QEMU until it ends, or until every guest has powered off; its output goes to log."""
    guests = {"crowd": 2, "bare": 0}.get(kind, 1)
    with open(log, "wb") as sink, subprocess.Popen(words, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                                   stderr=subprocess.STDOUT) as qemu:
        watchdog = threading.Timer(LIMIT, qemu.kill)
        watchdog.start()
        for line in qemu.stdout:
            sink.write(line)
            if re.search(rb"vm: \w+ (powered off|killed)", line):
                guests -= 1
                if guests == 0:
                    qemu.terminate()
        qemu.wait()
        watchdog.cancel()


def counted(kind):
    """One run under the plugin: ({unit number: counts}, [paths])."""
    passes, paths = counted_passes(kind)
    return passes[0], paths


def counted_passes(kind):
    """The same of a guest that runs the units more than once: a list of counts."""
    out, log = OUT / f"{kind}.json", OUT / f"{kind}.log"
    print(f"bench: counting, {kind} ...", file=sys.stderr, flush=True)
    run_to_end(kind, command(kind, plugin_options(kind, out)), log)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    passes, paths = [], [row for row in rows if "path" in row]
    for row in rows:
        if "unit" in row:
            if all(row["unit"] in found for found in passes):
                passes.append({})
            next(found for found in passes if row["unit"] not in found)[row["unit"]] = row
    missing = [name for number, (name, _) in units().items() if not passes or number not in passes[0]]
    if missing:
        sys.exit(f"bench: {kind}: units {', '.join(missing)} did not run: see {log}")
    return passes, paths


def seconds_to_shell(kind):
    """Wall-clock seconds from the start of QEMU to the first command of a shell; the median of some runs."""
    times = []
    for _ in range(BOOT_RUNS):
        start = time.monotonic()
        with subprocess.Popen(command(kind), cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as qemu:
            for line in qemu.stdout:
                if b"bench: shell" in line:
                    times.append(time.monotonic() - start)
                    break
            qemu.kill()
    if len(times) < BOOT_RUNS:
        sys.exit(f"bench: {kind} came to no shell")
    return statistics.median(times)


def memory():
    """The monitor's own memory, in bytes: of a node without a VM, and what a VM of 64 MB and one VCPU adds to its node."""
    words = ["qemu/run.sh", "-q", "-a", "cmd=nodes", "build/bench/guest.cpio"]
    header, column = None, {}
    with subprocess.Popen(words, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as qemu:
        for raw in qemu.stdout:
            line = raw.decode(errors="replace")
            if header is None and "monitor KB" in line:
                header = re.split(r"\s{2,}", line.strip())
            elif header and re.match(r"\s*\d+\s", line):
                cells = re.split(r"\s{2,}", line.strip())
                column[int(cells[0])] = int(cells[header.index("monitor KB")]) * 1024
            if len(column) == 4:
                break
        qemu.kill()
    return column[3], column[2] - column[3]


def least_disturbed():
    """The bare kernel, whose ticks follow the host's clock: for each unit the run with the fewest privileged instructions."""
    runs = [counted("bare")[0] for _ in range(BARE_RUNS)]
    return {number: min((run[number] for run in runs), key=privileged) for number in units()}


def text_bytes():
    listing = subprocess.run([CROSS + "size", "-A", str(TOP / "build/disco.elf")], check=True, stdout=subprocess.PIPE,
                             text=True).stdout
    return sum(int(size) for size in re.findall(r"^\.(?:vectors|text)\S*\s+(\d+)", listing, re.M))


def entries(row):
    return sum(row["vectors"].values()) - row["hits"]


def privileged(row):
    return sum(row["kernel_privileged"].values())


def instructions(row):
    return sum(row["insns"].values())


def without_waiting(row, name):
    """A unit's counts, of either plugin. The unit "tick" waits in a loop for a time, which a faster machine goes round more often: what the
    program itself does there is no part of a tick."""
    if name != "tick":
        return row
    one = dict(row, insns=dict(row["insns"], user=0))
    if "stall_by" in row:
        one["cycles"] = row["cycles"] - row["insns"]["user"] - row["stall_by"]["user"]
    return one


def median(paths, pattern):
    """The median length of the paths whose cause matches, over all of them."""
    some = sorted((p for p in paths if re.fullmatch(pattern, p["path"])), key=lambda p: p["median"])
    half, seen = sum(p["paths"] for p in some) / 2, 0
    for path in some:
        seen += path["paths"]
        if seen >= half:
            return path["median"]
    return None


class Rows(list):
    def add(self, name, value, unit, bare=None):
        self.append({"name": name, "value": value, "unit": unit, "bare": bare})


# What each row is the median of. ">nowhere" is a return whose first fetch missed.
PATHS = {
    "insns.l2tlb_hit": ("guest", r"0x080 \w+>\w+ hit"),
    "insns.window": ("guest", r"0x080 \w+>\w+ hit \+window"),
    "insns.walk": ("guest", r"0x080 user>user \+walk"),
    "insns.page_fault": ("guest", r"0x(080|180 \w+) user>supervisor \+walk"),
    "insns.trap_mfc0": ("guest", r"0x180 mfc0 supervisor>\w+"),
    "insns.trap_mtc0": ("guest", r"0x180 mtc0 supervisor>\w+"),
    "insns.deliver": ("guest", r"0x180 syscall user>\w+"),
    "insns.eret": ("guest", r"0x180 eret supervisor>\w+"),
    "insns.set_timer": ("guest", r"0x180 hypcall 4 supervisor>\w+"),
    "insns.tick": ("guest", r"0x200 user>(supervisor|nowhere)"),
    "insns.vcpu_switch": ("crowd", r"0x180 wait supervisor>\w+ \+switch"),
    "insns.slice_end": ("crowd", r"0x200 \w+>\w+ \+switch"),
    "insns.ipi": ("crowd", r"0x180 hypcall 7 supervisor>\w+"),
    "insns.ipi_clear": ("crowd", r"0x180 hypcall 8 supervisor>\w+"),
}


def print_operations(alone, bare):
    print(f"\n{'':14s}{'bare kernel':>24s}{'under the monitor':>34s}{'prototype':>18s}")
    print(f"{'operation':14s}{'privileged':>12s}{'insns':>12s}{'entries':>12s}{'insns':>12s}{'refill hits':>12s}"
          f"{'A':>10s}{'B':>8s}")
    for number, (name, ops) in units().items():
        if name == "boot":
            continue
        a, b = PROTOTYPE.get(name, ("-", "-"))
        plain, under = (instructions(without_waiting(rows[number], name)) / ops for rows in (bare, alone))
        print(f"{name:14s}{privileged(bare[number]) / ops:12.2f}{plain:12.0f}"
              f"{entries(alone[number]) / ops:12.2f}{under:12.0f}"
              f"{alone[number]['hits'] / ops:12.2f}{a:>10}{b:>8}")


def print_rows(rows, other="bare", width=24):
    """other: what the second value of a row is of."""
    print()
    for row in rows:
        bare = "" if row["bare"] is None else f"   {other} {row['bare']:,.6g}"
        value = "none seen" if row["value"] is None else row["value"] if isinstance(row["value"], str) else f"{row['value']:,.6g}"
        print(f"{row['name']:{width}s}{value:>16s} {row['unit']}{bare}")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    bare = least_disturbed()
    alone, alone_paths = counted("guest")
    _, crowd_paths = counted("crowd")
    rows = Rows()
    for number, (name, ops) in units().items():
        if name != "boot":
            rows.add(f"entries.{name}", entries(alone[number]) / ops, "entries", privileged(bare[number]) / ops)
            plain, under = (instructions(without_waiting(counts[number], name)) / ops for counts in (bare, alone))
            rows.add(f"op_insns.{name}", under, "instructions", plain)
    operations = len(rows)
    for name, (kind, pattern) in PATHS.items():
        rows.add(name, median(alone_paths if kind == "guest" else crowd_paths, pattern), "instructions")
    rows.add("boot.insns", instructions(alone[1]), "instructions", instructions(bare[1]))
    rows.add("boot.entries", entries(alone[1]), "entries", privileged(bare[1]))
    rows.add("boot.seconds", seconds_to_shell("guest"), "s", seconds_to_shell("bare"))
    rows.add("text.bytes", text_bytes(), "bytes")
    node, vm = memory()
    rows.add("memory.node", node, "bytes")
    rows.add("memory.vm", vm, "bytes")
    print_operations(alone, bare)
    print_rows(rows[operations:])
    write_rows(rows, "monitor")


if __name__ == "__main__":
    main()
