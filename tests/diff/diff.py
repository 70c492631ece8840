#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""diff.py [--programs N] [--seed FIRST] [--words "off=..."] - random programs natively and under the monitor; see README.md.

Each program's hash must be the same both ways. One whose hash is not is run again alone; if it still differs, it is made
smaller as long as it differs, and shown with the first line of its trace that is not the same.
"""
import argparse
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "fuzz")]
import program as programs  # noqa: E402
import seeds  # noqa: E402

PATIENCE = float(os.environ.get("DISCO_PATIENCE", "1"))
BATCH = 2500  # programs in one boot
MEMORY = 24   # MB of a VM
BATCH_PA, BATCH_ROOM = 0x400000, (MEMORY - 8) << 20
VARIANTS = {"fast paths": "", "walker in C": "off=walkfast,large check=1", "without": "off=fast,l2tlb,walkfast,walker,large,asid"}


def with_batch(elf, data):
    """The guest with the batch as one more segment."""
    head = bytearray(elf[:64])
    entry, phoff = struct.unpack_from("<QQ", head, 24)
    phentsize, phnum = struct.unpack_from("<HH", head, 54)
    table = b"".join(elf[phoff + i * phentsize:phoff + (i + 1) * phentsize] for i in range(phnum))
    window = 0xFFFFFFFFC0000000 if entry >= 0xFFFFFFFFC0000000 else 0xFFFFFFFF80000000
    place = -(-len(elf) // 4096) * 4096
    at = window + BATCH_PA
    table += struct.pack("<2I6Q", 1, 6, place, at, at, len(data), len(data), 4096)
    struct.pack_into("<Q", head, 32, place + len(data))
    struct.pack_into("<Q", head, 40, 0)
    struct.pack_into("<HHHH", head, 56, phnum + 1, 0, 0, 0)
    return bytes(head) + elf[64:] + bytes(place - len(elf)) + data + table


def qemu(arguments, log, limit):
    with open(log, "wb") as out:
        code = subprocess.run(["timeout", "-k", "5", str(limit * PATIENCE), "qemu/run.sh", "-q", *arguments], cwd=TOP,
                              stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, check=False).returncode
    text = pathlib.Path(log).read_text(encoding="utf-8", errors="replace").replace("\r", "").replace("\x1b[K", "")
    return code, text.replace("disco> ", "").splitlines()


class Failed(Exception):
    """A whole run came to nothing."""


def split(lines, count, what, log):
    """The result of each program: its lines, the hash in the last."""
    results, mine = [], []
    for line in lines:
        mine.append(line)
        if re.match(r"\d+ [0-9a-f]{16} \w+ \d+$", line):
            if int(line.split()[0]) != len(results):
                raise Failed(f"{what}: {log}: result {len(results)} is missing")
            results.append(mine)
            mine = []
    if len(results) != count:
        raise Failed(f"{what}: {len(results)} of {count} programs ended; last lines ({log}):\n" + "\n".join(lines[-12:]))
    return results


class Runner:
    def __init__(self, folder, log="diff"):
        self.folder = pathlib.Path(folder)
        self.logs = TOP / "build/results/logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.log = log
        self.images = {name: (TOP / f"build/guests/diff/{name}.elf").read_bytes() for name in ("diff", "native")}

    def native(self, some, verbose=False):
        data = programs.batch(some, verbose)
        assert len(data) < BATCH_ROOM, "a batch too large for its VM"
        image = self.folder / "native.elf"
        image.write_bytes(with_batch(self.images["native"], data))
        log = self.logs / f"{self.log}-native.log"
        _, lines = qemu(["-k", str(image), "-n", "1", "-m", "256"], log, 20 + len(some) / 5)
        return split([line for line in lines if not line.startswith("[")], len(some), "native", log)

    def monitor(self, some, words="", verbose=False):
        """Two VMs on one node share the work, so that they also disturb each other."""
        half = (len(some) + 1) // 2
        parts = [part for part in (some[:half], some[half:]) if part]
        files, vms = [], ""
        for i, part in enumerate(parts):
            data = programs.batch(part, verbose)
            assert len(data) < BATCH_ROOM, "a batch too large for its VM"
            files.append((f"d{i}.elf", with_batch(self.images["diff"], data)))
            vms += (f'v{i} {{ compatible = "disco,vm"; label = "d{i}"; kernel = "d{i}.elf"; memory-mb = <{MEMORY}>; '
                    "node = <1>; };\n")
        tree = seeds.dtb('/dts-v1/; / { compatible = "disco,machine"; nodes = <2>; memory-mb = <256>; vms { ' + vms + "}; };")
        archive = self.folder / "diff.cpio"
        archive.write_bytes(seeds.newc([("disco.dtb", tree), *files]))
        log = self.logs / f"{self.log}-monitor.log"
        _, lines = qemu(["-a", f"exit=1 {words}".strip(), str(archive)], log, 40 + len(some) / 5)
        results = []
        for i, part in enumerate(parts):
            mine = [line[len(f"[d{i}] "):] for line in lines if line.startswith(f"[d{i}] ")]
            try:
                results += split(mine, len(part), "monitor", log)
            except Failed as why:
                said = [line for line in lines if re.match(r"\[\d+\] ", line)][-8:]
                raise Failed(f"{why}\n" + "\n".join(said)) from None
        return results

    def different(self, some, words="", times=1):
        """Which of the programs differ, each time they are run."""
        found = list(range(len(some)))
        for _ in range(times):
            chosen = [some[i] for i in found]
            if not chosen:
                break
            a, b = self.native(chosen), self.monitor(chosen, words)
            found = [i for i, x, y in zip(found, a, b) if x[-1].split()[1:] != y[-1].split()[1:]]
        return found

    def minimise(self, one, words, say):
        """Fewer units as long as the program differs, many candidates in each boot; then no-operations for single words."""
        size = max(1, len(one.units) // 2)
        while True:
            cuts = [one.with_units(one.units[:i] + one.units[i + size:]) for i in range(0, len(one.units), size)]
            bad = self.different(cuts, words) if len(one.units) > 1 else []
            if bad:
                one = cuts[bad[0]]
                size = min(size, max(1, len(one.units) // 2))
            elif size == 1:
                break
            else:
                size //= 2
            say(f"minimising: {len(one.units)} units")
        places = [(i, j) for i, unit in enumerate(one.units) if not any(map(programs.leads_away, unit))
                  for j, word in enumerate(unit) if word != programs.NOP]
        while places:
            cuts = []
            for i, j in places:
                units = [list(unit) for unit in one.units]
                units[i][j] = programs.NOP
                cuts.append(one.with_units(units))
            bad = self.different(cuts, words)
            if not bad:
                break
            one = cuts[bad[-1]]
            places = [places[k] for k in bad[:-1]]
        return one

    def explain(self, one, words):
        """The program, and where the two runs part."""
        a, b = self.native([one], True)[0], self.monitor([one], words, True)[0]
        code = self.folder / "code.bin"
        code.write_bytes(struct.pack(f"<{len(one.words())}I", *one.words()))
        shown = subprocess.run(["mipsisa64r6el-linux-gnuabi64-objdump", "-D", "-b", "binary", "-m", "mips:isa64r6", "-EL",
                                f"--adjust-vma={programs.CODE_VA}", str(code)], capture_output=True, text=True, check=False)
        out = [f"seed {one.seed}, flags {one.flags}", *(line for line in shown.stdout.splitlines() if line.startswith("    "))]
        parted = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), None)
        if parted is None:
            return [*out, "the verbose runs are the same"]
        out += ["last lines that agree:", *a[max(0, parted - 3):parted], "native:", *a[parted:parted + 12], "monitor:", *b[parted:parted + 12]]
        return out


def compare(runner, seeds_, words, say, most=5):
    """Runs them; a list of reports, one for each program that differs every time, and how many did only the first time."""
    some = [programs.program(seed) for seed in seeds_]
    first = runner.different(some, words)
    if not first:
        return [], 0
    say(f"{len(first)} differ at first: seeds {[some[i].seed for i in first][:20]}")
    again = [first[i] for i in runner.different([some[i] for i in first], words, 2)]
    reports = []
    for i in again[:most]:
        try:
            small = runner.minimise(some[i], words, say)
        except Failed as why:
            say(f"seed {some[i].seed}: not minimised: {why}")
            small = some[i]
        reports.append("\n".join(runner.explain(small, words)))
    reports += [f"seed {some[i].seed} differs, too" for i in again[most:]]
    return reports, len(first) - len(again)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--programs", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--words", help="for the monitor's command line, in place of both variants")
    parser.add_argument("--show", action="store_true", help="only the program of --seed and its native trace")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(folder, f"diff-{args.seed}")
        if args.show:
            print("\n".join(runner.native([programs.program(args.seed)], True)[0]))
            return 0
        variants = VARIANTS if args.words is None else {args.words: args.words}
        failures, done, fleeting, start = 0, 0, 0, time.monotonic()
        for first in range(args.seed, args.seed + args.programs, BATCH):
            for name, words in variants.items():
                block = range(first, min(first + BATCH, args.seed + args.programs))
                reports, passing = compare(runner, block, words, lambda text: print("  " + text, flush=True))
                failures += len(reports)
                fleeting += passing
                done += len(block)
                for report in reports:
                    print(f"---- {name} ({words or 'no words'}) differs from the bare machine:\n{report}\n", flush=True)
            print(f"{done // len(variants)} programs, {failures} differ, {fleeting} did once only, "
                  f"{time.monotonic() - start:.0f} s", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
